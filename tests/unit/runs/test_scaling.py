"""``--scaling`` and ``--components``: of vectors, and of nothing else."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bgadl_tf import cli
from bgadl_tf.core.errors import ConfigError, RunFolderError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.loop.plan import Plan
from bgadl_tf.runs import scaling
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.train import train

IMAGES = ("arrays", (8, 8, 3))


@pytest.mark.parametrize("name", ["--scaling", "--components"])
@pytest.mark.parametrize("value", ["standard", "none"])
def test_images_are_not_scaled(name: str, value: str) -> None:
    settings: dict[str, Any] = {"scaling": value} if name == "--scaling" else {"components": 3}
    with pytest.raises(ConfigError, match=f"{name} is given, but dataset 'arrays' holds images"):
        scaling.chosen(RunConfig(**settings), *IMAGES, {})


def test_a_run_of_images_is_taken_up_with_what_its_folder_says() -> None:
    assert scaling.chosen(RunConfig(), *IMAGES, {}) == "none"
    assert scaling.chosen(RunConfig(scaling="none"), *IMAGES, {"scaling": "none"}) == "none"


def vectors() -> Dataset:
    rng = np.random.default_rng(0)
    strong = np.where(np.arange(60) < 20, 10.0, 0.1)
    found = (rng.normal(size=(90, 60)) * strong).astype(np.float32)
    labels = np.arange(90) % 2
    return Dataset.from_arrays(
        found[:80], labels[:80], test_examples=found[80:], test_labels=labels[80:]
    )


@pytest.mark.parametrize(
    ("labels", "expected"), [(20, 16), (120, 16), (500, 32), (2000, 128), (10**6, 1000)]
)
def test_automatic_components_follow_from_the_labels_of_the_plan(
    labels: int, expected: int
) -> None:
    auto = RunConfig(components="auto")
    plan = Plan(initial_size=labels // 2, rounds=5, query_size=labels // 10)
    assert scaling.counted(auto, plan, 1000, {}) == expected


def test_automatic_components_are_kept() -> None:
    auto, plan = RunConfig(components="auto"), Plan()
    assert scaling.counted(auto, plan, 1000, {"components": 48}) == 48
    assert scaling.counted(RunConfig(components=7), plan, 1000, {}) == 7
    assert scaling.counted(RunConfig(), plan, 1000, {}) is None
    with pytest.raises(RunFolderError, match="begun with all components"):
        scaling.counted(auto, plan, 1000, {"components": None})


def test_the_word_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    parse = cli.make_parser().parse_args
    given = ["train", "--out", "x", "--components"]
    assert parse([*given, "auto"]).components == "auto"
    assert parse([*given, "12"]).components == 12
    with pytest.raises(SystemExit):
        parse([*given, "many"])
    assert "it is 'many'; expected a number or auto" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="--components is 'many'; expected an integer from 1 on"):
        RunConfig(components="many")  # type: ignore[arg-type]


def test_a_run_records_the_number_and_goes_on_with_it(tmp_path: Path) -> None:
    for name, values in (("train", slice(0, 80)), ("test", slice(80, 90))):
        part = vectors().train if name == "train" else vectors().test
        np.save(tmp_path / f"{name}_embeddings.npy", part.examples[:])
        np.save(tmp_path / f"{name}_labels.npy", np.arange(90)[values] % 2)
    auto = RunConfig(
        dataset=f"embeddings:{tmp_path}", method="random", rounds=0, initial_size=20, steps=1,
        components="auto", scaling="none",
    )  # fmt: skip
    for config in (auto, dataclasses.replace(auto, rounds=1)):
        outcome = train(config, tmp_path / "run")
        saved = json.loads((tmp_path / "run/config.json").read_text())
        assert (saved["components"], saved["example_shape"]) == (16, [16])
        assert len(outcome.rounds) == config.rounds + 1
