"""Markdown tables of arms × seeds: accuracies, label efficiency, and paired tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bgadl_tf.study import families, intervals, learning_curve, paired, shared_labels
from bgadl_tf.study.learning_curve import Curve
from bgadl_tf.study.markdown import NONE, bounds, listed, p_value, signed, spread, table
from bgadl_tf.study.runs import Run

Arms = Mapping[str, Sequence[Run]]
"""Finished runs by arm; references (trained on the whole set) have no learning curve."""

SIGNIFICANT = 0.05
MOST_COLUMNS = 8
TARGETS = (0.90, 0.95)


class Measure(NamedTuple):
    """One number of a learning curve that arms are compared by."""

    name: str
    of: Callable[[Curve], float]


class Compared(NamedTuple):
    """An arm against a baseline, and p after Holm's correction over all arms and measures."""

    arm: str
    measure: Measure
    result: paired.Comparison
    p_holm: float

    @property
    def verdict(self) -> str:
        """What was found, in words."""
        return verdict(self.result, self.p_holm)


MEASURES = (
    Measure("final accuracy", lambda curve: float(curve.accuracy[-1])),
    Measure("AUBC", learning_curve.aubc),
)


def accuracy_table(arms: Arms) -> str:
    """Mean ± sd of the test accuracy (%) by arm and labelled count, at most eight counts.

    A cell over fewer runs than its arm has says so in brackets.
    """
    curves = _curves(arms)
    if not curves:
        return "No arm has a learning curve.\n"
    means = {arm: intervals.mean_curve(runs) for arm, runs in curves.items()}
    counts = _thinned(np.unique(np.concatenate([mean.labelled for mean in means.values()])))
    rows = []
    for arm, mean in means.items():
        n = len(curves[arm])
        at = dict(zip(mean.labelled.tolist(), mean.intervals, strict=True))
        cells = []
        for count in counts:
            found = at.get(count)
            few = f" ({found.n})" if found is not None and found.n < n else ""
            cells.append(NONE if found is None else spread(found, 100, 1) + few)
        rows.append([arm, str(n), *cells])
    head = ["arm", "runs", *(f"{count:,.0f} labels" for count in counts)]
    return table(head, rows)


def summary_table(arms: Arms, targets: Sequence[float] = TARGETS) -> str:
    """Final accuracy, AUBC and labels to reach each target accuracy, mean ± sd by arm.

    Args:
        arms: Finished runs by arm, references included.
        targets: Accuracies in [0, 1].
    """
    rows = []
    for arm, runs in arms.items():
        curves = [run.curve for run in runs]
        final = intervals.interval([curve.accuracy[-1] for curve in curves])
        labels = " / ".join(f"{c:,.0f}" for c in sorted({float(c.labelled[-1]) for c in curves}))
        row = [arm, str(len(runs)), labels, spread(final, 100, 2)]
        if runs[0].is_reference:
            row += [NONE] * (1 + len(targets))
        else:
            row.append(spread(intervals.interval([learning_curve.aubc(c) for c in curves]), 100, 2))
            row += [_labels_to_reach(curves, target) for target in targets]
        rows.append(row)
    head = ["arm", "runs", "labels", "final accuracy (%)", "AUBC (%)"]
    return table(head + [f"labels to {100 * target:g} %" for target in targets], rows)


def paired_table(arms: Arms, baseline: str, rng: np.random.Generator) -> str:
    """Every other arm minus ``baseline`` on shared seeds, in points of accuracy.

    Args:
        arms: Finished runs by arm.
        baseline: What the others are compared with.
        rng: Draws the bootstrap's resamples.

    Returns:
        The table, whose p are one family for Holm's correction, and what to read from it.
    """
    if baseline not in arms or arms[baseline][0].is_reference:
        return f"There is no finished run of `{baseline}` to compare with.\n"
    found = compared(arms, baseline, rng)
    if not found:
        return f"There is nothing to compare `{baseline}` with.\n"
    rows = [
        [
            measure.name, arm, str(result.n), signed(result.mean, result.sd),
            bounds(result.low, result.high), p_value(result.p_t), p_value(p),
            p_value(result.p_sign_flip), verdict(result, p),
        ]
        for arm, measure, result, p in found
    ]  # fmt: skip
    head = [
        "measure", "arm", "shared seeds", "difference (points)", "95 % bootstrap",
        "p (paired t)", "p (Holm)", "p (sign flip)", "finding",
    ]  # fmt: skip
    sentences = (f"- {_in_words(found, measure, baseline)}\n" for measure in MEASURES)
    return table(head, rows) + "\n" + "".join(sentences)


