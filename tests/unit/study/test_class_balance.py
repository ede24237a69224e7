from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import class_balance, runs
from tests.support.study.folders import write_answers, write_run

CLASSES = ["cat", "dog", "owl"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write_run(tmp_path / "run", [0.5, 0.6, 0.7])
    write_answers(folder, [[0, 1, 2], [0, 0, 1], [0]], CLASSES)
    return folder


def test_worked_by_hand_without_the_initial_set(folder: Path) -> None:
    found = class_balance.bought(runs.read(folder))
    assert found is not None
    assert found.counts.tolist() == [3, 1, 0]
    # -(3/4 ln 3/4 + 1/4 ln 1/4) / ln 3
    assert found.evenness == pytest.approx(0.562335 / np.log(3), abs=1e-5)
    assert found.without == 0


def test_corrections_hold_and_what_was_declined_is_counted_apart(folder: Path) -> None:
    with (folder / "labels.jsonl").open("a") as file:
        for id_, label in (("1-0", 2), ("1-1", None)):
            line = {"id": id_, "label": label, "round": 2, "source": "me", "correction": True}
            file.write(json.dumps(line) + "\n")
        file.write('{"id": "9-9", "label": 1, "round": 9, "source": "me"}\n{"id": "cut')
    found = class_balance.bought(runs.read(folder))
    assert found is not None
    assert (found.counts.tolist(), found.without) == ([1, 1, 1], 1)
    assert found.evenness == pytest.approx(1.0)
    assert (folder / "labels.jsonl").read_text().endswith('{"id": "cut'), "reports change nothing"


def test_nothing_to_count(tmp_path: Path) -> None:
    bare = write_run(tmp_path / "bare", [0.5, 0.6])
    assert class_balance.bought(runs.read(bare)) is None
    write_answers(bare, [[0, 1], []], CLASSES)
    assert class_balance.bought(runs.read(bare)) is None


def test_a_damaged_ledger_is_named(folder: Path) -> None:
    (folder / "labels.jsonl").write_text('{"id": 3}\n')
    with pytest.raises(RunFolderError, match=r"labels\.jsonl"):
        class_balance.bought(runs.read(folder))


def test_table_names_the_ends_where_classes_are_many(folder: Path) -> None:
    one = class_balance.bought(runs.read(folder))
    assert one is not None
    assert "| run | 4      | 0.512    | 75.0 | 25.0 | 0.0 |" in class_balance.balance_table(
        {"run": [one]}
    )
    many = class_balance.Bought(tuple(f"c{n}" for n in range(20)), np.array([5, *[2] * 18, 1]), 0)
    table = class_balance.balance_table({"run": [many, many]})
    assert "| c0 (11.9 %) | c19 (2.4 %) |" in table
