from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.study.tuning import tuning_file
from bgadl_tf.study.tuning.space import Choice, Range
from tests.support.study.tuning import TUNE, tuning_yaml

LEAST = "trials: 2\nsettings: {learner: plain}\nspace: {steps: [1, 2]}\n"


def test_a_whole_file(tmp_path: Path) -> None:
    found = tuning_file.read(tuning_yaml(tmp_path))
    assert (found.tuner, found.trials, found.objective) == ("random", 4, "aubc")
    assert found.seeds == (100, 101)
    assert found.space == (
        Choice("steps", (100, 200, 300, 400, 500, 600, 700, 800, 900)),
        Range("dropout", 0.1, 0.5),
        Choice("warm_start", (True, False)),
        Range("options.vaeacgan.kl_weight", 1.0e-4, 1, log=True),
    )


def test_the_least_file(tmp_path: Path) -> None:
    found = tuning_file.read(tuning_yaml(tmp_path, LEAST))
    assert (found.tuner, found.seeds, found.seed) == ("bayesian", (100, 101), 0)


def test_a_grid_has_as_many_trials_as_there_are(tmp_path: Path) -> None:
    grid = (
        "tuner: grid\nsettings: {learner: plain}\nspace: {steps: [1, 2], dropout: [0, 0.5, 0.6]}\n"
    )
    assert tuning_file.read(tuning_yaml(tmp_path, grid)).trials == 6
    assert tuning_file.read(tuning_yaml(tmp_path, grid + "trials: 4\n")).trials == 4
    assert tuning_file.read(tuning_yaml(tmp_path, grid + "trials: 9\n")).trials == 6


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("batch_size: {min: 8, max: 64, step: 2, log: true}", (8, 16, 32, 64)),
        ("batch_size: {min: 8, max: 13, step: 2}", (8, 10, 12)),
        ("dropout: {min: 0.1, max: 0.3, step: 0.1}", (0.1, 0.2, 0.3)),
        ("dropout: [0, 0.5]", (0.0, 0.5)),
        ("components: [auto, 16, null]", ("auto", 16, None)),
        ("options: {a.b: {min: 1, max: 3, step: 1}}", (1, 2, 3)),
    ],
)
def test_values(tmp_path: Path, given: str, expected: tuple[object, ...]) -> None:
    text = f"tuner: grid\nsettings: {{learner: plain}}\nspace: {{{given}}}\n"
    (dimension,) = tuning_file.read(tuning_yaml(tmp_path, text)).space
    assert isinstance(dimension, Choice)
    assert dimension.values == expected
    assert [type(value) for value in dimension.values] == [type(value) for value in expected]


def test_ranges_have_the_type_of_the_setting(tmp_path: Path) -> None:
    text = (
        "trials: 1\nsettings: {learner: plain}\n"
        "space: {steps: {min: 1, max: 9}, dropout: {min: 0, max: 0.5}}\n"
    )
    assert tuning_file.read(tuning_yaml(tmp_path, text)).space == (
        Range("steps", 1, 9, whole=True),
        Range("dropout", 0, 0.5),
    )


def with_settings(text: str) -> str:
    return f"trials: 2\nspace: {{steps: [1, 2]}}\nsettings:\n  method: bgadl\n  {text}\n"


