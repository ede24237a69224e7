from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf import cli
from bgadl_tf.core.lock import LOCK
from bgadl_tf.runs import config_file
from bgadl_tf.study import study_file
from tests.support.held import held
from tests.support.study import hparams
from tests.support.study.tuning import BEST, TUNE, Runs, call, quick_runs, tuning_yaml

__all__ = ["quick_runs"]

Capture = pytest.CaptureFixture[str]

GRID = """
tuner: grid
seeds: [100]
settings: {learner: plain, dataset: digits, rounds: 0}
space: {steps: [100, 300, 500], dropout: [0.25, 0.5]}
"""
BAYESIAN = """
tuner: bayesian
trials: 7
seeds: [100]
settings: {learner: plain, dataset: digits, rounds: 0}
space:
  steps: {min: 100, max: 900}
  classifier: [lenet, gal_cnn]
"""
RANDOM = BAYESIAN.replace("bayesian", "random")
HYPERBAND = """
tuner: hyperband
max_epochs: 9
seeds: [100]
settings: {learner: plain, dataset: digits, rounds: 0, steps: 90}
space: {dropout: {min: 0, max: 0.9}}
"""


def results(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "results.json").read_text())
    return found


def test_a_search_from_its_file_to_what_it_found(
    quick_runs: Runs, tmp_path: Path, capfd: Capture
) -> None:
    out = tmp_path / "out"
    assert call("tune", tuning_yaml(tmp_path), "--out", out) == 0
    told = capfd.readouterr().out
    assert "random: 4 trials of bgadl-semi, each of 2 runs, with random queries, on part" in told
    assert "on part 1/2 of digits and seeds 100 and 101" in told
    assert f"bgadl train --config {out}/best.yaml --part 2/2 --seed 0" in told
    (head,) = (line for line in told.splitlines() if line.startswith("| trial"))
    assert head.replace("|", "").split()[:4] == ["trial", "steps", "dropout", "warm_start"]
    trials = results(out)["trials"]
    assert [trial["trial"] for trial in trials] != ["000", "001", "002", "003"]  # Best first.
    assert {trial["trial"] for trial in trials} == {"000", "001", "002", "003"}
    best = trials[0]
    assert all(abs(best["steps"] - BEST) <= abs(trial["steps"] - BEST) for trial in trials)
    accuracy = 0.9 - abs(best["steps"] - BEST) / 10_000 - 100.5 / 100_000
    assert best["scores"]["accuracy"] == pytest.approx(accuracy)
    # By trapezoids over 20, 30 and 40 labels.
    assert best["scores"]["aubc"] == pytest.approx((0.5 + (0.5 + accuracy) / 2) / 2)
    assert best["scores"]["seconds"] == 2 * 3 * 1.75
    assert len(quick_runs.made) == 8
    assert {path.relative_to(out).parts[0] for path in quick_runs.made} == {"trials"}


