from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bgadl_tf.study import paper, runs
from bgadl_tf.study.runs import Run
from tests.support.study.folders import write_run

THEIRS = {
    "dataset": "cifar10", "classifier": "resnet18", "rounds": paper.ROUNDS, "query_size": 100,
    "initial_size": 5000, "image_size": 32,
}  # fmt: skip


def arms(folder: Path, **settings: Any) -> dict[str, list[Run]]:
    return {
        method: [
            runs.read(write_run(folder / method / str(s), [0.5, top + s / 100], method=method,
                                seed=s, **settings))
            for s in range(3)
        ]
        for method, top in (("bgadl", 0.8), ("random", 0.7))
    }  # fmt: skip


def test_its_own_row_stands_beneath_where_settings_match(tmp_path: Path) -> None:
    table = paper.paper_table(arms(tmp_path, **THEIRS))
    assert table is not None
    here, theirs = [line.split("|")[2:-1] for line in table.splitlines()[2:4]]
    assert [cell.strip() for cell in here] == ["81.00 ± 1.00", *["–"] * 4, "71.00 ± 1.00"]
    assert theirs[0].strip() == "87.63 ± 0.11"
    assert theirs[-1].strip() == "77.29 ± 0.23"


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"classifier": "mlp"}, "this is mlp on cifar10"),
        ({"dataset": "svhn_cropped"}, "this is resnet18 on svhn_cropped"),
        ({"backbone": "keras:EfficientNetV2B0"}, "in the features of a backbone"),
        ({"rounds": 10}, "after 150 rounds, and this after 10"),
        ({"query_size": 10}, "it asks for 100 labels a round, and this for 10"),
        ({"initial_size": 500}, "it starts from 5,000 labels, and this from 500"),
        ({"image_size": 16}, "it has images of their own size, and this of 16 pixels a side"),
        ({"part": "1/2"}, "here part is set"),
        ({"label_noise": "uniform"}, "here label_noise is set"),
    ],
)
def test_otherwise_it_says_what_differs(tmp_path: Path, other: dict[str, Any], reason: str) -> None:
    table = paper.paper_table(arms(tmp_path, **{**THEIRS, **other}))
    assert table is not None
    assert reason in table
    assert "87.63" not in table


def test_without_its_methods_there_is_no_such_table(tmp_path: Path) -> None:
    run = runs.read(write_run(tmp_path / "r", [0.5, 0.6], method=None, learner="plain"), "bgadl")
    assert paper.paper_table({"mine": [run]}) is None
    assert paper.paper_table({}) is None
