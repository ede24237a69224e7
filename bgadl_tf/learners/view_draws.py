"""What decides the views of an example that are stored: its content and the number of the view.

Neither its place nor its batch do, so that a view is the same in every dataset and however often
the work is interrupted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.types import Floats

VIEWS_APART = 2**16
"""Draws that one view may take."""

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def draws_of(digests: NDArray[np.uint64], view: int, count: int) -> Floats:
    """Uniform draws in [0, 1), by the generator SplitMix64 (Steele et al. 2014).

    Args:
        digests: ``[n]``, of the contents of examples: each seeds a generator.
        view: Number of the view, from 0.
        count: Draws for each example, at most ``VIEWS_APART``.

    Returns:
        float32 ``[n, count]``; the same for the same digest and view on every machine.
    """
    places = np.arange(1 + view * VIEWS_APART, 1 + view * VIEWS_APART + count, dtype=np.uint64)
    with np.errstate(over="ignore"):
        state = digests[:, np.newaxis] + places * _STEP
        state = (state ^ (state >> np.uint64(30))) * _FIRST
        state = (state ^ (state >> np.uint64(27))) * _SECOND
    state ^= state >> np.uint64(31)
    draws: Floats = (state >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)
    return draws
