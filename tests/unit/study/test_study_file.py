from __future__ import annotations

import re
from pathlib import Path

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.study import study_file
from bgadl_tf.study.claims import Claims
from bgadl_tf.study.protocol import Arm, Protocol
from tests.support.study.protocols import write_study

WHOLE = """
arms:
  bgadl: {seeds: [0, 1, 2]}
  random:
  plain+class_balanced:bald: {steps: 600}
  labelled-only:
    method: bgadl
    classifier: null
    options: {vaeacgan.unlabelled: false, width: 0.25}
seeds: [0, 1]
settings:
  dataset: mnist
  classifier: lenet
  rounds: 8
  dropout: 0
  warm_start: true
  options: {width: 0.5, kl_weight: 1e-3}
against: [random, bgadl]
claims:
  recommended: bgadl
  never_harms: {pairs: [[bgadl, random]]}
"""


def test_a_whole_file(tmp_path: Path) -> None:
    shared = {"dataset": "mnist", "rounds": 8, "dropout": 0.0, "warm_start": True}
    options = ("width=0.5", "kl_weight=1e-3")
    lenet = {**shared, "classifier": "lenet"}
    pair = {"learner": "plain", "acquisition": "class_balanced:bald", "steps": 600}
    own = ("kl_weight=1e-3", "vaeacgan.unlabelled=false", "width=0.25")
    assert study_file.read(write_study(tmp_path, WHOLE)) == Protocol(
        (
            Arm("bgadl", RunConfig(**lenet, method="bgadl", options=options), (0, 1, 2)),
            Arm("random", RunConfig(**lenet, method="random", options=options), (0, 1)),
            Arm(
                "plain+class_balanced:bald", RunConfig(**lenet, **pair, options=options), (0, 1)
            ),
            Arm("labelled-only", RunConfig(**shared, method="bgadl", options=own), (0, 1)),
        ),
        ("random", "bgadl"),
        Claims("bgadl", (("bgadl", "random"),), 0.5),
    )  # fmt: skip


def test_the_least_file(tmp_path: Path) -> None:
    found = study_file.read(write_study(tmp_path, "arms: [bgadl, random]\nseeds: [4]\n"))
    assert found == Protocol(
        (
            Arm("bgadl", RunConfig(method="bgadl"), (4,)),
            Arm("random", RunConfig(method="random"), (4,)),
        ),
        ("random",),
    )


def test_options_may_be_a_list(tmp_path: Path) -> None:
    text = "arms: [bgadl]\nseeds: [0]\nsettings:\n  options: [a.b=1, c=x=y]\n"
    (arm,) = study_file.read(write_study(tmp_path, text)).arms
    assert arm.config.options == ("a.b=1", "c=x=y")


def test_a_number_or_a_word(tmp_path: Path) -> None:
    for given in ("auto", 12):
        text = f"arms: [bgadl]\nseeds: [0]\nsettings: {{components: {given}}}\n"
        (arm,) = study_file.read(write_study(tmp_path, text)).arms
        assert arm.config.components == given


def with_settings(text: str) -> str:
    return f"arms: [bgadl]\nseeds: [0]\nsettings: {{{text}}}\n"


