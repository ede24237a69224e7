"""``datasets`` of a study file: settings, seeds and arms of each, and what cannot be."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.study import command, study_file
from bgadl_tf.study.protocol import Arm, Protocol
from tests.support.study.protocols import write_study

WHOLE = """
arms:
  bgadl: {options: {width: 0.25}}
  random: {seeds: [7], steps: 9}
seeds: [0, 1]
settings: {rounds: 8, steps: 5, options: {width: 1, kl_weight: 1}}
datasets:
  digits: {dataset: digits, steps: 7, seeds: [2], options: {kl_weight: 2, width: 0.5}}
  features: {dataset: "embeddings:some/where", components: auto, arms: [bgadl]}
against: [random]
"""


def test_arms_win_over_datasets_and_these_over_all_runs(tmp_path: Path) -> None:
    here = {"dataset": "embeddings:some/where", "components": "auto", "steps": 5}
    assert study_file.read(write_study(tmp_path, WHOLE)) == Protocol(
        (
            Arm(
                "bgadl",
                RunConfig(
                    method="bgadl", rounds=8, steps=7, options=("kl_weight=2", "width=0.25")
                ),
                (2,),
                "digits",
            ),
            Arm(
                "random",
                RunConfig(
                    method="random", rounds=8, steps=9, options=("kl_weight=2", "width=0.5")
                ),
                (7,),
                "digits",
            ),
            Arm(
                "bgadl",
                RunConfig(
                    method="bgadl", rounds=8, **here, options=("kl_weight=1", "width=0.25")
                ),
                (0, 1),
                "features",
            ),
        ),
        ("random",),
    )  # fmt: skip


def test_two_spaces_of_one_dataset(tmp_path: Path) -> None:
    text = (
        "arms: [bgadl, random]\nseeds: [0]\nsettings: {dataset: digits}\n"
        "datasets: {bgadl: null, large: {image_size: 14}}\n"
    )
    arms = study_file.read(write_study(tmp_path, text)).arms
    # A dataset may be called like an arm: one is the other's folder.
    assert [(arm.path, arm.config.dataset, arm.config.image_size) for arm in arms] == [
        ("bgadl/bgadl", "digits", None), ("bgadl/random", "digits", None),
        ("large/bgadl", "digits", 14), ("large/random", "digits", 14),
    ]  # fmt: skip


def test_what_a_study_compares_with_by_default_is_an_arm_of_any_dataset(tmp_path: Path) -> None:
    text = (
        "arms: [bgadl, random, bald]\nseeds: [0]\n"
        "datasets: {a: {dataset: digits, arms: [bald, bgadl]}, b: {dataset: mnist, arms: [random]}}"
    )
    found = study_file.read(write_study(tmp_path, text))
    assert found.against == ("random", "bald")
    assert [arm.path for arm in found.arms] == ["a/bgadl", "a/bald", "b/random"]


WINS = "claims:\n  wins: {pairs: [[bgadl, random]]}\n"
TOP = "arms: {bgadl: null, random: null}\nseeds: [0]\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("datasets:\n", 3, "datasets is empty; expected a mapping of names to settings"),
        ("datasets: [digits]\n", 3, r"datasets is \['digits'\]; expected a mapping of names to"),
        ("dataset:\n  digits:\n", 3, "'dataset' is a setting; put it under 'settings'"),
        ("dataset_s:\n  digits:\n", 3, r"unknown key dataset_s \(did you mean 'datasets'\?\)"),
        ("datasets:\n  a: 3\n", 4, "datasets.a is 3; expected a mapping of settings"),
        ("datasets:\n  mnist:\n", 4, "datasets.mnist says no dataset; give one, e.g. dataset: d"),
        ("datasets:\n  a:\n    dataset: x\n    rouns: 3\n", 6, "a.rouns .did you mean 'rounds'"),
        ("datasets:\n  a:\n    dataset: x\n    seed: 3\n", 6, "no key .* root seeds under 'seeds'"),
        ("datasets:\n  a:\n    dataset: x\n    seeds: 3\n", 6, r"a\.seeds is 3; expected a list"),
        ("datasets:\n  a:\n    dataset: x\n    seeds: []\n", 1, r"bgadl on datasets\.a: arm .* no"),
        ("datasets:\n  a:\n    dataset:\n", 5, r"datasets\.a\.dataset is None; expected a text"),
        ("datasets:\n  a:\n    dataset: x\n    method: bald\n", 6, "method says what an arm runs"),
        ("datasets:\n  a:\n    dataset: x\n    rounds: -1\n", 6, "on datasets.a: rounds is -1"),
        ("datasets:\n  a:\n    dataset: x\n    options: {b: [1]}\n", 6, r"a\.options\.b is \[1\]"),
        ("datasets:\n  a/b: {dataset: x}\n", 4, "dataset 'a/b' cannot name a folder; use letters"),
        ("datasets:\n  '': {dataset: x}\n", 4, "dataset '' cannot name a folder; use letters"),
        ("datasets:\n  a:\n    dataset: x\n    arms: []\n", 6, r"datasets\.a\.arms is empty"),
        (
            "datasets:\n  a:\n    dataset: x\n    arms: [bgadll]\n", 6,
            r"arms has 'bgadll', which is no arm here \(did you mean 'bgadl'\?\); the arms: bgadl,",
        ),
        ("datasets:\n  a: {dataset: x, arms: [bgadl, bgadl]}\n", 4, "has 'bgadl' twice"),
        ("datasets:\n  a: {dataset: x, arms: [bgadl]}\n", 1, "arms.random runs on none of the dat"),
        (
            "datasets: {a: {dataset: x}, b: {dataset: y, arms: [bgadl]}}\n" + WINS, 4,
            "claims names 'random', which is no arm on dataset 'b'; the arms: bgadl",
        ),
        ("datasets:\n  a: {dataset: x}\nagainst: [bald]\n", 5, "against names 'bald', which is no"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_with_line_and_remedy(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    path = write_study(tmp_path, TOP + text)
    with pytest.raises(ConfigError, match=message) as caught:
        study_file.read(path)
    assert str(caught.value).startswith(f"{path}, line {line}: ")


def test_a_dataset_of_all_runs_that_none_is_on(tmp_path: Path) -> None:
    text = TOP + "settings:\n  dataset: mnist\ndatasets: {a: {dataset: digits}}\n"
    with pytest.raises(ConfigError, match=r"line 4: settings\.dataset is 'mnist', which no run is"):
        study_file.read(write_study(tmp_path, text))


def test_the_example_of_the_command_can_be_read(tmp_path: Path) -> None:
    text = textwrap.dedent(command.EXAMPLE.partition("\n")[2])
    assert study_file.read(write_study(tmp_path, text)).datasets == ("small", "cifar10")


def test_an_arm_does_not_say_what_datasets_say(tmp_path: Path) -> None:
    text = "arms:\n  bgadl: {dataset: mnist}\nseeds: [0]\ndatasets: {a: {dataset: digits}}\n"
    with pytest.raises(ConfigError, match=r"line 2: arms\.bgadl\.dataset is said by 'datasets'"):
        study_file.read(write_study(tmp_path, text))
