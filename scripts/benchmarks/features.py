"""Case: features of a backbone: one BALD query over a million of them, and whole rounds of BGADL.

The vectors are scikit-learn's digits, projected at random, tiled with noise, in a memory-mapped
file: mapped pages, which the system can drop, are not counted as memory. Ours computes no unit
that a mask drops; baal and the floor, one deterministic pass, compute all of them. FLOPs are
counted as K plain passes take them.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from importlib import util
from pathlib import Path

import numpy as np
import tensorflow as tf
from scipy import stats

from bgadl_tf.acquisition.bald import BALD
from bgadl_tf.core.types import Floats
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.learner import Learner
from bgadl_tf.learners.plain import Plain
from bgadl_tf.models import noise
from bgadl_tf.models.classifiers.mlp import MLP
from bgadl_tf.runs.config import PRECISIONS
from scripts.benchmarks import flops, whole_round
from scripts.benchmarks.measure import Contender, arithmetic
from scripts.benchmarks.memory import Peak, anonymous
from scripts.benchmarks.results import Report
from scripts.benchmarks.settings import Settings
from scripts.benchmarks.vectors import digits, mapped

WIDTH, PASSES, SEED = 128, 20, 20
TIMED = 10_000
"""Vectors that a rival is timed on; more is scaled up."""


def run(settings: Settings, report: Report) -> None:
    """A query over many vectors, then rounds in 64 and 128 dimensions."""
    with tempfile.TemporaryDirectory() as folder:
        _query(Path(folder), settings, report)
    for width in settings.pick((64, WIDTH), (16,)):
        with tempfile.TemporaryDirectory() as folder:
            _rounds(Path(folder), width, settings, report)


def _query(folder: Path, settings: Settings, report: Report) -> None:
    count = settings.pick(1_000_000, 2000)
    vectors = mapped(folder / "pool.npy", count, WIDTH)
    learners = _trained(settings)
    setting = f"mlp, {count:,} x {WIDTH} features, K = {PASSES}"
    costs = flops.count(learners["float32"].classifier, tf.TensorSpec((1, WIDTH)))
    scorers = {
        policy: Scorer(learner, tf.distribute.get_strategy(), PASSES)
        for policy, learner in learners.items()
    }
    contenders = [
        Contender(
            rival=policy,
            ours=True,
            run=functools.partial(_scores, scorer, vectors),
            flops=count * PASSES * costs,
            dtype=arithmetic(policy),
        )
        for policy, scorer in scorers.items()
    ]
    contenders.append(
        Contender(
            rival="one deterministic pass, float32",
            run=functools.partial(_deterministic(learners["float32"]), vectors),
            flops=count * costs,
            note="the floor",
        )
    )
    part = np.array(vectors[: settings.pick(TIMED, 200)])
    contenders += [
        Contender(
            rival=rival,
            run=functools.partial(score, part),
            scale=count / len(part),
            flops=len(part) * PASSES * costs,
            note=f"timed on {len(part):,} vectors and scaled",
        )
        for rival, score in _rivals(report).items()
    ]
    report.compare(setting, contenders)
    for policy, scorer in scorers.items():
        before = anonymous()
        with Peak() as peak:
            _scores(scorer, vectors)
        report.add(f"{setting}: memory", policy, [peak.mib - before], "MiB", ours=True)
    _agree(setting, learners, scorers, vectors[:20_000], report)


def _rivals(report: Report) -> dict[str, Callable[[Floats], Floats]]:
    if not util.find_spec("baal"):
        report.goes_without("baal", "bench")
        return {}
    from scripts.benchmarks.rivals import baal_scoring, torch_networks

    twin = torch_networks.mlp(WIDTH).eval()
    return {
        f"{name}, float32": baal_scoring.scorer(twin, PASSES, replicate)
        for name, replicate in (("baal", False), ("baal, replicate_in_memory", True))
    }


def _agree(
    setting: str,
    learners: dict[str, Learner],
    scorers: dict[str, Scorer],
    vectors: Floats,
    report: Report,
) -> None:
    """Whether what is fast is also right."""
    fast = {policy: _scores(scorer, vectors) for policy, scorer in scorers.items()}
    few = np.array(vectors[:200])
    difference = float(np.abs(fast["float32"][:200] - _plain(learners["float32"], few)).max())
    report.fact(setting, "largest difference from K plain passes, nats", difference)
    report.fact(setting, "largest score, nats", float(fast["float32"].max()))
    correlation = stats.spearmanr(*(fast[policy] for policy in PRECISIONS)).statistic
    report.fact(setting, "rank correlation of bfloat16 and float32", float(correlation))


def _plain(learner: Learner, vectors: Floats) -> Floats:
    """BALD from K passes through the layers, one mask a pass, in float64."""
    head = learner.classifier.head
    masks = head.mc_masks(noise.pair(tf.constant(SEED, tf.int64)), PASSES)
    logs = np.stack([
        head(vectors, masks=[mask[k : k + 1] for mask in masks]).numpy() for k in range(PASSES)
    ]).astype(np.float64)  # fmt: skip
    probs = np.exp(logs)
    mean = probs.mean(0)
    entropy: Floats = -(mean * np.log(np.maximum(mean, 1e-300))).sum(1)
    return entropy + (probs * logs).sum(2).mean(0)


def _rounds(folder: Path, width: int, settings: Settings, report: Report) -> None:
    vectors, labels = digits(width)
    for name, rows in (("train", slice(0, 1400)), ("test", slice(1400, None))):
        np.save(folder / f"{name}_embeddings.npy", vectors[rows])
        np.save(folder / f"{name}_labels.npy", labels[rows])
    config = {
        "dataset": f"embeddings:{folder}",
        "method": "bgadl",
        "classifier": "mlp",
        "rounds": settings.repeats + 1,
        "query_size": 10,
        "candidates": settings.pick(1000, 20),
        "steps": settings.pick(500, 2),
        "batch_size": settings.pick(64, 4),
        "options": [],
    }
    whole_round.rounds(config, f"a round in {width} features", settings, report)


def _trained(settings: Settings) -> dict[str, Learner]:
    """A little, in float32; the others have the same weights."""
    learners: dict[str, Learner] = {}
    for policy in PRECISIONS:
        learners[policy] = Plain(MLP((WIDTH,), 10, dtype=policy))
        learners[policy].compile()
    first = learners["float32"]
    trainer = Trainer(first, first.space, tf.distribute.get_strategy(), batch_size=64)
    trainer.train(*digits(WIDTH), (0, 0), steps=settings.pick(300, 2))
    for learner in learners.values():
        learner.classifier.set_weights(first.classifier.get_weights())
    return learners


def _scores(scorer: Scorer, vectors: Floats) -> Floats:
    return np.concatenate([part for (part,) in scorer.look(vectors, SEED, BALD().score)])


def _deterministic(learner: Learner) -> Callable[[Floats], Floats]:
    """One pass, in chunks of 4,000."""
    call = tf.function(learner.classifier.call, reduce_retracing=True)

    def pass_over(vectors: Floats) -> Floats:
        starts = range(0, len(vectors), 4000)
        return np.concatenate([call(tf.constant(vectors[i : i + 4000])).numpy() for i in starts])

    return pass_over
