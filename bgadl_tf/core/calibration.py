"""Whether a classifier is right as often as it is sure: the expected calibration error, by bins.

Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks" (ICML 2017).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bgadl_tf.core.types import Json

BINS = 15
"""Of equal width over [0, 1], each with its upper edge, the first one with 0, too."""


@dataclass(frozen=True)
class Calibration:
    """Confidence, the largest probability of an example, beside accuracy.

    Attributes:
        ece: Mean of |accuracy - confidence| over the bins, each by its share of the examples.
        count: Examples of each bin, ``BINS`` of them.
        accuracy: Share of them that is classified rightly; None in an empty bin.
        confidence: Their mean confidence; None in an empty bin.
    """

    ece: float
    count: tuple[int, ...]
    accuracy: tuple[float | None, ...]
    confidence: tuple[float | None, ...]

    def to_json(self) -> Json:
        """As one JSON object."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self).items()}

    @classmethod
    def from_json(cls, content: Json) -> Calibration:
        """The inverse of ``to_json``.

        Raises:
            KeyError, TypeError: It is not such an object.
        """
        names = [field.name for field in dataclasses.fields(cls)][1:]
        return cls(float(content["ece"]), *(tuple(content[name]) for name in names))


class CalibrationBins:
    """Sums over examples that come chunk by chunk."""

    def __init__(self) -> None:
        self._count = np.zeros(BINS, np.int64)
        self._right, self._confidence = np.zeros(BINS), np.zeros(BINS)

    def add(self, confidence: ArrayLike, right: ArrayLike) -> None:
        """Count examples.

        Args:
            confidence: ``[n]``, in [0, 1] but for rounding.
            right: bool ``[n]``, whether each is classified rightly.
        """
        # What is not finite is refused where the losses are looked at.
        sure = np.nan_to_num(np.asarray(confidence, np.float64))
        places = np.clip(np.ceil(sure * BINS).astype(np.int64) - 1, 0, BINS - 1)
        self._count += np.bincount(places, minlength=BINS)
        self._right += np.bincount(places, np.asarray(right, np.float64), minlength=BINS)
        self._confidence += np.bincount(places, sure, minlength=BINS)

    def result(self) -> Calibration | None:
        """What was counted; None of no examples."""
        total = int(self._count.sum())
        if not total:
            return None
        ece = float(np.abs(self._right - self._confidence).sum() / total)
        accuracy, confidence = (
            tuple(
                float(value / n) if n else None
                for value, n in zip(sums, self._count.tolist(), strict=True)
            )
            for sums in (self._right, self._confidence)
        )
        return Calibration(ece, tuple(self._count.tolist()), accuracy, confidence)
