from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bgadl_tf.study import facts, runs
from bgadl_tf.study.runs import Run
from tests.support.study.folders import write_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runs.read(write_run(tmp_path, [0.5, 0.6, 0.7]))


def saying(run: Run, *rounds: dict[str, float]) -> Run:
    records = [{**r, "facts": f} for r, f in zip(run.rounds, ({}, *rounds), strict=True)]
    return dataclasses.replace(run, rounds=tuple(records))


def test_means_over_rounds_then_over_runs(run: Run) -> None:
    one = saying(run, {"weight_mean": 0.25, "gap": 3}, {"weight_mean": 0.75})
    other = saying(run, {"weight_mean": 0.9}, {"weight_mean": 0.9})
    table = facts.facts_table({"a": [one, other], "random": [run], "b": [one]})
    assert table is not None
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()]
    assert cells[0] == ["fact", "a", "b"]
    assert cells[2:] == [["gap", "3", "3"], ["weight_mean", "0.7 ± 0.283", "0.5"]]


def test_of_generated_and_queried_the_ratio_is_shown(run: Run) -> None:
    told = saying(
        run, {"bald_queried": 2.0, "bald_generated": 1.0}, {"bald_queried": 1.0, "x_generated": 1.0}
    )
    table = facts.facts_table({"a": [told]})
    assert table is not None
    ratios = [line for line in table.splitlines() if " / " in line]
    assert len(ratios) == 1
    assert ratios[0].startswith("| bald_generated / bald_queried | 0.5 ")


def test_no_facts_no_table(run: Run) -> None:
    assert facts.facts_table({"random": [run]}) is None
