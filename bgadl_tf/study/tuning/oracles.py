"""keras-tuner's four searches over a space, as they are needed here.

A search that goes on begins anew and asks for the same trials again, whose runs it finds finished:
keras-tuner's own state would not bring it back. It is written without protection against a crash,
that of a grid lacks which combinations are open, and that of ``bayesian`` its random state.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus
from sklearn.exceptions import ConvergenceWarning

from bgadl_tf.core import durable
from bgadl_tf.study.tuning.space import Choice, Dimension
from bgadl_tf.study.tuning.tuning_file import OBJECTIVES, Tuning


class _Oracle:
    """Lets workers live on when their chief has been started anew.

    It then is told of the end of trials that it does not know: it will ask for them again, and
    their runs will be found finished. keras-tuner would raise, with its lock held for ever.
    """

    trials: dict[str, Any]

    def get_trial(self, trial_id: str) -> Trial:
        known = self.trials.get(trial_id)
        return known or Trial(keras_tuner.HyperParameters(), trial_id)

    def update_trial(self, trial_id: str, metrics: Any, step: int = 0) -> Trial:
        if trial_id not in self.trials:
            return self.get_trial(trial_id)
        return super().update_trial(trial_id, metrics, step)  # type: ignore[misc]

    def end_trial(self, trial: Trial) -> None:
        if trial.trial_id in self.trials:
            super().end_trial(trial)  # type: ignore[misc]


class _Random(_Oracle, keras_tuner.oracles.RandomSearchOracle):
    pass


class _Grid(_Oracle, keras_tuner.oracles.GridSearchOracle):
    pass


class _Hyperband(_Oracle, keras_tuner.oracles.HyperbandOracle):
    pass


class _Bayesian(_Oracle, keras_tuner.oracles.BayesianOptimizationOracle):
    """Proposes again what it has proposed before: with several workers that hangs on who was first.

    Args:
        proposals: File of the proposals, a line each.
        settings: Of keras-tuner's oracle.
    """

    def __init__(self, proposals: Path, **settings: Any) -> None:
        super().__init__(**settings)
        self._proposals = proposals

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        records = durable.read_json_lines(self._proposals).records
        before = {record["trial"]: record["values"] for record in records}
        name = name_of(trial_id)
        if name in before:
            # As it draws its first trials, so that the next one is another.
            self._random_values()
            return {"status": TrialStatus.RUNNING, "values": before[name]}
        # What it draws follows from the trial's number, not from how often the search went on.
        self._random_state = np.random.RandomState([self.seed, int(trial_id)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            found: dict[str, Any] = super().populate_space(trial_id)
        if found["status"] == TrialStatus.RUNNING:
            found["values"] = {key: _plain(value) for key, value in found["values"].items()}
            durable.append_json_line(self._proposals, {"trial": name, "values": found["values"]})
        return found


def oracle_of(tuning: Tuning, out: Path) -> keras_tuner.Oracle:
    """What proposes trials.

    Args:
        tuning: The search; its options are typed.
        out: Its folder.
    """
    settings: dict[str, Any] = {
        "objective": keras_tuner.Objective(tuning.objective, OBJECTIVES[tuning.objective]),
        "hyperparameters": declared(tuning.space),
        # To keras-tuner 0 is no seed.
        "seed": tuning.seed + 1,
        # A failure is told, and no reason to leave the others unmade.
        "max_consecutive_failed_trials": sys.maxsize,
    }
    if tuning.tuner == "hyperband":
        return _Hyperband(
            max_epochs=tuning.max_epochs,
            factor=tuning.factor,
            hyperband_iterations=tuning.iterations,
            **settings,
        )
    settings["max_trials"] = tuning.trials
    if tuning.tuner == "bayesian":
        return _Bayesian(out / "proposals.jsonl", **settings)
    return {"random": _Random, "grid": _Grid}[tuning.tuner](**settings)


def declared(space: Iterable[Dimension]) -> keras_tuner.HyperParameters:
    """A space as keras-tuner has it.

    Values are declared as JSON: its choices are of one type, and numbers lose digits on the way to
    a worker.
    """
    found = keras_tuner.HyperParameters()
    for dimension in space:
        if isinstance(dimension, Choice):
            found.Choice(dimension.name, [json.dumps(value) for value in dimension.values])
            continue
        declare = found.Int if dimension.whole else found.Float
        sampling = "log" if dimension.log else "linear"
        declare(dimension.name, dimension.low, dimension.high, sampling=sampling)
    return found


def name_of(trial_id: str) -> str:
    """How a trial is called, however many there may be: keras-tuner pads with zeros by that."""
    return f"{int(trial_id):03}"


def values_of(trial: Trial, space: Iterable[Dimension]) -> dict[str, Any]:
    """Values of a trial by the names of the space."""
    proposed = trial.hyperparameters.values
    return {
        d.name: json.loads(proposed[d.name])
        if isinstance(d, Choice)
        else d.rounded(float(proposed[d.name]))
        for d in space
    }


def share_of(trial: Trial, tuning: Tuning) -> float:
    """The share of the gradient steps that a trial has: all, but for Hyperband's early ones."""
    if tuning.tuner != "hyperband":
        return 1.0
    return float(trial.hyperparameters.values["tuner/epochs"]) / tuning.max_epochs


def _plain(value: Any) -> Any:
    """Without NumPy, which JSON does not know."""
    return value.item() if hasattr(value, "item") else value
