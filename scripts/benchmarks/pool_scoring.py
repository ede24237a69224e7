"""Case: BALD scores of a pool.

Ours runs the trunk once and K passes of the head under shared masks; the rivals run the whole
network K times. The floor is one deterministic pass of our network.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import util
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy import stats

from bgadl_tf.acquisition.bald import BALD
from bgadl_tf.core.types import Floats, Images, ImageShape
from bgadl_tf.engine.scorer import CHUNK, Scorer
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.learner import Learner
from bgadl_tf.learners.plain import Plain
from bgadl_tf.models import noise
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from bgadl_tf.runs.config import PRECISIONS
from scripts.benchmarks import flops, images
from scripts.benchmarks.measure import Contender, arithmetic
from scripts.benchmarks.results import Report
from scripts.benchmarks.rivals import keras_networks, keras_scoring
from scripts.benchmarks.settings import Settings

SEED = 20
MOST_PASSES = 20_000
"""Passes of one image through a small network that a rival is timed on; more is scaled up."""

FEWEST_IMAGES, FEWEST_PASSES = 100, 20
"""What a rival is timed on at least: a batch as its documentation has it."""


class Network(NamedTuple):
    """Attributes:
    name: Of the classifier.
    shape: Of its images.
    steps: Of training before anything is scored, so that scores differ.
    slow: Passes of one image, as a number of the small network's, roughly.
    """

    name: str
    shape: ImageShape
    steps: int
    slow: int


NETWORKS = (Network("gal_cnn", images.MNIST, 200, 1), Network("resnet18", images.CIFAR, 20, 20))


class Costs(NamedTuple):
    """FLOPs of one image: the deterministic trunk and one pass of the head."""

    trunk: float
    head: float


def run(settings: Settings, report: Report) -> None:
    """Every network, number of passes and size of pool."""
    for network in NETWORKS[: settings.pick(2, 1)]:
        pixels = images.take(network.shape, settings.pick(2000, 60), settings.data_dir)[0]
        learners = {policy: _learner(network, policy) for policy in PRECISIONS}
        _train(learners, network, settings)
        for passes in settings.pick((20, 100), (20,)):
            _compare(network, learners, pixels, passes, settings, report)
            _agree(network, learners, pixels, passes, report)
        if settings.full:
            more = images.take(network.shape, 20_000, settings.data_dir)[0]
            # Minutes of float32 would tell no more than those of 2,000 images did.
            fast = learners if network.slow == 1 else {PRECISIONS[-1]: learners[PRECISIONS[-1]]}
            for passes in (20, 100) if network.slow == 1 else (20,):
                _compare(network, fast, more, passes, settings, report)


def _compare(
    network: Network,
    learners: dict[str, Learner],
    pixels: Images,
    passes: int,
    settings: Settings,
    report: Report,
) -> None:
    setting = f"{network.name}, {len(pixels):,} images, K = {passes}"
    costs = _costs(next(iter(learners.values())))
    count = len(pixels)
    contenders = [
        Contender(
            rival=policy,
            ours=True,
            run=functools.partial(_scores, _scorer(learner, passes), pixels),
            flops=count * (costs.trunk + passes * costs.head),
            dtype=arithmetic(policy),
        )
        for policy, learner in learners.items()
    ]
    contenders += [
        Contender(
            rival=f"one deterministic pass, {policy}",
            run=functools.partial(_deterministic(learner), pixels),
            flops=count * sum(costs),
            dtype=arithmetic(policy),
            note="the floor",
        )
        for policy, learner in learners.items()
    ]
    few, timed = _share(network, count, passes)
    part = pixels[: settings.pick(few, 20)]
    scale = count / len(part) * passes / timed
    for rival, score in _rivals(network, timed, report).items():
        contenders.append(
            Contender(
                rival=rival,
                run=functools.partial(score, part),
                scale=scale,
                flops=len(part) * timed * sum(costs),
                dtype=arithmetic(rival),
                note=f"timed on {len(part)} images, K = {timed}, and scaled" if scale > 1 else "",
            )
        )
    report.compare(setting, contenders)


def _share(network: Network, count: int, passes: int) -> tuple[int, int]:
    """Images and passes that a rival is timed on: what it takes grows as their product."""
    most = MOST_PASSES // network.slow
    timed = min(passes, max(FEWEST_PASSES, most // FEWEST_IMAGES))
    return min(count, max(FEWEST_IMAGES, most // timed)), timed


def _rivals(network: Network, passes: int, report: Report) -> dict[str, Callable[[Images], Floats]]:
    """Whatever is installed; each runs the whole network K times."""
    twins = {}
    for policy in PRECISIONS:
        with keras_networks.precision(policy):
            twin = keras_networks.classifier(network.name, network.shape)
        twins[policy] = keras_networks.freeze_batch_norm(twin)
    rivals = {"Keras loop, float32": keras_scoring.eager(twins["float32"], passes)}
    for policy, twin in twins.items():
        rivals[f"Keras, one tf.function, {policy}"] = keras_scoring.graph(twin, passes)
    own = _learner(network, "float32").classifier
    assert twin.count_params() == own.count_params()
    if not util.find_spec("baal"):
        report.goes_without("baal", "bench")
        return rivals
    from scripts.benchmarks.rivals import baal_scoring, torch_networks

    torch_twin = torch_networks.classifier(network.name, network.shape).eval()
    trained = sum(int(np.prod(weight.shape)) for weight in own.trainable_weights)
    assert torch_networks.size(torch_twin) == trained
    for name, replicate in (("baal", False), ("baal, replicate_in_memory", True)):
        rivals[f"{name}, float32"] = baal_scoring.scorer(torch_twin, passes, replicate)
    return rivals


def _agree(
    network: Network, learners: dict[str, Learner], pixels: Images, passes: int, report: Report
) -> None:
    """Whether what is fast is also right."""
    setting = f"{network.name}, {len(pixels):,} images, K = {passes}"
    fast = {p: _scores(_scorer(learner, passes), pixels) for p, learner in learners.items()}
    few = pixels[:200]
    plain = _plain_scores(learners["float32"], few, passes)
    difference = float(np.abs(fast["float32"][: len(few)] - plain).max())
    report.fact(setting, "largest difference from K plain passes, nats", difference)
    report.fact(setting, "largest score, nats", float(fast["float32"].max()))
    correlation = stats.spearmanr(fast["float32"], fast["mixed_bfloat16"]).statistic
    report.fact(setting, "rank correlation of bfloat16 and float32", float(correlation))
    top = [set(np.argsort(-fast[policy], kind="stable")[:100]) for policy in PRECISIONS]
    report.fact(setting, "of the top 100 in both", len(top[0] & top[1]))


def _plain_scores(learner: Learner, pixels: Images, passes: int) -> Floats:
    """BALD from K passes through the network's own layers, one mask a pass, in float64."""
    classifier = learner.classifier
    masks = classifier.head.mc_masks(noise.pair(tf.constant(SEED, tf.int64)), passes)
    features = classifier.features(classifier.space.to_float(tf.constant(pixels)))
    logs = np.stack([
        classifier.head(features, masks=[mask[k : k + 1] for mask in masks]).numpy()
        for k in range(passes)
    ]).astype(np.float64)  # fmt: skip
    probs = np.exp(logs)
    mean = probs.mean(0)
    entropy = -(mean * np.log(np.maximum(mean, 1e-300))).sum(1)
    return entropy + (probs * logs).sum(2).mean(0)


