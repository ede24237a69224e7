"""What is not as it should be with the runs on one dataset, as a report and claims say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bgadl_tf.runs.file_settings import PARTS
from bgadl_tf.study import fairness, runs
from bgadl_tf.study.runs import Run


def doubts(finished: Sequence[Run], on: str = "") -> Iterator[str]:
    """Every doubt about comparing finished runs, a Markdown paragraph each.

    Args:
        finished: Runs on one dataset.
        on: Which, as `` on `NAME` ``; empty where there is one alone.
    """
    for key, values in runs.differing_settings(finished).items():
        yield f"**Not one protocol{on}:** `{key}` is {' and '.join(map(str, values))}.\n"
    for arm, name, values in _within_arms(finished):
        told = " and ".join(map(str, values))
        yield f"**Not one arm{on}:** `{name}` of `{arm}` is {told}.\n"
    for seed in runs.seeds_on_several_datasets(finished):
        yield f"**Not one dataset{on}:** the runs of seed {seed} are not on the same examples.\n"
    for run in finished:
        if changed := run.other_test_sets:
            yield f"**Not one test set{on}:** {of_other_test_sets(run, changed)}.\n"
    for doubt in fairness.doubts(finished):
        yield f"**Not alike{on}:** {doubt}.\n"


def _within_arms(finished: Sequence[Run]) -> Iterator[tuple[str, str, list[Any]]]:
    """What may differ between arms, where runs of one differ in it: arm, name and values."""
    found: dict[tuple[str, str], list[Any]] = {}
    for run in finished:
        parts = {name: run.config[name] for name in PARTS if name in run.config}
        options = run.config.get("options")
        for name, value in {**parts, **(options if isinstance(options, dict) else {})}.items():
            values = found.setdefault((run.arm, name), [])
            if value not in values:
                values.append(value)
    for (arm, name), values in found.items():
        if len(values) > 1:
            yield arm, name, values


def of_other_test_sets(run: Run, changed: Sequence[int]) -> str:
    """That accuracies of one curve are of different test sets.

    Args:
        run: Whose.
        changed: Rounds from which on the test set was another one.
    """
    rounds = ", ".join(map(str, changed))
    return (
        f"from round {rounds} on the accuracies of {run.folder} are of another test set than before"
    )