def with_space(text: str) -> str:
    return (
        f"trials: 2\nsettings: {{learner: plain}}\nspace:\n  warm_start: [true, false]\n  {text}\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": space is empty"),
        ("tunner: grid\n" + LEAST, r", line 1: unknown key tunner \(did you mean 'tuner'\?\)"),
        ("tuner: gird\n" + LEAST, ", line 1: tuner is 'gird'; choose from random, bayesian"),
        ("rounds: 3\n" + LEAST, ", line 1: 'rounds' is a setting; put it under 'settings'"),
        ("objective: loss\n" + LEAST, "objective is 'loss'; choose from aubc, accuracy, nll"),
        ("seeds: [99, 100]\n" + LEAST, ", line 1: seeds has 99; seeds below 100 are for reports"),
        ("seeds: []\n" + LEAST, "seeds is .*; expected one or more"),
        ("seeds: [100, 100]\n" + LEAST, "seeds is .*; expected one or more, each once"),
        ("seed: -1\n" + LEAST, "seed is -1; expected an integer from 0 on"),
        ("trials: 0\nspace: {steps: [1, 2]}", "trials is 0; expected an integer from 1 on"),
        ("space: {steps: [1, 2]}", "trials is missing, which bayesian needs"),
        ("factor: 3\n" + LEAST, ", line 1: factor is of hyperband, but tuner is 'bayesian'"),
        ("tuner: hyperband\n" + LEAST, "space.steps is the budget of Hyperband"),
        ("tuner: hyperband\ntrials: 2\nspace: {dropout: [0, 0.5]}", ", line 2: trials is 2, but"),
        ("tuner: grid\nspace: {dropout: {min: 0, max: 0.5}}", "space.dropout has no step"),
        ("trials: 2\nspace: {steps: [1, 2]}", "settings must name what is tuned"),
        ("trials: 2\nsettings: {method: bgdl}\nspace: {steps: [1, 2]}", ", line 2: unknown method"),
        (with_settings("steps: 3"), ", line 5: s"),
        (with_settings("seed: 3"), ", line 5: .*'seeds'"),
        (with_settings("roundz: 3"), ", line 5: .*'rounds'"),
        (with_settings("part: 3"), ", line 5: "),
        (with_space("stepz: [1, 2]"), r", line 5: unknown key space.stepz \(did you mean 'steps'"),
        (with_space("rounds: [1, 2]"), ", line 5: space.rounds is of the protocol"),
        (with_space("steps: [1, x]"), ", line 5: space.steps is 'x'; expected an integer"),
        (with_space("steps: [1]"), "space.steps is .1.; expected two or more different values"),
        (with_space("steps: 3"), "space.steps is 3; expected a list of values, or a range"),
        (with_space("steps: {min: 1, mx: 2}"), r"unknown key space.steps.mx \(did you mean 'max'"),
        (with_space("steps: {min: 1}"), "space.steps.max is None; expected a number"),
        (with_space("steps: {min: 3, max: 2}"), "space.steps is from 3 to 2; expected min below"),
        (with_space("steps: {min: 1.5, max: 2}"), "steps is from 1.5 to 2; expected integers"),
        (with_space("steps: {min: 0, max: 2, log: true}"), "space.steps.min is 0; with log"),
        (with_space("steps: {min: 1, max: 2, step: 0}"), "steps.step is 0; expected a number"),
        (with_space("steps: {min: 1, max: 2, step: 1, log: true}"), "step is 1; expected a factor"),
        (with_space("steps: {min: 1, max: 2, step: 0.5}"), "which makes .* expected integers"),
        (with_space("dropout: {min: 1e-3, max: 1}"), "is '1e-3'; expected a number; YAML reads"),
        (with_space("classifier: {min: 1, max: 2}"), "is a range, but no number is expected"),
        (with_space("options: {a: 3}"), "space.options.a is 3; expected a list of values"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_with_line_and_key(tmp_path: Path, text: str, message: str) -> None:
    path = tuning_yaml(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as caught:
        tuning_file.read(path)
    assert str(caught.value).startswith(str(path))


def test_trials_are_of_the_learner_on_the_random_arm_and_the_development_half(
    tmp_path: Path,
) -> None:
    tuned = tuning_file.read(tuning_yaml(tmp_path)).tuned
    found = {"steps": 200, "options.vaeacgan.kl_weight": 0.5}
    trial = tuned.trial(found)
    assert (trial.learner, trial.acquisition, trial.method) == ("vaeacgan", "random", None)
    assert (trial.part, trial.steps) == ("1/2", 200)
    assert trial.options[0] == "vaeacgan.unlabelled=true"  # The method's, which come first.
    assert trial.options[-2:] == ("vaeacgan.width=0.25", "vaeacgan.kl_weight=0.5")
    assert tuned.trial(found, 1 / 27).steps == 7
    assert tuned.trial({"steps": 1}, 1 / 27).steps == 1
    assert tuned.best(found) == RunConfig(
        method="bgadl-semi", dataset="digits", rounds=2, steps=200,
        options=("vaeacgan.width=0.25", "vaeacgan.kl_weight=0.5"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "trial", "best"),
    [
        ("method: bgadl", ("vaeacgan", "random"), ("bgadl", None, None)),
        ("method: bgadl, acquisition: bald", ("vaeacgan", "bald"), ("bgadl", None, None)),
        ("method: bald, acquisition: margin", ("plain", "margin"), (None, "plain", "margin")),
        ("learner: plain", ("plain", "random"), (None, "plain", "random")),
        ("learner: plain, acquisition: bald", ("plain", "bald"), (None, "plain", "bald")),
    ],
)
def test_which_acquisition_asks(
    tmp_path: Path, settings: str, trial: tuple[str, str], best: tuple[str | None, ...]
) -> None:
    text = f"trials: 2\nsettings: {{{settings}}}\nspace: {{steps: [1, 2]}}\n"
    tuned = tuning_file.read(tuning_yaml(tmp_path, text)).tuned
    one, all_ = tuned.trial({"steps": 1}), tuned.best({"steps": 1})
    assert (one.learner, one.acquisition) == trial
    assert (all_.method, all_.learner, all_.acquisition) == best


def test_a_part_may_be_chosen(tmp_path: Path) -> None:
    text = TUNE.replace("  rounds: 2", "  rounds: 2\n  part: 3/3")
    tuned = tuning_file.read(tuning_yaml(tmp_path, text)).tuned
    assert (tuned.trial({}).part, tuned.best({}).part, tuned.other_part) == ("3/3", None, "1/3")
    text = TUNE.replace("  rounds: 2", "  rounds: 2\n  part: 1/1")
    assert tuning_file.read(tuning_yaml(tmp_path, text)).tuned.other_part is None