def test_a_search_from_inside_its_folder_with_a_space_in_its_name(
    quick_runs: Runs, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a search"
    out.mkdir()
    monkeypatch.chdir(out)
    assert call("tune", tuning_yaml(tmp_path, GRID), "--out", ".") == 0
    last = capfd.readouterr().out.splitlines()[-1]
    assert last.endswith(f"--config best.yaml --part 2/2 --seed 0 --out '{out}-confirmed'")


def test_what_it_found_is_what_train_and_studies_take(quick_runs: Runs, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call("tune", tuning_yaml(tmp_path), "--out", out) == 0
    best = results(out)["trials"][0]
    config = config_file.config_of(out / "best.yaml", {})
    assert (config.method, config.dataset, config.rounds) == ("bgadl-semi", "digits", 2)
    assert (config.steps, config.part, config.seed) == (best["steps"], None, 0)
    assert config.warm_start is best["values"]["warm_start"]
    weight = best["values"]["options.vaeacgan.kl_weight"]
    assert dict(option.split("=") for option in config.options) == {
        "vaeacgan.width": "0.25", "vaeacgan.kl_weight": str(weight),
    }  # fmt: skip
    text = (out / "best.yaml").read_text()
    settings = "\n  ".join(line for line in text.splitlines() if not line.startswith("#"))
    study = tmp_path / "study.yaml"
    study.write_text(f"arms: [bgadl-semi, random]\nseeds: [0]\nsettings:\n  {settings}\n")
    first, second = study_file.read(study).arms
    assert first.config == config
    assert (second.config.method, second.config.steps) == ("random", config.steps)
    study.write_text(f"seeds: [0]\narms:\n tuned:\n  {settings}\n")
    assert study_file.read(study).arms[0].config == config


def test_tensorboard_shows_the_trials(quick_runs: Runs, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):  # Going on writes nothing twice.
        assert call("tune", tuning_yaml(tmp_path), "--out", out) == 0
    trial = results(out)["trials"][0]
    values, scores = hparams.session(out / "tensorboard" / trial["trial"])
    assert values == trial["values"]
    assert scores == pytest.approx(trial["scores"])
    names, measured = hparams.experiment(out / "tensorboard" / "space")
    assert names == trial["values"].keys()
    assert measured == scores.keys()


@pytest.mark.parametrize(("text", "trials"), [(GRID, 6), (BAYESIAN, 7), (HYPERBAND, 23)])
def test_an_interrupted_search_ends_as_one_that_was_not(
    quick_runs: Runs, tmp_path: Path, text: str, trials: int
) -> None:
    file = tuning_yaml(tmp_path, text)
    assert call("tune", file, "--out", tmp_path / "whole") == 0
    made = len(quick_runs.made)
    for stop in (2, made // 2):
        quick_runs.made.clear()
        quick_runs.interrupted_at = stop
        assert call("tune", file, "--out", tmp_path / "out") == cli.INTERRUPTED
    quick_runs.interrupted_at = 10**9
    assert call("tune", file, "--out", tmp_path / "out") == 0
    assert results(tmp_path / "out") == results(tmp_path / "whole")
    assert len(results(tmp_path / "out")["trials"]) == trials


def test_a_grid_is_all_combinations(quick_runs: Runs, tmp_path: Path) -> None:
    assert call("tune", tuning_yaml(tmp_path, GRID), "--out", tmp_path / "out") == 0
    found = [trial["values"] for trial in results(tmp_path / "out")["trials"]]
    pairs = {(values["steps"], values["dropout"]) for values in found}
    assert pairs == {(s, d) for s in (100, 300, 500) for d in (0.25, 0.5)}


def test_hyperbands_budget_is_gradient_steps(
    quick_runs: Runs, tmp_path: Path, capfd: Capture
) -> None:
    out = tmp_path / "out"
    assert call("tune", tuning_yaml(tmp_path, HYPERBAND), "--out", out) == 0
    trials = results(out)["trials"]
    assert {trial["steps"] for trial in trials} == {10, 30, 90}
    assert trials[0]["steps"] == 90  # One that went on to the end, whatever others came to.
    assert config_file.read(out / "best.yaml")["steps"] == 90
    # Those that went on had been tried with fewer steps.
    early = {trial["values"]["dropout"] for trial in trials if trial["steps"] == 10}
    late = {trial["values"]["dropout"] for trial in trials if trial["steps"] == 30}
    assert early & late
    assert "(11% of the steps)" in capfd.readouterr().out


def test_failed_trials_are_told_and_the_others_made(
    quick_runs: Runs, tmp_path: Path, capfd: Capture
) -> None:
    quick_runs.fails_above = 100
    out = tmp_path / "out"
    assert call("tune", tuning_yaml(tmp_path, GRID), "--out", out) == 0
    assert "6 trials, 4 of them failed" in capfd.readouterr().out
    failed = [trial for trial in results(out)["trials"] if trial["failed"]]
    assert len(failed) == 4
    assert failed[0]["failed"].endswith("seed 100: train: too many steps")
    assert config_file.read(out / "best.yaml")["steps"] == 100


def test_values_that_do_not_go_together_are_a_failed_trial(
    quick_runs: Runs, tmp_path: Path, capfd: Capture
) -> None:
    text = GRID.replace("{steps: [100, 300, 500]", "{strategy: [mirrored, one_device]")
    file = tuning_yaml(tmp_path, text.replace("dropout: [0.25, 0.5]", "cpu_replicas: [1, 2]"))
    assert call("tune", file, "--out", tmp_path / "out") == 0
    (failed,) = (trial for trial in results(tmp_path / "out")["trials"] if trial["failed"])
    assert failed["values"] == {"strategy": "one_device", "cpu_replicas": 2}
    assert "--cpu-replicas is 2 but --strategy is one_device" in failed["failed"]


def test_when_every_trial_fails_the_command_does(
    quick_runs: Runs, tmp_path: Path, capfd: Capture
) -> None:
    quick_runs.fails_above = 0
    assert call("tune", tuning_yaml(tmp_path, GRID), "--out", tmp_path / "out") == 1
    assert "6 trials, 6 of them failed; logs are in" in capfd.readouterr().out
    assert not (tmp_path / "out" / "best.yaml").exists()


def test_another_search_in_the_folder_is_refused_and_more_trials_are_not(
    quick_runs: Runs, tmp_path: Path, capfd: Capture
) -> None:
    out, file = tmp_path / "out", tuning_yaml(tmp_path, RANDOM)
    assert call("tune", file, "--out", out) == 0
    file.write_text(RANDOM.replace("max: 900", "max: 800").replace("[100]", "[101]"))
    assert call("tune", file, "--out", out) == cli.BAD_INPUT
    error = capfd.readouterr().err
    assert "seeds was [100], now [101]; space.steps was {" in error
    assert error.count("\n") == 1
    made = len(quick_runs.made)
    file.write_text(RANDOM.replace("trials: 7", "trials: 11"))
    assert call("tune", file, "--out", out) == 0
    assert len(quick_runs.made) <= made + 4
    assert len(results(out)["trials"]) == 11


def test_a_folder_of_something_else_is_refused(
    quick_runs: Runs, tmp_path: Path, capfd: Capture
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").touch()
    assert call("tune", tuning_yaml(tmp_path), "--out", out) == cli.BAD_INPUT
    assert "holds 'letter.txt' and no search" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("vaeacgan.kl_weight", "vaeacgan.kl_wieght", "line 15: .*did you mean 'vaeacgan.kl_w"),
        ("{vaeacgan.width", "{vaeacgan.widht", "line 9: .*'widht' is not .*did you mean 'width'"),
        ("warm_start: [true, false]", "classifier: [lenett, mlp]", "line 13: unknown classifier"),
        ("max: 0.5}", "max: 1.5}", "line 12: dropout is 1.5; it must be in"),
        ("{min: 1.0e-4, max: 1, log: true}", "[a, b]", "line 15: space.options.vaeacgan.kl_weight"),
        ("method: bgadl-semi", "learner: palin", "line 6: unknown learner 'palin' .did you mean"),
        ("options:\n    vaeacgan", "options:\n    coreset", "line 15: .* is not a setting of this"),
    ],
)  # fmt: skip
def test_names_are_looked_up_before_anything_is_made(
    quick_runs: Runs, tmp_path: Path, capfd: Capture, old: str, new: str, message: str
) -> None:
    assert old in TUNE
    file = tuning_yaml(tmp_path, TUNE.replace(old, new))
    assert call("tune", file, "--out", tmp_path / "out") == cli.BAD_INPUT
    (error,) = capfd.readouterr().err.splitlines()
    assert re.search(message, error)
    assert not (tmp_path / "out").exists()


def test_options_have_the_types_of_their_learner(quick_runs: Runs, tmp_path: Path) -> None:
    text = TUNE.replace("{min: 1.0e-4, max: 1, log: true}", "{min: 0, max: 1}")
    file = tuning_yaml(tmp_path, text + "    vaeacgan.batch_augmentation: {min: 1, max: 9}\n")
    for _ in range(2):  # It is the same search when it goes on.
        assert call("tune", file, "--out", tmp_path / "out") == 0
    values = [trial["values"] for trial in results(tmp_path / "out")["trials"]]
    assert any(0 < value["options.vaeacgan.kl_weight"] < 1 for value in values)
    assert {type(value["options.vaeacgan.batch_augmentation"]) for value in values} == {int}


def test_two_at_once_are_refused(quick_runs: Runs, tmp_path: Path, capfd: Capture) -> None:
    file, out = tuning_yaml(tmp_path), tmp_path / "out"
    with held(out / LOCK):
        assert call("tune", file, "--out", out) == cli.BAD_INPUT
    assert f"another process is searching in {out}" in capfd.readouterr().err
    assert not quick_runs.made
