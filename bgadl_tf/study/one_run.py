"""One run beside another one, and what its test set lets be known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from bgadl_tf.study import fairness, labels_saved, learning_curve, replay, runs, shared_labels
from bgadl_tf.study.learning_curve import at
from bgadl_tf.study.markdown import NONE, table
from bgadl_tf.study.reliability import of_round
from bgadl_tf.study.runs import Run


def rounds_table(run: Run) -> str:
    """A line a finished round."""
    phases = [*dict.fromkeys(p for record in run.rounds for p in record.get("seconds", {}))]
    rows = []
    for record in run.rounds:
        found = of_round(record)
        rows.append([
            str(record["round"]), f"{record['labelled']:,}",
            _number(record.get("test_accuracy"), 100, 2), _number(record.get("test_nll"), 1, 3),
            _number(None if found is None else found.ece, 100, 2),
            *(_number(record.get("seconds", {}).get(phase), 1, 1) for phase in phases),
        ])  # fmt: skip
    head = ["round", "labels", "accuracy (%)", "NLL (nats)", "ECE (points)"]
    return table([*head, *(f"{phase} (s)" for phase in phases)], rows)


def test_set_words(run: Run) -> str | None:
    """How well the last accuracy is known, of a test set of this size; None where that is not."""
    known = replay.starts(run)
    size = int(known[-1].get("test", 0)) if known else 0
    if not size or not len(run.measured.rounds):
        return None
    accuracy = float(run.curve.accuracy[-1])
    found = stats.binomtest(round(accuracy * size), size).proportion_ci(method="wilson")
    return (
        f"Of {size:,} test examples alone, the last accuracy of {100 * accuracy:.1f} % is known to "
        f"lie between {100 * found.low:.1f} and {100 * found.high:.1f} % (95 %, Wilson); another "
        "seed moves it further.\n"
    )


def beside(run: Run, other: Run) -> Iterator[str]:
    """A run beside one of random selection, label by label, and how far that goes."""
    yield from _unlike(run, other)
    ours, theirs = run.curve, other.curve
    shared = shared_labels.counts(ours, theirs)
    if not shared:
        yield "The two have no number of labels in common; make both of the same sizes.\n"
        return
    saved = labels_saved.saving(ours, theirs)
    reached = (
        f"this run needs {saved.labels:,.0f} labels and the other {saved.reference:,.0f}: "
        f"{100 * abs(saved.share):.0f} % {'fewer' if saved.share > 0 else 'more'}"
        if saved.reached
        else f"this run does not get there with its {saved.labels:,.0f} labels"
    )
    areas = [learning_curve.aubc(shared_labels.within(curve, shared)) for curve in (ours, theirs)]
    area = (
        f" Over the labels that both have, the mean accuracy (AUBC) differs by "
        f"{100 * (areas[0] - areas[1]):+.2f} points."
        if np.isfinite(areas).all()
        else ""
    )
    yield (
        f"> With {ours.labelled[-1]:,.0f} labels this run is right on "
        f"{100 * ours.accuracy[-1]:.1f} % of the test set, the other one with "
        f"{theirs.labelled[-1]:,.0f} on {100 * theirs.accuracy[-1]:.1f} %; to the accuracy that "
        f"that ends with, {reached}.{area} **Whether this would come out again cannot be known "
        "from one pair of runs.**\n"
    )
    rows = [
        [
            f"{count:,.0f}", f"{100 * at(ours, count):.2f}", f"{100 * at(theirs, count):.2f}",
            f"{100 * (at(ours, count) - at(theirs, count)):+.2f}",
        ]
        for count in shared
    ]  # fmt: skip
    yield table(["labels", "this run (%)", "the other (%)", "difference (points)"], rows)
    yield (
        "No test can be made of one pair: how far two seeds of the same method lie apart is not "
        "in it. Several seeds of both, as `bgadl study` makes them, tell.\n"
    )


def _unlike(run: Run, other: Run) -> Iterator[str]:
    """What makes two runs no pair."""
    if not replay.asks_at_random(other):
        yield (
            f"**Not random selection:** {other.folder} asks by "
            f"`{other.config.get('acquisition')}`; what follows compares with that.\n"
        )
    for key, values in runs.differing_settings([run, other]).items():
        yield f"**Not one protocol:** `{key}` is {' and '.join(map(str, values))}.\n"
    if run.seed != other.seed:
        yield (
            f"**Not one initial set:** the seeds are {run.seed} and {other.seed}, so the curves do "
            "not begin from the same labels.\n"
        )
    elif runs.seeds_on_several_datasets([run, other]):
        yield "**Not one dataset:** the two runs are not on the same examples.\n"
    elif len({fairness.initial_ids(one) for one in (run, other)} - {None}) > 1:
        yield (
            "**Not one initial set:** the two have one seed, but began with other examples, as "
            "where an acquisition chooses them, so the curves do not begin from the same labels.\n"
        )


def _number(value: float | None, scale: float, digits: int) -> str:
    return NONE if value is None else f"{scale * value:,.{digits}f}"
