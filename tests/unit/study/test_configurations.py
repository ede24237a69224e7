"""A run is its study's where nothing that the study says is otherwise in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bgadl_tf.runs.config import RunConfig
from bgadl_tf.study import configurations, runs
from tests.support.study.folders import write_run


def differences(folder: Path, config: RunConfig, **saved: Any) -> list[str]:
    return configurations.differences(runs.read(write_run(folder, [0.5], **saved)), config)


OPTIONS = ("vaeacgan.width=0.25", "width=0.5", "acgan.width=9", "warmup=auto", "metric=cosine",
           "unlabelled=no")  # fmt: skip
RESOLVED = {"width": 0.5, "warmup": "evidence", "unlabelled": False, "new": 3}


def test_what_a_run_resolves_is_no_difference(tmp_path: Path) -> None:
    config = RunConfig(method="bgadl", components="auto", rounds=7, data_dir="/a", options=OPTIONS)
    assert differences(
        tmp_path, config, classifier="lenet", components=12, initial_size=30, scaling="standard",
        options=RESOLVED, acquisition_options={"bald": {"metric": "cosine"}}, data_dir="/b",
        versions={}, devices={},
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("config", "saved", "difference"),
    [
        ({}, {"steps": 100}, "steps is 100, the study's is 300"),
        ({"initial_size": 30}, {}, "initial_size is 20, the study's is 30"),
        ({"seed": 2}, {"seed": 1}, "seed is 1, the study's is 2"),
        ({}, {"method": "bald"}, "it is of bald, the study's is of bgadl"),
        (
            {"method": None, "learner": "plain", "acquisition": "bald"},
            {},
            "it is of vaeacgan+bald, the study's is of plain+bald",
        ),
        ({"options": ("width=0.5",)}, {"options": {"width": 1.0}}, "option width is 1.0, the st"),
        (
            {"options": ("bald.metric=cosine",)},
            {"acquisition_options": {"bald": {"metric": "euclidean"}}},
            "option bald.metric is euclidean, the study's is cosine",
        ),
        ({"options": ("unlabelled=no",)}, {"options": {"unlabelled": True}}, "option unlabelled"),
    ],
)
def test_differences_are_told(
    tmp_path: Path, config: dict[str, Any], saved: dict[str, Any], difference: str
) -> None:
    (told,) = differences(tmp_path, RunConfig(**{"method": "bgadl", **config}), **saved)
    assert told.startswith(difference)


def test_a_run_on_the_whole_set_has_its_own_steps_and_initial_set(tmp_path: Path) -> None:
    config = RunConfig(method="bda-full", initial_size=20, steps=100, rounds=3)
    saved = {"method": "bda-full", "rounds": 0, "initial_size": 1437, "steps": 400}
    assert differences(tmp_path, config, **saved) == []
