"""The command on real MNIST and CIFAR-10, in a process of its own as users start it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository import REPOSITORY


def train(data_dir: Path, out: Path, *flags: str) -> list[dict[str, object]]:
    command = [sys.executable, "scripts/train.py", "--data-dir", str(data_dir), "--out", str(out)]
    done = subprocess.run(
        [*command, *flags], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (out / "rounds.jsonl").read_text().splitlines()]


@pytest.mark.real_data
@pytest.mark.slow  # that replicas train alike is checked on smaller images
def test_mnist_on_two_replicas(shared_tfds: Path, tmp_path: Path) -> None:
    rounds = train(
        shared_tfds, tmp_path / "run", "--dataset", "mnist", "--strategy", "mirrored",
        "--cpu-replicas", "2", "--classifier", "lenet", "--method", "bald", "--rounds", "1",
        "--steps", "60", "--candidates", "500",
    )  # fmt: skip
    assert [record["labelled"] for record in rounds] == [100, 110]
    assert float(str(rounds[1]["test_accuracy"])) > 0.5


@pytest.mark.slow
@pytest.mark.real_data
def test_cifar10_with_resnet18(shared_tfds: Path, tmp_path: Path) -> None:
    rounds = train(
        shared_tfds, tmp_path / "run", "--dataset", "cifar10", "--classifier", "resnet18",
        "--method", "bgadl", "--rounds", "1", "--steps", "6", "--candidates", "100",
        "--batch-size", "20", "--option", "width=0.25",
    )  # fmt: skip
    assert [record["labelled"] for record in rounds] == [100, 110]
    assert float(str(rounds[1]["reconstruction_error"])) > 0
