from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.study import paired, runs, tables
from bgadl_tf.study.runs import Run
from tests.support.study.folders import write_run

BASE = [0.50, 0.52, 0.51, 0.49, 0.50]
NOISE = [0.001, -0.001, 0.002, 0.0, -0.002]


def make(tmp_path: Path, curves: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, list[Run]]:
    return {
        arm: [
            runs.read(write_run(tmp_path / arm / str(seed), values, method=arm, seed=seed))
            for seed, values in enumerate(seeds)
        ]
        for arm, seeds in curves.items()
    }


@pytest.fixture
def arms(tmp_path: Path) -> dict[str, list[Run]]:
    return make(
        tmp_path,
        {
            "bgadl": [[b, b + 0.3, b + 0.46 + n] for b, n in zip(BASE, NOISE, strict=True)],
            "bald": [[b, b + 0.2, b + 0.35 + 20 * n] for b, n in zip(BASE, NOISE, strict=True)],
            "random": [[b, b + 0.2, b + 0.35] for b in BASE],
            "bda-full": [[0.98], [0.99]],
        },
    )


def rows(table: str) -> dict[str, list[str]]:
    lines = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    return {line[0].strip(): [cell.strip() for cell in line[1:]] for line in lines}


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_accuracy_table(arms: dict[str, list[Run]]) -> None:
    found = rows(tables.accuracy_table(arms))
    assert found["arm"] == ["runs", "20 labels", "30 labels", "40 labels"]
    assert found["random"] == ["5", "50.4 ± 1.1", "70.4 ± 1.1", "85.4 ± 1.1"]
    assert "bda-full" not in found


def test_accuracy_table_marks_cells_of_fewer_runs(tmp_path: Path) -> None:
    short = make(tmp_path, {"random": [[0.5, 0.6], [0.5]]})
    assert rows(tables.accuracy_table(short))["random"] == ["2", "50.0 ± 0.0", "60.0 (1)"]


def test_accuracy_table_is_thinned_but_keeps_both_ends(tmp_path: Path) -> None:
    long = make(tmp_path, {"random": [list(np.linspace(0.1, 0.9, 31))]})
    head = rows(tables.accuracy_table(long))["arm"]
    assert len(head) == 1 + tables.MOST_COLUMNS
    assert (head[1], head[-1]) == ("20 labels", "320 labels")


def test_summary_table(arms: dict[str, list[Run]]) -> None:
    found = rows(tables.summary_table(arms))
    assert found["arm"][-2:] == ["labels to 90 %", "labels to 95 %"]
    assert found["random"][-2:] == ["not reached", "not reached"]
    assert found["bgadl"][-2] == "36 ± 1"
    # Final accuracies of bgadl: 96.1, 97.9, 97.2, 95.0 and 95.8 %.
    assert rows(tables.summary_table(arms, [0.96]))["bgadl"][-1].endswith("(3 of 5 runs)")
    assert found["bda-full"] == ["2", "20", "98.50 ± 0.71", "–", "–", "–"]


def test_paired_table_says_what_was_found(arms: dict[str, list[Run]]) -> None:
    table = tables.paired_table(arms, "random", rng())
    assert "- final accuracy: `bgadl` higher than `random`; no difference found" in table
    assert "no difference found between `bald` and `random`." in table
    assert "bda-full" not in table
    assert table == tables.paired_table(arms, "random", rng())
    assert "`random` lower than `bgadl`" in tables.paired_table(arms, "bgadl", rng())


def test_arms_are_compared_at_the_labels_that_both_have(arms: dict[str, list[Run]]) -> None:
    # The baseline goes on for two rounds, in which it becomes far better.
    base = arms["random"][0].folder.parent
    longer = [
        runs.read(write_run(base / str(seed), [b, b + 0.2, b + 0.35, 0.99, 0.99], method="random",
                            seed=seed))
        for seed, b in enumerate(BASE)
    ]  # fmt: skip
    found = tables.compared({**arms, "random": longer}, "random", rng())
    assert found == tables.compared(arms, "random", rng())
    late = make(base, {"late": [[0.5]] * 5})
    (final, aubc) = tables.compared({**late, "random": longer}, "random", rng())
    assert (final.result.n, aubc.result.n) == (0, 0)


def test_holm_covers_the_whole_table(arms: dict[str, list[Run]]) -> None:
    lines = tables.paired_table(arms, "random", rng()).splitlines()
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines[2:6]]
    ours = {s: r.curve.accuracy[-1] for s, r in enumerate(arms["bald"])}
    theirs = {s: r.curve.accuracy[-1] for s, r in enumerate(arms["random"])}
    raw = paired.compare(ours, theirs, rng()).p_t
    line = next(row for row in cells if row[:2] == ["final accuracy", "bald"])
    assert line[5] == f"{raw:.4f}"
    assert float(line[6]) >= float(line[5])


def test_too_few_seeds_are_said_not_guessed(tmp_path: Path) -> None:
    few = make(tmp_path, {"bgadl": [[0.5, 0.9]], "random": [[0.5, 0.8]]})
    table = tables.paired_table(few, "random", rng())
    assert "too few shared seeds to test (2 needed)" in table
    assert "nothing could be tested" in table
    assert "two finished seeds" in tables.penalty_table(few)
    assert "no finished run of `bald`" in tables.paired_table(few, "bald", rng())
    del few["bgadl"]
    assert "nothing to compare" in tables.paired_table(few, "random", rng())
    assert "two arms" in tables.penalty_table(few)


def test_differences_without_spread_are_not_testable(tmp_path: Path) -> None:
    same = make(tmp_path, {"bgadl": [[0.5, 0.9]] * 2, "random": [[0.5, 0.8]] * 2})
    assert "not testable" in tables.paired_table(same, "random", rng())


def test_penalty_table(arms: dict[str, list[Run]]) -> None:
    found = rows(tables.penalty_table(arms))
    assert found["beats →"] == ["bgadl", "bald", "random"]
    assert found["bgadl"][0] == "–"
    assert float(found["bgadl"][2]) > 0
    assert found["random"][0] == "0.00"


def test_no_learning_curve_at_all(tmp_path: Path) -> None:
    full = make(tmp_path, {"bda-full": [[0.98]]})
    assert "No arm" in tables.accuracy_table(full)