def compared(arms: Arms, baseline: str, rng: np.random.Generator) -> list[Compared]:
    """Every other arm against ``baseline``, which has finished runs and a learning curve.

    Runs of a seed are compared at the labelled counts that both have, see ``shared_labels``.
    """
    curves = {arm: _by_seed(runs) for arm, runs in arms.items() if not runs[0].is_reference}
    pairs = {
        arm: shared_labels.aligned(own, curves[baseline])
        for arm, own in curves.items() if arm != baseline
    }  # fmt: skip
    results = [
        (arm, measure, paired.compare(
            {seed: measure.of(curve) for seed, curve in ours.items()},
            {seed: measure.of(curve) for seed, curve in theirs.items()},
            rng,
        ))
        for measure in MEASURES for arm, (ours, theirs) in pairs.items()
    ]  # fmt: skip
    adjusted = families.holm([result.p_t for _, _, result in results])
    return [Compared(*found, p) for found, p in zip(results, adjusted, strict=True)]


def penalty_table(arms: Arms) -> str:
    """Pairwise penalties: the share of labelled counts at which the row beats the column."""
    curves = {arm: _by_seed(runs) for arm, runs in arms.items() if not runs[0].is_reference}
    if len(curves) < 2:
        return "Penalties need two arms.\n"
    matrix = families.penalty_matrix(curves)
    if np.isnan(matrix).any():
        return "Penalties need two finished seeds shared by every pair of arms.\n"
    names = list(curves)
    rows = [
        [name, *(NONE if i == j else f"{matrix[i, j]:.2f}" for j in range(len(names)))]
        for i, name in enumerate(names)
    ]
    off = matrix.sum(axis=0) / (len(names) - 1)
    rows.append(["**beaten, on average**", *(f"**{value:.2f}**" for value in off)])
    return table(["beats →", *names], rows)


def verdict(result: paired.Comparison, adjusted_p: float) -> str:
    """What a comparison found, in words."""
    if result.n < 2:
        return "too few shared seeds to test (2 needed)"
    if not result.testable:
        return "not testable (every difference is the same)"
    if adjusted_p >= SIGNIFICANT:
        return "no difference found"
    return "higher" if result.mean > 0 else "lower"


def _in_words(found: Sequence[Compared], measure: Measure, baseline: str) -> str:
    """What was found by one measure, in a sentence."""
    arms: dict[str, list[str]] = {"higher": [], "lower": [], "no difference found": []}
    for one in found:
        if one.measure == measure and one.verdict in arms:
            arms[one.verdict].append(f"`{one.arm}`")
    parts = [
        f"{listed(names)} {word} than `{baseline}`"
        for word in ("higher", "lower") if (names := arms[word])
    ]  # fmt: skip
    if names := arms["no difference found"]:
        parts.append(f"no difference found between {listed(names)} and `{baseline}`")
    return f"{measure.name}: {'; '.join(parts) if parts else 'nothing could be tested'}."


def _labels_to_reach(curves: Sequence[Curve], target: float) -> str:
    reached = [learning_curve.labels_to_reach(curve, target) for curve in curves]
    reached = [count for count in reached if np.isfinite(count)]
    if not reached:
        return "not reached"
    few = f" ({len(reached)} of {len(curves)} runs)" if len(reached) < len(curves) else ""
    return spread(intervals.interval(reached), 1, 0) + few


def _curves(arms: Arms) -> dict[str, list[Curve]]:
    return {
        arm: [run.curve for run in runs]
        for arm, runs in arms.items() if runs and not runs[0].is_reference
    }  # fmt: skip


def _by_seed(runs: Sequence[Run]) -> dict[int, Curve]:
    return {run.seed: run.curve for run in runs}


def _thinned(counts: np.ndarray) -> list[float]:
    """At most ``MOST_COLUMNS`` counts, evenly spread, the first and the last among them."""
    if len(counts) <= MOST_COLUMNS:
        return [float(count) for count in counts]
    places = np.unique(np.linspace(0, len(counts) - 1, MOST_COLUMNS).round().astype(int))
    return [float(counts[place]) for place in places]
