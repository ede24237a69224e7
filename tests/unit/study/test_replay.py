"""Whether random selection could have been answered decides whether it can be replayed."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf import cli
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.study import replay, runs
from bgadl_tf.study.runs import Run
from tests.support.study.folders import write_run, write_starts


def made(folder: Path, start: dict[str, Any] | None, **settings: Any) -> Run:
    write_run(folder, [0.5, 0.6], **settings)
    if start is not None:
        write_starts(folder, **start)
    return runs.read(folder)


def test_a_simulation_can_be_rerun_by_the_command_that_is_given(tmp_path: Path) -> None:
    run = made(
        tmp_path / "a run", {}, seed=3, query_size=7, candidates=0, initial_size=30,
        method="bgadl-semi", classifier="lenet", warm_start=True,
        options={"learning_rate": 0.01, "trunk_learning_rate": None, "width": 0.5},
    )  # fmt: skip
    found = replay.replay(run)
    assert found.sound
    assert found.command is not None
    program, *words = shlex.split(found.command)
    assert program == "bgadl"
    given = vars(cli.make_parser().parse_args(words))
    settings = {name: given[name] for name in RunConfig.__dataclass_fields__ if name in given}
    assert RunConfig(**settings) == RunConfig(
        dataset="digits", method="random", seed=3, rounds=1, query_size=7, candidates=0,
        initial_size=30, classifier="lenet", warm_start=True, options=("learning_rate=0.01",),
    )  # fmt: skip
    assert given["out"] == tmp_path / "a run-random"
    assert "--learner vaeacgan --acquisition random --option unlabelled=True" in found.words


def test_a_run_of_a_pair_or_of_the_default_method_keeps_what_it_was_set_to(
    tmp_path: Path,
) -> None:
    options = {"unlabelled": False, "width": 0.5}
    by_default = made(tmp_path / "d", {}, method=None, options=options)
    assert "--option unlabelled=False" in replay.replay(by_default).words
    pair = made(tmp_path / "p", {}, method=None, learner="plain", acquisition="margin")
    assert "--option" not in replay.replay(pair).words


def test_from_inside_the_folder_the_command_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a run"
    made(folder, {})
    monkeypatch.chdir(folder)
    found = replay.replay(runs.read(Path()))
    assert found.command is not None
    assert shlex.split(found.command)[-1] == str(tmp_path / "a run-random")


def test_a_persons_labels_do_not_tell(tmp_path: Path) -> None:
    found = replay.replay(made(tmp_path / "r", {"simulated": False, "unlabelled": 100}))
    assert (found.sound, found.command) == (False, None)
    assert "It cannot be known from this run alone" in found.words
    assert "is known of 30 of 100 examples" in found.words
    assert "What was drawn at random is the initial set" in found.words
    begun = replay.replay(made(tmp_path / "s", {"simulated": False, "unlabelled": 80}))
    assert "whoever labelled that chose it" in begun.words


def test_once_everything_is_labelled_they_do(tmp_path: Path) -> None:
    start = {"simulated": False, "unlabelled": 30, "train": 30}
    found = replay.replay(made(tmp_path / "r", start))
    assert found.sound
    assert "--labels FILE" in found.words


def test_what_has_no_random_beside_it(tmp_path: Path) -> None:
    itself = made(tmp_path / "r", {}, method="random", learner="plain", acquisition="random")
    assert "itself asks at random" in replay.replay(itself).words
    whole = made(tmp_path / "w", {}, method="bda-full")
    assert "whole training set" in replay.replay(whole).words
    old = replay.replay(made(tmp_path / "o", None))
    assert not old.sound
    assert "older version" in old.words


def test_a_command_of_a_whole_config_file(tmp_path: Path) -> None:
    # As a run writes it: with what no flag sets, and lists where flags have tuples.
    run = made(
        tmp_path / "r", {}, new_classes=[], class_names=["0", "1"], versions={}, format=2,
        example_shape=[8, 8, 1], fingerprint="ab", acquisition_options={}, scaling="none",
    )  # fmt: skip
    command = replay.replay(run).command
    assert command is not None
    assert "--seed=0" in command
    assert "scaling" not in command, "a run on images refuses it"
    config = json.loads((run.folder / "config.json").read_text())
    (run.folder / "config.json").write_text(json.dumps({**config, "example_shape": [64]}))
    command = replay.replay(runs.read(run.folder)).command
    assert command is not None
    assert "--scaling=none" in command