def with_arms(text: str) -> str:
    return f"arms: {text}\nseeds: [0]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "arms is empty; name at least one"),
        ("- bgadl", r"the file is \['bgadl'\]; expected a mapping with the keys arms, seeds"),
        ("arm: [bgadl]", r"unknown key arm \(did you mean 'arms'\?\); known: arms, seeds, set"),
        ("1: 2", "the key 1; expected a text"),
        ("rounds: 8", "'rounds' is a setting; put it under 'settings'"),
        ("seed: 8", "seed is no key of this file; list root seeds under 'seeds'"),
        ("jobs: 8", "jobs is no key of this file; give --jobs on the command line"),
        ("arms: [bgadl]", "arms.bgadl has no seeds; give a list"),
        ("arms: [bgadl]\nseeds: 3", r"seeds is 3; expected a list of integers"),
        ("arms: [bgadl]\nseeds: [a]", r"seeds is \['a'\]; expected a list of integers"),
        ("arms: [bgadl]\nseeds: [true]", r"seeds is \[True\]; expected"),
        ("arms: [bgadl]\nseeds: [-1]", "arms.bgadl: arm 'bgadl' has seed -1"),
        ("arms: [bgadl]\nseeds: []", "arms.bgadl: arm 'bgadl' has no seeds"),
        ("arms: [bgadl]\nseeds: [0]\nagainst: [bald]", "against names 'bald', which is no arm"),
        ("arms: [bgadl]\nseeds: [0]\nagainst: bgadl", "against is 'bgadl'; expected a list"),
        (with_arms("[bgadl]\nclaims: {wins: {pairs: [[bgadl, x]]}}"), "claims names 'x', which is"),
        (with_arms("[bgadl]\nclaims: 3"), "claims is 3; expected a mapping"),
        (with_arms("[bgadl, bgadl]"), "arms has 'bgadl' twice"),
        (with_arms("[]"), "there are no arms"),
        (with_arms("bgadl"), "arms is 'bgadl'; expected a list of names, or a mapping"),
        (with_arms("[{bgadl: 1}]"), "expected a list of texts"),
        (with_arms("[bgadll]"), r"arms.bgadll is no method \(did you mean 'bgadl'\?\); known: al-"),
        (with_arms("[plain+]"), "arms.plain\\+: learner was given without acquisition"),
        (with_arms("{bgadl: 3}"), "arms.bgadl is 3; expected a mapping of settings"),
        (with_arms("{bgadl: {step: 3}}"), r"unknown key arms.bgadl.step \(did you mean 'steps'"),
        (with_arms("{bgadl: {seed: 3}}"), "arms.bgadl.seed is no key .* under 'seeds'"),
        (with_arms("{bgadl: {method: bald}}"), "runs method 'bald', which its name denies"),
        (with_arms("{a+b: {method: bald}}"), "which its name denies; choose another name"),
        (with_arms("{x: {method: bagdl}}"), "arms.x: unknown method 'bagdl' .did you mean"),
        (with_arms("{x: {learner: plain}}"), "arms.x: learner was given without acquisition"),
        (with_arms("{x: {method: bald, learner: a}}"), "arms.x: method names a learner and"),
        (with_arms("{a/b: {method: bald}}"), "arms.a/b: arm 'a/b' cannot name a folder"),
        (with_settings("rouns: 8"), r"unknown key settings.rouns \(did you mean 'rounds'\?\)"),
        (with_settings("query-size: 8"), r"settings.query-size \(did you mean 'query_size'\?\)"),
        (with_settings("method: bald"), "settings.method is 'bald', which no arm runs"),
        (with_settings("data_dir: x"), "settings.data_dir is no key .* give --data-dir"),
        (with_settings("out: x"), "settings.out is no key .* give --out"),
        (with_settings("rounds: '8'"), "settings.rounds is '8'; expected an integer"),
        (with_settings("rounds: 8.0"), "settings.rounds is 8.0; expected an integer"),
        (with_settings("rounds: true"), "settings.rounds is True; expected an integer"),
        (with_settings("rounds: null"), "settings.rounds is None; expected an integer"),
        (with_settings("dataset: 8"), "settings.dataset is 8; expected a text"),
        (with_settings("warm_start: 1"), "settings.warm_start is 1; expected true or false"),
        (with_settings("dropout: 1e-3"), "expected a number; YAML reads 1e-3 as a text"),
        (with_settings("rounds: -1"), "arms.bgadl: rounds is -1; it must be at least 0"),
        (with_settings("components: many"), "components is 'many'; expected an integer or auto"),
        (with_settings("query_size: 0"), "arms.bgadl: query_size is 0"),
        (with_settings("precision: half"), "arms.bgadl: precision is 'half'; choose from float32"),
        (with_settings("options: 8"), "settings.options is 8; expected a mapping of names"),
        (with_settings("options: [a]"), "settings.options has 'a'; expected NAME=VALUE"),
        (with_settings("options: {a: [1]}"), r"settings.options.a is \[1\]; expected a number"),
        ("arms: [bgadl]\nseeds: [0]\nsettings: 8", "settings is 8; expected a mapping"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_with_file_key_and_remedy(
    tmp_path: Path, text: str, message: str
) -> None:
    path = write_study(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as caught:
        study_file.read(path)
    # Of what is nowhere in the file there is no line.
    nowhere = text in ("", "- bgadl", "1: 2")
    assert re.match(rf"{path}{'' if nowhere else ', line [1-4]'}: ", str(caught.value))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("arms:\n  bgadl:\n    step: 3\nseeds: [0]\n", 3),
        ("arms: [bgadl]\nseeds:\n- 0\n- a\n", 2),
        ("arms: [bgadl, bgadll]\nseeds: [0]\n", 1),
        ("arms: [bgadl]\nseeds: [0]\nsettings:\n  steps: 3\n  rounds: -1\n", 5),
        ("arms:\n  bgadl:\n  bald:\n    rounds: -1\nsettings:\n  rounds: 2\nseeds: [0]", 4),
        ("arms:\n  bgadl:\n    &a\n    rouns: 3\n  bald: {<<: *a}\nseeds: [0]\n", 4),
        ("arms: [bgadl]\nseeds: [0]\nsettings:\n  options:\n    a: 1\n    b: [2]\n", 6),
        ("arms: [bgadl]\nseeds: [0]\nclaims:\n  wins:\n    pairs:\n    - [a, b]\n    - [a]\n", 7),
        ("arms: [bgadl]\nseeds: [0]\nsettings:\n  method: bald\n", 4),
        ("seeds: [0]\narms:\n  x:\n    learner: plain\n    acquisition:\n", 4),
        ("arms: [bgadl]\nseeds: [0]\nagainst:\n- bald\n", 3),
    ],
)  # fmt: skip
def test_errors_name_the_line(tmp_path: Path, text: str, line: int) -> None:
    path = write_study(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        study_file.read(path)
    assert str(caught.value).startswith(f"{path}, line {line}: ")


def test_a_method_of_all_runs_is_that_of_arms_whose_names_say_none(tmp_path: Path) -> None:
    text = (
        "arms: {bald: null, wide: {options: {width: 2}}, other: {method: random}}\nseeds: [0]\n"
        "settings: {method: bgadl, steps: 7}\n"
    )
    found = study_file.read(write_study(tmp_path, text)).arms
    assert [arm.config.method for arm in found] == ["bald", "bgadl", "random"]
    assert {arm.config.steps for arm in found} == {7}
