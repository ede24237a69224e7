from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf import cli
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.study.protocol import Arm, Protocol
from bgadl_tf.study.tasks import tasks_of
from tests.support.study.protocols import on_datasets, protocol, tasks


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(method="bgadl"),
        RunConfig(learner="plain", acquisition="margin", warm_start=True, dropout=0.25, rounds=0),
        RunConfig(method="bda", dataset="folder:my -- images", options=("a.b=1", "c=-2e-3")),
    ],
)
def test_flags_are_read_back_by_the_command_line(config: RunConfig, tmp_path: Path) -> None:
    (task,) = tasks_of(Protocol((Arm("arm", config, (3,)),)), tmp_path, "/data")
    arguments = vars(cli.make_parser().parse_args(["train", *task.flags]))
    assert arguments.pop("command")
    assert arguments.pop("export")
    assert arguments.pop("out") == tmp_path / "arm" / "seed_3"
    assert arguments.pop("config") is None
    assert arguments.pop("mlflow") is None
    assert RunConfig(**arguments) == task.config
    assert (task.config.seed, task.config.data_dir) == (3, "/data")


def test_a_run_lies_under_its_dataset_where_the_study_names_some(tmp_path: Path) -> None:
    planned = on_datasets(protocol("bgadl"), {"small": {"image_size": 8}, "large": {}})
    made = tasks_of(planned, tmp_path)
    assert [task.folder for task in made] == [
        tmp_path / "small/bgadl/seed_0", tmp_path / "large/bgadl/seed_0",
    ]  # fmt: skip
    assert [task.name for task in made] == ["small/bgadl seed 0", "large/bgadl seed 0"]
    assert made[0].log == tmp_path / "small/bgadl/seed_0.log"
    assert "--image-size=8" in made[0].flags
    assert {task.study for task in (*made, *tasks(tmp_path, "bgadl"))} == {tmp_path}


def test_last_words_of_a_progress_bar(tmp_path: Path) -> None:
    (task,) = tasks(tmp_path, "bgadl")
    assert task.last_words() == ""
    task.log.parent.mkdir()
    task.log.write_text("begins\n\r 10 %\r 20 %\n\n")
    assert task.last_words() == "20 %"
