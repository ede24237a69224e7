from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.study import reliability, runs
from bgadl_tf.study.runs import Run
from tests.support.study.folders import calibration, rewrite_rounds, write_run


def noted(folder: Path, confidence: float, right: float, count: int) -> Run:
    write_run(folder, [0.5, 0.6])
    content = calibration(confidence, right, count)
    rewrite_rounds(folder, lambda record: {**record, "calibration": content})
    return runs.read(folder)


def test_runs_are_pooled_by_their_examples(tmp_path: Path) -> None:
    found = reliability.pooled(
        [noted(tmp_path / "a", 0.95, 0.9, 100), noted(tmp_path / "b", 0.95, 0.6, 300)]
    )
    assert found is not None
    assert found.count[14] == 400
    assert found.accuracy[14] == pytest.approx((90 + 180) / 400)
    assert found.ece == pytest.approx(0.95 - 270 / 400)
    assert found.accuracy[0] is None


def test_table_and_what_older_runs_lack(tmp_path: Path) -> None:
    old = runs.read(write_run(tmp_path / "old", [0.5, 0.6]))
    assert reliability.pooled([old]) is None
    table = reliability.calibration_table(
        {"new": [noted(tmp_path / "new", 0.95, 0.9, 100)], "old": [old]}
    )
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert cells == [["new", "1", "0.400", "5.00", "+5.00"], ["old", "1", "0.400", "–", "–"]]