def _learner(network: Network, policy: str) -> Learner:
    learner = Plain(CLASSIFIERS.get(network.name)(network.shape, 10, dtype=policy))
    learner.compile()
    return learner


def _train(learners: dict[str, Learner], network: Network, settings: Settings) -> None:
    """A little, in float32; every learner then has the same weights."""
    pixels, labels = images.take(network.shape, 1000, settings.data_dir)
    first = learners["float32"]
    trainer = Trainer(first, first.space, tf.distribute.get_strategy(), batch_size=50)
    trainer.train(pixels, labels, (0, 0), steps=settings.pick(network.steps, 2))
    for learner in learners.values():
        learner.classifier.set_weights(first.classifier.get_weights())


def _scorer(learner: Learner, passes: int) -> Scorer:
    return Scorer(learner, tf.distribute.get_strategy(), passes)


def _scores(scorer: Scorer, pixels: Images) -> Floats:
    return np.concatenate([part for (part,) in scorer.look(pixels, SEED, BALD().score)])


def _deterministic(learner: Learner) -> Callable[[Images], Floats]:
    """One pass in chunks as large as the scorer's."""
    call = tf.function(learner.classifier.call, reduce_retracing=True)

    def run(pixels: Images) -> Floats:
        starts = range(0, len(pixels), CHUNK)
        chunks = (learner.space.to_float(tf.constant(pixels[i : i + CHUNK])) for i in starts)
        return np.concatenate([call(chunk).numpy() for chunk in chunks])

    return run


def _costs(learner: Learner) -> Costs:
    classifier = learner.classifier
    spec = tf.TensorSpec((1, *classifier.example_shape))
    trunk = flops.count(classifier.features, spec)
    return Costs(trunk, flops.count(classifier, spec) - trunk)
