"""Methods: what they are, and what their learners are set to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf import cli
from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.runs.build import build, names_of
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.methods import METHODS, described
from bgadl_tf.runs.run_folder import RunFolder

SMALL: dict[str, Any] = {"classifier": "lenet", "rounds": 1, "query_size": 4, "steps": 2}
NARROW = ("width=0.1", "latent_dim=5")


def unlabelled_of(config: RunConfig, resumed: Any = None) -> bool:
    return bool(vars(names_of(config, resumed).learner_options)["unlabelled"])


@pytest.mark.parametrize("name", METHODS.names())
def test_every_method_names_what_exists(name: str) -> None:
    method = METHODS.get(name)
    found = vars(names_of(RunConfig(method=name)).learner_options)
    assert {key: found[key] for key in method.options} == dict(method.options)


def test_presets_are_of_the_method_and_not_of_its_parts() -> None:
    assert unlabelled_of(RunConfig(method="bgadl")) is False
    assert unlabelled_of(RunConfig()) is False
    assert unlabelled_of(RunConfig(learner="vaeacgan", acquisition="bald")) is True
    assert unlabelled_of(RunConfig(method="bgadl", options=("unlabelled=true",))) is True
    assert unlabelled_of(RunConfig(method="bda", options=("acgan.unlabelled=true",))) is True


def test_a_run_that_goes_on_keeps_what_it_began_with() -> None:
    config = RunConfig(method="bgadl")
    assert unlabelled_of(config, {"options": {"unlabelled": True}}) is True
    assert unlabelled_of(config, {"options": {"unlabelled": False}}) is False
    assert unlabelled_of(config, {"options": {}}) is True  # what it was before it was an option
    asked = RunConfig(method="bgadl", options=("unlabelled=false",))
    assert unlabelled_of(asked, {"options": {"unlabelled": True}}) is False


def test_folders_of_before_there_were_presets_are_resumable(tmp_path: Path) -> None:
    config = RunConfig(method="bgadl", options=NARROW, **SMALL)
    begun = build(RunConfig(method="bgadl", options=(*NARROW, "unlabelled=true"), **SMALL))
    before = {**begun.described, "options": {**begun.described["options"], "unlabelled": True}}
    folder = RunFolder(tmp_path / "run")
    with folder.opened(before, begun.defaults):
        pass
    again = build(config, folder)
    assert again.learner.uses_unlabelled
    with pytest.raises(RunFolderError, match="another configuration: options was"):
        build(RunConfig(method="bgadl", options=(*NARROW, "unlabelled=false"), **SMALL), folder)
    assert not build(config, RunFolder(tmp_path / "new")).learner.uses_unlabelled
    assert json.loads((tmp_path / "run" / "config.json").read_text())["options"]["unlabelled"]


def test_help_says_what_every_method_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    for name in METHODS:
        method = METHODS.get(name)
        words = f"{name} ({method.description}: {method.learner}, {method.acquisition})"
        assert words in described()
        assert words.replace("-", "") in told.replace("- ", "").replace("-", "")
