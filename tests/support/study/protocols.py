"""Protocols made by hand, and the study files that say them."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf.runs.config import RunConfig
from bgadl_tf.study import names, running
from bgadl_tf.study.protocol import Arm, Protocol
from bgadl_tf.study.tasks import Task, tasks_of
from tests.support.repository import REPOSITORY

FAKE = (sys.executable, "-m", "tests.support.study.fake_train")


@pytest.fixture
def fake_train(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The command of a training that ends at once, and what it needs to start."""
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    return FAKE


@pytest.fixture
def in_this_process(fake_train: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """``bgadl study`` with trainings that end at once, and names checked where TensorFlow is."""
    monkeypatch.setattr(running, "TRAIN", fake_train)
    monkeypatch.setattr(names, "check_apart", names.check)


def protocol(*methods: str, seeds: tuple[int, ...] = (0,), **settings: object) -> Protocol:
    """Arms that are methods, on digits."""
    return Protocol(
        tuple(
            Arm(name, RunConfig.from_json({"method": name, **settings}), seeds) for name in methods
        )
    )


def on_datasets(
    planned: Protocol, datasets: Mapping[str, Mapping[str, Any]], **changes: Any
) -> Protocol:
    """The same arms on each of some datasets, with settings of its own."""
    arms = tuple(
        dataclasses.replace(arm, dataset=name, config=dataclasses.replace(arm.config, **settings))
        for name, settings in datasets.items()
        for arm in planned.arms
    )
    return dataclasses.replace(planned, arms=arms, **changes)


def tasks(out: Path, *methods: str, seeds: tuple[int, ...] = (0,)) -> list[Task]:
    """Runs of methods, on digits."""
    return tasks_of(protocol(*methods, seeds=seeds), out)


def write_study(folder: Path, text: str) -> Path:
    """A study file."""
    path = folder / "study.yaml"
    path.write_text(text)
    return path
