"""Writes what an acquisition sees of a pool, for those that take arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.evidence import Evidence, Look
from bgadl_tf.core import seeding
from bgadl_tf.loop.active_learner import ActiveLearner
from scripts.benchmarks.query_loops import loop_about_to_ask, weights_of
from scripts.benchmarks.worker import arguments, serve


def inputs(evidence: Evidence) -> tf.Tensor:
    """The vectors themselves, ``[n, F]``, of length 1."""
    return tf.math.l2_normalize(evidence.inputs, axis=1)


def penultimate(evidence: Evidence) -> tf.Tensor:
    """What the last dense layer sees, ``[n, P]``."""
    return evidence.penultimate


def probs(evidence: Evidence) -> tf.Tensor:
    """Probabilities without dropout, ``[n, C]``."""
    return tf.exp(evidence.log_probs)


def passes(evidence: Evidence) -> tf.Tensor:
    """Probabilities of the passes, ``[n, K, C]``."""
    return tf.exp(tf.transpose(evidence.passes, (1, 0, 2)))


LOOKS: dict[str, tuple[Look, bool]] = {
    "inputs": (inputs, True), "penultimate": (penultimate, True), "probs": (probs, False),
    "passes": (passes, False),
}  # fmt: skip
"""By name: what is written, and whether of labelled examples, too, after those of the pool."""


def write(folder: Path, names: Sequence[str], loop: ActiveLearner) -> None:
    """``ids.npy`` of the pool, ``labels.npy`` of what is labelled, and an array for each name."""
    candidates, labels = loop.pool.unlabelled_ids, loop.pool.labels
    np.save(folder / "ids.npy", np.array([int(id_) for id_ in candidates]))
    np.save(folder / "labels.npy", np.array([*labels.values()], np.int32))
    for name in names:
        look, labelled_too = LOOKS[name]
        ids = [*candidates, *(labels if labelled_too else ())]
        source, seed = loop.examples.source_of(ids), seeding.mask_seed(loop.plan.seed, 1)
        parts = (part for (part,) in loop.scorer.look(source, seed, look))
        _save(folder / f"{name}.npy", parts, len(ids))


def _save(path: Path, parts: Iterator[NDArray[Any]], count: int) -> None:
    file, start = None, 0
    for part in parts:
        if file is None:
            shape = (count, *part.shape[1:])
            file = np.lib.format.open_memmap(path, "w+", part.dtype, shape)
        file[start : (start := start + len(part))] = part
    assert file is not None
    file.flush()


def main() -> None:
    """Write them when asked."""
    given = arguments()
    folder, names = Path(given.pop("folder")), given.pop("arrays")

    def work() -> dict[str, Any]:
        loop = loop_about_to_ask(**given)
        write(folder, names, loop)
        return {"weights": weights_of(loop)}

    serve(work)


if __name__ == "__main__":
    main()
