"""EPIG: what a label would tell of the labels of other examples.

Bickford Smith, Kirsch, Farquhar, Gal, Foster and Rainforth, "Prediction-Oriented Bayesian Active
Learning" (AISTATS 2023), equation 5 and its Monte-Carlo estimate: the mean over target examples x*
of the mutual information of the labels of x and x*::

    I(y; y*) = sum over y, y* of J log(J / (m m*')),    J = 1/K sum over k of p_k(y) p_k(y*)

with m and m* the marginals of J, and p_k the probabilities of the k-th pass. Unlike BALD it does
not ask for what tells of the weights alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, GivesScores, PoolView
from bgadl_tf.acquisition.cover import collected
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.query import Scores
from bgadl_tf.core.errors import ConfigError, ScoreError
from bgadl_tf.core.types import Floats, Id
from bgadl_tf.learners.abilities import MCDropout

Probs = NDArray[np.float64]
"""Probabilities or their logarithms, float64."""

BLOCK_VALUES = 2**20
"""Joint probabilities that are in memory at a time."""


@ACQUISITIONS.register("epig")
@dataclass(frozen=True)
class EPIG(GivesScores):
    """Asks where a label tells most of the labels of a sample of the candidates.

    The masks are the same for a candidate and a target, or the passes would tell nothing of their
    correlation; K passes bound the rank of J, so that few masks bias it upwards. The passes are
    made by the traced look, the joint by NumPy in float64, a few candidates and targets at a time:
    nothing that a trace would hold differs from round to round, and nothing is traced anew.

    Memory: T·K·C float32 for T targets (500, 20 passes, 10 classes: 400 kB; 100 passes, 100
    classes: 20 MB), in a temporary file beyond 1 GiB, the passes of one chunk of candidates, and
    blocks of a fixed size. With ``targets`` 0 these are all passes of all candidates. Time: O(N T K
    C^2) for the products and O(N T C^2) logarithms: on one core 0.5 ms a candidate of 10 classes
    (20,000 of them: 11 s) and 0.13 s of 100 classes, where fewer targets or candidates pay. Scores
    are nats.

    Args:
        targets: Examples whose labels are to be known better, the same ones for every candidate:
            drawn from the candidates of the round alone, in the order of sorted ids; 0 for all
            candidates.
        target_ids: A text file with an id a line: targets are drawn from these examples instead,
            labelled or not, such as those that production has met; None for the candidates.

    Raises:
        ConfigError: ``targets`` is negative, or the file cannot be read or names nothing.
    """

    needs = (MCDropout,)

    targets: int = 500
    target_ids: str | None = None

    def __post_init__(self) -> None:
        if self.target_ids is not None:
            ids_in(Path(self.target_ids))
        if self.targets < 0:
            raise ConfigError(
                f"--option epig.targets is {self.targets}; it must be positive, or 0 for all"
            )

    def scores_of(self, view: PoolView, rng: np.random.Generator) -> Iterator[Scores]:
        ids = sorted(view.ids) if self.target_ids is None else ids_in(Path(self.target_ids))
        if 0 < self.targets < len(ids):
            chosen = rng.choice(len(ids), self.targets, replace=False)
            ids = [ids[row] for row in np.sort(chosen)]
        targets = collected(self._passes_of(view, ids), len(ids))
        for (log_probs,) in view.look(self.see):
            yield gains(log_probs, targets.reshape(len(ids), *log_probs.shape[1:]))

    def see(self, evidence: Evidence) -> tf.Tensor:
        """Log-probabilities of the passes, ``[n, K, C]``."""
        return tf.transpose(evidence.passes, (1, 0, 2))

    def _passes_of(self, view: PoolView, ids: list[Id]) -> Iterator[Floats]:
        """Log-probabilities ``[n, K C]`` of targets, a chunk at a time."""
        start = 0
        for (log_probs,) in view.look(self.see, ids):
            flat = log_probs.reshape(len(log_probs), -1)
            if (bad := np.isnan(flat).any(axis=1)).any():
                raise ScoreError(
                    f"passes of {bad.sum()} targets are not finite, the first those of "
                    f"{ids[start + int(bad.argmax())]!r}; the network has diverged: lower the "
                    "learning rate"
                )
            start += len(flat)
            yield flat


def ids_in(file: Path) -> list[Id]:
    """Ids in a text file, a line each, sorted, each once; blank lines are none.

    Raises:
        ConfigError: It cannot be read, or names none.
    """
    try:
        lines = file.expanduser().read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"--option epig.target_ids {file} cannot be read: {reason}") from error
    ids = sorted({line for line in lines if line.strip()})
    if not ids:
        raise ConfigError(f"--option epig.target_ids {file} names no id; expected one a line")
    return ids


def gains(log_probs: Floats, targets: Floats) -> Probs:
    """Mean mutual information of the labels of examples and of those of targets.

    Args:
        log_probs: Of examples ``[n, K, C]``.
        targets: The same of targets ``[T, K, C]``, under the same masks.

    Returns:
        ``[n]``, nats.
    """
    count, passes, classes = targets.shape
    found = np.zeros(len(log_probs))
    at_once = max(1, BLOCK_VALUES // classes**2)
    for first in range(0, count, at_once):
        some = probabilities(targets[first : first + at_once])  # [t, K, C]
        # [K, t C]: one product for each example, so that where it stands in a chunk changes nothing
        flat = np.ascontiguousarray(some.transpose(1, 0, 2)).reshape(passes, -1)
        entropies = entropy(some.mean(axis=1)).sum()
        few = max(1, at_once // len(some))
        for start in range(0, len(log_probs), few):
            rows = slice(start, start + few)
            probs = probabilities(log_probs[rows])
            joint = np.ascontiguousarray(probs.transpose(0, 2, 1)) @ flat / passes  # [n, C, t C]
            own = entropy(probs.mean(axis=1))
            both = entropy(joint.reshape(len(probs), -1))
            found[rows] += len(some) * own + entropies - both
    means: Probs = np.maximum(found / count, 0.0)
    return means


def probabilities(log_probs: Floats) -> Probs:
    """Of logarithms ``[..., C]``, in float64, summing to 1 to its last digits."""
    probs: Probs = np.exp(log_probs.astype(np.float64))
    probs /= probs.sum(axis=-1, keepdims=True)
    return probs


def entropy(probs: Probs) -> Probs:
    """-sum of p log p along the last axis, ``[...]``, nats; 0 log 0 is 0."""
    logs = np.log(np.where(probs > 0, probs, 1.0))
    found: Probs = -(probs * logs).sum(axis=-1)
    return found
