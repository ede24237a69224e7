from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf import cli
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs import command_line, config_file
from bgadl_tf.runs.config import RunConfig

WHOLE = """
method: bgadl-semi
dataset: mnist
data_dir: /data
seed: 3
steps: 7
dropout: 0
warm_start: true
new_classes: [cat]
options: {vaeacgan.width: 0.5, kl_weight: 1e-3}
"""


def written(folder: Path, text: str = WHOLE) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def config_of(file: Path | None, *flags: str) -> RunConfig:
    parser = argparse.ArgumentParser()
    command_line.add_train_flags(parser)
    given: dict[str, Any] = vars(parser.parse_args([*flags, "--out", "x"]))
    given = {k: v for k, v in given.items() if k not in ("out", "export", "config", "mlflow")}
    return config_file.config_of(file, given)


def test_a_whole_file(tmp_path: Path) -> None:
    assert config_of(written(tmp_path)) == RunConfig(
        method="bgadl-semi", dataset="mnist", data_dir="/data", seed=3, steps=7, dropout=0.0,
        warm_start=True, new_classes=("cat",), options=("vaeacgan.width=0.5", "kl_weight=1e-3"),
    )  # fmt: skip


def test_without_a_file_flags_are_all(tmp_path: Path) -> None:
    assert config_of(None) == RunConfig()
    assert config_of(None, "--steps", "9") == RunConfig(steps=9)


def test_flags_win(tmp_path: Path) -> None:
    flags = ("--steps", "300", "--no-warm-start", "--new-class", "dog", "--option", "kl_weight=2")
    found = config_of(written(tmp_path), *flags)
    assert (found.steps, found.warm_start, found.new_classes) == (300, False, ("dog",))
    assert found.options == ("vaeacgan.width=0.5", "kl_weight=1e-3", "kl_weight=2")
    assert found.dataset == "mnist"


def test_a_method_by_flag_replaces_a_pair_and_the_reverse(tmp_path: Path) -> None:
    pair = written(tmp_path, "learner: plain\nacquisition: margin\n")
    assert config_of(pair, "--method", "bald") == RunConfig(method="bald")
    other = config_of(pair, "--acquisition", "bald")
    assert (other.learner, other.acquisition) == ("plain", "bald")
    flags = ("--learner", "plain", "--acquisition", "margin")
    assert config_of(written(tmp_path, "method: bgadl\n"), *flags).method is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps: 3\nstep: 4\n", r", line 2: unknown key step \(did you mean 'steps'\?\); known"),
        ("steps: 3\nquery-size: 4\n", r", line 2: unknown key query-size .*'query_size'"),
        ("seed: 3\nsteps: many\n", ", line 2: steps is 'many'; expected an integer"),
        ("seed: 3\nsteps: 0\n", ", line 2: steps is 0; it must be at least 1"),
        ("out: runs/x\n", ", line 1: out is no key of this file; give --out on the command line"),
        ("options:\n  a: 1\n  b: [2]\n", r", line 3: options.b is \[2\]; expected a number"),
        ("method: bald\nlearner: plain\n", ", line 1: method names a learner and"),
        ("[steps]", r": the file is \['steps'\]; expected a mapping of settings"),
        ("steps: [\n", ", line 2 is no YAML"),
    ],
)
def test_bad_files_are_refused_with_line_and_key(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as caught:
        config_file.read(path)
    assert str(caught.value).startswith(str(path))


def test_the_command_says_it_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "setps: 4\n")
    assert cli.main(["train", "--config", str(path), "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.startswith(f"bgadl: {path}, line 1: unknown key setps (did you")
    assert not (tmp_path / "run").exists()


def test_what_cannot_be_together(tmp_path: Path) -> None:
    path = written(tmp_path, "candidates: 5\nquery_size: 5\n")
    with pytest.raises(ConfigError, match=r"--candidates is 5, .* \(with the settings of .*config"):
        config_of(path, "--query-size", "9")
