"""Curves of two arms at the labelled counts that both have, seed by seed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bgadl_tf.study.learning_curve import Curve

BySeed = Mapping[int, Curve]


def counts(ours: Curve, theirs: Curve) -> list[float]:
    """Labelled counts that both curves have, growing."""
    return [float(count) for count in np.intersect1d(ours.labelled, theirs.labelled)]


def aligned(ours: BySeed, theirs: BySeed) -> tuple[dict[int, Curve], dict[int, Curve]]:
    """Curves of the seeds that both have, at the counts that both runs of a seed have.

    A seed whose runs differ in their counts and share fewer than two is left out: one point that
    two curves have in common is neither the end of both nor a range of labels.
    """
    found: tuple[dict[int, Curve], dict[int, Curve]] = ({}, {})
    for seed in sorted({*ours} & {*theirs}):
        pair = ours[seed], theirs[seed]
        shared = counts(*pair)
        alike = len(shared) == len(pair[0].labelled) == len(pair[1].labelled)
        if alike or len(shared) > 1:
            for side, curve in zip(found, pair, strict=True):
                side[seed] = within(curve, shared)
    return found


def within(curve: Curve, labelled: list[float]) -> Curve:
    """A curve at some of its labelled counts."""
    kept = np.isin(curve.labelled, labelled)
    return Curve(curve.labelled[kept], curve.accuracy[kept])
