"""What the tests of whole runs share."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.runs import open_run, pictures
from bgadl_tf.runs.build import Setup

SMALL = ["--classifier", "lenet", "--initial-size", "20", "--query-size", "4", "--candidates", "40",
         "--mc-samples", "2", "--batch-size", "8"]  # fmt: skip
"""Flags of a run that takes seconds, nearly all of them for starting TensorFlow."""


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares a run the drawing, which takes longer than its training."""
    monkeypatch.setattr(pictures.Pictures, "draw", lambda *_: None)


@pytest.fixture
def no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares a run the export at its end, which takes longer than its training."""
    monkeypatch.setattr(open_run, "export_once", lambda *_: None)


def differences(one: Path, other: Path) -> list[str]:
    """In what two finished runs differ, times of day and TensorBoard aside."""
    found = ["rounds.jsonl"] if _rounds(one) != _rounds(other) else []
    found += [n for n in ("config.json", "labels.jsonl") if not _same(one / n, other / n)]
    for folder in ("queries", "arrays"):
        names = [
            sorted(str(path.relative_to(run / folder)) for path in (run / folder).rglob("*.*"))
            for run in (one, other)
        ]
        if names[0] != names[1]:
            found.append(f"{folder}: {names[0]} and {names[1]}")
            continue
        found += [
            f"{folder}/{n}" for n in names[0] if not _same(one / folder / n, other / folder / n)
        ]
    weights = [final_weights(run) for run in (one, other)]
    if weights[0].keys() != weights[1].keys():
        return [*found, "names in the checkpoint"]
    unequal = [
        name for name in weights[0] if not np.array_equal(weights[0][name], weights[1][name])
    ]
    return [*found, *unequal]


def final_weights(run: Path) -> dict[str, Any]:
    """Everything in the newest checkpoint but how many there have been."""
    reader = tf.train.load_checkpoint(str(run / "checkpoints"))
    names = [name for name in reader.get_variable_to_shape_map() if "OBJECT_GRAPH" not in name]
    return {name: reader.get_tensor(name) for name in names if "save_counter" not in name}


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file, to see that nothing is touched."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }


def forget(setup: Setup) -> None:
    """Spoil all that training changes, so that what a run goes on with must come from disk."""
    learner = setup.learner
    variables = [v for network in learner.saved_networks.values() for v in network.variables]
    for optimizer in learner.optimizers.values():
        variables += optimizer.variables
    for variable in variables:
        spoilt = np.nan if "float" in str(variable.dtype) else 123
        variable.assign(np.full(variable.shape, spoilt))
    learner.noise_seed.assign((123, 123))


@contextmanager
def watching(files: set[str], look: Any) -> Iterator[None]:
    """Call ``look`` before every line of the named source files, and when a function returns."""

    def on_line(frame: FrameType, event: str, argument: object) -> Any:
        look()
        return on_line

    def on_call(frame: FrameType, event: str, argument: object) -> Any:
        return on_line if Path(frame.f_code.co_filename).name in files else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        yield
    finally:
        sys.settrace(before)


def _rounds(run: Path) -> list[dict[str, Any]]:
    lines = (run / "rounds.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def _same(one: Path, other: Path) -> bool:
    if one.suffix != ".npz":
        return one.read_bytes() == other.read_bytes()
    with np.load(one) as first, np.load(other) as second:
        return set(first) == set(second) and all(
            np.array_equal(first[name], second[name]) for name in first
        )
