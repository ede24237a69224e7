"""Learning curves, and the numbers that one of them comes to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Curve:
    """A learning curve.

    Attributes:
        labelled: Labels used, strictly increasing, float64 ``[R]``.
        accuracy: Test accuracy in [0, 1], float64 ``[R]``.

    Raises:
        ValueError: The two do not match, are empty, or ``labelled`` does not increase.
    """

    labelled: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.labelled.ndim != 1 or self.labelled.shape != self.accuracy.shape:
            raise ValueError(
                f"labelled has shape {self.labelled.shape} and accuracy {self.accuracy.shape}; "
                "expected two vectors of one length"
            )
        if not len(self.labelled) or np.any(np.diff(self.labelled) <= 0):
            raise ValueError("labelled must hold at least one count and strictly increase")


def at(curve: Curve, labelled: float) -> float:
    """Accuracy at exactly this labelled count; NaN where the curve has no point there."""
    found = np.flatnonzero(curve.labelled == labelled)
    return float(curve.accuracy[found[0]]) if len(found) else np.nan


def aubc(curve: Curve) -> float:
    """Area under the budget curve, by trapezoids, as a mean accuracy over the label range.

    NaN for a curve of one point.
    """
    width = curve.labelled[-1] - curve.labelled[0]
    if width == 0:
        return float("nan")
    return float(np.trapezoid(curve.accuracy, curve.labelled) / width)


def labels_to_reach(curve: Curve, accuracy: float) -> float:
    """Labels at which the curve first reaches ``accuracy``, between rounds by straight lines.

    Returns:
        The first labelled count if it is reached there already; NaN if it never is.
    """
    reached = np.flatnonzero(curve.accuracy >= accuracy)
    if not len(reached):
        return float("nan")
    right = int(reached[0])
    if right == 0:
        return float(curve.labelled[0])
    x0, x1 = curve.labelled[right - 1 : right + 1]
    y0, y1 = curve.accuracy[right - 1 : right + 1]
    return float(x0 + (accuracy - y0) / (y1 - y0) * (x1 - x0))


def label_saving(curve: Curve, reference: Curve, accuracy: float) -> float:
    """Share of the reference's labels that ``curve`` does without on its way to ``accuracy``.

    Returns:
        ``1 - labels / labels of the reference``, negative if it needs more; NaN if either
        never reaches ``accuracy``.
    """
    return 1.0 - labels_to_reach(curve, accuracy) / labels_to_reach(reference, accuracy)
