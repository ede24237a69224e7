"""Case: steps of the VAE-ACGAN a second, batch 100.

Ours steps all networks at once from shared forward passes; the rivals, and our own
``vaeacgan-alternating``, step them one after the other from passes of their own, as the released
code does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import util
from typing import Any, NamedTuple

import tensorflow as tf

from bgadl_tf.core.types import Images, ImageShape, Labels
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.vaeacgan import VAEACGAN, AlternatingVAEACGAN, VAEACGANOptions
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from bgadl_tf.runs.config import PRECISIONS
from scripts.benchmarks import flops, images
from scripts.benchmarks.measure import Contender, arithmetic
from scripts.benchmarks.results import Report
from scripts.benchmarks.rivals.keras_training import Sequential
from scripts.benchmarks.settings import Settings


class Work(NamedTuple):
    """Attributes:
    classifier: Name of C.
    shape: Of the images.
    steps: Of one repetition.
    batch: B.
    counted: Whether FLOPs are counted, which takes a trace of its own.
    """

    classifier: str
    shape: ImageShape
    steps: int
    batch: int = 100
    counted: bool = True

    @property
    def specs(self) -> tuple[tf.TensorSpec, tf.TensorSpec]:
        """Of a batch and its labels."""
        images_spec = tf.TensorSpec((self.batch, *self.shape), tf.uint8)
        return images_spec, tf.TensorSpec((self.batch,), tf.int32)

    def contender(
        self, step: Callable[..., object], *specs: tf.TensorSpec, **given: Any
    ) -> Contender:
        """A contender for this work, whose FLOPs are those of a traced step."""
        cost = flops.count(step, *specs) * self.steps if self.counted else None
        return Contender(work=self.steps, unit="steps/s", flops=cost, **given)


WORKS = (
    Work("lenet", images.MNIST, 5),
    Work("gal_cnn", images.MNIST, 5),
    Work("resnet18", images.CIFAR, 1),
)
QUICK = (Work("lenet", (16, 16, 1), 1, batch=4, counted=False),)


def run(settings: Settings, report: Report) -> None:
    """Every classifier."""
    for work in settings.pick(WORKS, QUICK):
        data = images.take(work.shape, settings.pick(1000, 20), settings.data_dir)
        policies = settings.pick(PRECISIONS, PRECISIONS[:1])
        setting = (
            f"C = {work.classifier}, {work.shape[0]}x{work.shape[1]}x{work.shape[2]}, "
            f"batch {work.batch}"
        )
        report.compare(
            setting,
            [
                *(_ours(policy, work, data) for policy in policies),
                *(_ours(policy, work, data, AlternatingVAEACGAN) for policy in policies),
                *(_keras(policy, work, data) for policy in policies),
                *_torch(work, data, report),
            ],
        )
        # With the pool a step does more than the released algorithm: not compared with it.
        if not settings.quick:
            report.compare(
                f"{setting}, with the pool",
                [_ours(policy, work, data, unlabelled=True) for policy in policies],
            )


def _ours(
    policy: str,
    work: Work,
    data: tuple[Images, Labels],
    kind: type[VAEACGAN] = VAEACGAN,
    unlabelled: bool = False,
) -> Contender:
    classifier = CLASSIFIERS.get(work.classifier)(work.shape, 10, dtype=policy)
    learner = kind.create(classifier, VAEACGANOptions(unlabelled=unlabelled))
    learner.compile()
    trainer = Trainer(learner, learner.space, tf.distribute.get_strategy(), work.batch)
    pixels, labels = data
    return work.contender(
        lambda *parts: learner.train_step(Batch(*parts)),
        *work.specs,
        *work.specs[:unlabelled],
        rival=policy if kind is VAEACGAN else f"ours in turns, {policy}",
        ours=kind is VAEACGAN,
        run=functools.partial(
            trainer.train, pixels, labels, (0, 0), work.steps, 0, unlabelled=pixels,
            report_every=work.steps,
        ),
        dtype=arithmetic(policy),
        note="E and G see a second batch, of the pool" if unlabelled else "",
    )  # fmt: skip


def _keras(policy: str, work: Work, data: tuple[Images, Labels]) -> Contender:
    rival = Sequential(work.classifier, work.shape, policy)
    return work.contender(
        rival.step,
        *work.specs,
        rival=f"plain Keras, {policy}",
        run=functools.partial(rival.train, *data, work.steps, work.batch),
        dtype=arithmetic(policy),
    )


def _torch(work: Work, data: tuple[Images, Labels], report: Report) -> list[Contender]:
    if not util.find_spec("torch"):
        report.goes_without("PyTorch", "bench")
        return []
    import torch

    from scripts.benchmarks.rivals import torch_training

    contenders = []
    for name, tuned in (("released algorithm", False), ("tuned", True)):
        for dtype in (torch.float32, torch.bfloat16):
            rival = torch_training.Released(work.classifier, work.shape, tuned, dtype)
            precision = str(dtype).removeprefix("torch.")
            contenders.append(
                Contender(
                    rival=f"PyTorch, {name}, {precision}",
                    run=functools.partial(rival.train, *data, work.steps, work.batch),
                    work=work.steps,
                    unit="steps/s",
                    flops=torch_training.flops(rival, work.batch) * work.steps,
                    dtype=precision,
                )
            )
    return contenders
