"""Imbalanced and repeated pools, from the command line to a run that goes on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.cli import main
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.imbalance import Imbalance
from bgadl_tf.data.load import load_dataset
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.embed import embed
from bgadl_tf.study import study_file
from tests.support.run_tools import SMALL, no_export, no_pictures
from tests.support.small_datasets import WRITERS

__all__ = ["no_export", "no_pictures"]

RUN = ["train", "--method", "random", *SMALL, "--rounds", "1", "--steps", "2"]


def settings_of(out: Path) -> dict[str, object]:
    return dict(json.loads((out / "config.json").read_text()))


@pytest.mark.usefixtures("no_pictures", "no_export")
def test_a_run_on_such_a_pool_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--imbalance", "step", "--imbalance-ratio", "5", "--repeated", "2"]
    flags += ["--label-noise", "uniform", "--label-noise-rate", "0.1"]
    out = ["--out", str(tmp_path / "run")]
    assert main([*RUN, *flags, *out]) == 0
    saved = settings_of(tmp_path / "run")
    assert [saved[name] for name in ("imbalance", "imbalance_ratio", "repeated")] == ["step", 5, 2]
    assert "under ids like 'digits-1" in capsys.readouterr().err
    assert main([*RUN, *flags, "--rounds", "2", *out]) == 0
    assert len((tmp_path / "run" / "rounds.jsonl").read_text().splitlines()) == 3
    dataset = (tmp_path / "run" / "dataset.jsonl").read_text().splitlines()
    assert len(dataset) == 1  # nothing about it has changed
    capsys.readouterr()
    assert main([*RUN, *flags, "--rounds", "2", "--repeated", "3", *out]) == 2
    assert "repeated was 2.0, now 3.0" in capsys.readouterr().err


@pytest.mark.usefixtures("no_pictures", "no_export")
def test_folders_that_know_nothing_of_it_stay_resumable(tmp_path: Path) -> None:
    assert main([*RUN, "--out", str(tmp_path)]) == 0
    saved = settings_of(tmp_path)
    for name in ("imbalance", "imbalance_ratio", "repeated", "label_noise", "label_noise_rate"):
        del saved[name]
    (tmp_path / "config.json").write_text(json.dumps(saved))
    assert main([*RUN, "--rounds", "2", "--out", str(tmp_path)]) == 0


@pytest.mark.parametrize("stream", [[], ["--stream"]])
@pytest.mark.parametrize("kind", WRITERS)
def test_check_says_it_of_every_kind(
    kind: str, stream: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = WRITERS[kind](tmp_path / "data")
    spec, *data_dir = flags[1::2]
    before = load_dataset(spec, data_dir=data_dir[0] if data_dir else None)
    sizes = Imbalance("step", 2).sizes(np.bincount(before.train.labels, minlength=10))
    chosen = ["--imbalance", "step", "--imbalance-ratio", "2", "--repeated", "2"]
    chosen += ["--label-noise", "confused"]
    capsys.readouterr()
    assert main(["check", *flags, *stream, *chosen]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("(step 2) (repeated 2) (confused label noise 0.2)")
    assert lines[1].startswith(f"to train on: {2 * sizes.sum()} ")
    assert any(line.startswith("classes are imbalanced, step at a ratio of 2: ") for line in lines)
    assert any(line.startswith(f"{sizes.sum()} copies of training examples") for line in lines)
    assert any(line.startswith("label noise, confused at a rate of 0.2: ") for line in lines)


def test_a_study_file_may_ask_for_it(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(
        "arms: [random]\nseeds: [0]\nsettings: {imbalance: long_tailed, imbalance_ratio: 50, "
        "repeated: 3}\n"
    )
    (arm,) = study_file.read(path).arms
    config = arm.config
    assert (config.imbalance, config.imbalance_ratio, config.repeated) == ("long_tailed", 50.0, 3.0)
    path.write_text("arms: [random]\nseeds: [0]\nsettings: {imbalance: heavy}\n")
    with pytest.raises(ConfigError, match="imbalance is 'heavy'; choose from none, long_tailed"):
        study_file.read(path)


def test_features_are_written_of_all_images(tmp_path: Path) -> None:
    config = RunConfig(backbone="keras:VGG16", weights="none", repeated=2)
    with pytest.raises(ConfigError, match="write those of all images"):
        embed(config, tmp_path / "features")
