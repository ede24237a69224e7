"""Finished and unfinished runs, read back from their folders."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core import durable
from bgadl_tf.core.errors import BgadlError, RunFolderError
from bgadl_tf.core.types import Json
from bgadl_tf.runs.config import MACHINE_SETTINGS
from bgadl_tf.runs.methods import METHODS
from bgadl_tf.study.learning_curve import Curve

NOT_PROTOCOL = (
    "method", "learner", "acquisition", "options", "acquisition_options", "seed", "data_dir",
    "fingerprint", "backbone_file",
    *MACHINE_SETTINGS,
)  # fmt: skip
"""Entries of config.json in which the runs of one study may differ."""

CHOSEN_FOR_REFERENCES = ("initial_size", "rounds")
"""Further entries in which a run on the whole training set differs from the others."""


@dataclass(frozen=True, eq=False)
class Run:
    """One run folder.

    Attributes:
        folder: Where it is.
        config: Its ``config.json``.
        rounds: The lines of its ``rounds.jsonl``, finished rounds in order.
        arm_name: What its study calls its arm, if it is of one.
        dataset_name: What its study calls its dataset; empty where it names none.
    """

    folder: Path
    config: Json
    rounds: tuple[Json, ...]
    arm_name: str | None = None
    dataset_name: str = ""

    @property
    def arm(self) -> str:
        """The name its study gave it, else its method."""
        return self.arm_name or self.method

    @property
    def dataset(self) -> str:
        """The name its study gave it, else what stands after ``--dataset``."""
        return self.dataset_name or str(self.config.get("dataset", ""))

    @property
    def method(self) -> str:
        """Its method; that of its learner and acquisition; or ``LEARNER+ACQUISITION``."""
        if self.config.get("method"):
            return str(self.config["method"])
        pair = (self.config.get("learner"), self.config.get("acquisition"))
        options = self.config.get("options") or {}
        for name in METHODS.names():
            method = METHODS.get(name)
            same = (method.learner, method.acquisition) == pair and not method.whole_set
            if same and all(options.get(k, v) == v for k, v in method.options.items()):
                return name
        return f"{pair[0]}+{pair[1]}"

    @property
    def seed(self) -> int:
        """Root seed; runs of different arms with one seed share their initial set."""
        return int(self.config["seed"])

    @property
    def is_reference(self) -> bool:
        """Whether it trained on the whole training set once and has no learning curve."""
        return self.method in METHODS.names() and METHODS.get(self.method).whole_set

    @property
    def planned_rounds(self) -> int:
        """Lines ``rounds.jsonl`` holds when the run is over."""
        return 1 if self.is_reference else int(self.config["rounds"]) + 1

    @property
    def finished(self) -> bool:
        """Whether every planned round is there."""
        return len(self.rounds) >= self.planned_rounds

    @property
    def other_test_sets(self) -> list[int]:
        """Rounds from which on the test set was another one than before."""
        before = [0, *(record.get("test_set", 0) for record in self.rounds)]
        return [
            int(record["round"])
            for record, old in zip(self.rounds, before, strict=False)
            if record.get("test_set", 0) != old
        ]

    @property
    def measured(self) -> Run:
        """The rounds that make a learning curve: those with an accuracy, labels growing.

        What was declined cost a label, and is counted with them. Where labelled images have gone,
        earlier rounds that had more labels are left out.
        """
        kept: list[Json] = []
        declined = 0
        for record in self.rounds:
            declined += int(record.get("facts", {}).get("declined", 0))
            if declined:
                record = {**record, "labelled": record.get("labelled", 0) + declined}
            if record.get("test_accuracy", 0.0) is None:
                continue
            while kept and _has_more_labels(kept[-1], record):
                kept.pop()
            kept.append(record)
        return dataclasses.replace(self, rounds=tuple(kept))

    @property
    def curve(self) -> Curve:
        """Accuracy against labels used, where it was measured.

        Raises:
            RunFolderError: No round is finished, or the rounds are out of order.
        """
        rounds = self.measured
        try:
            return Curve(rounds.column("labelled"), rounds.column("test_accuracy"))
        except ValueError as error:
            raise RunFolderError(f"{self.folder} has no learning curve: {error}") from None

    def column(self, key: str) -> NDArray[np.float64]:
        """One number of every round, float64 ``[R]``.

        Raises:
            RunFolderError: A round lacks it.
        """
        try:
            return np.array([float(record[key]) for record in self.rounds], dtype=np.float64)
        except (KeyError, TypeError, ValueError):
            raise RunFolderError(
                f"{self.folder / 'rounds.jsonl'} lacks a number {key!r} in some round; "
                "it was not written by this package, or damaged"
            ) from None


def read(folder: Path, arm_name: str | None = None, dataset_name: str = "") -> Run:
    """Reads a run folder without changing it; the run may be going on.

    Args:
        folder: The run folder.
        arm_name: What its study calls its arm, if it is of one.
        dataset_name: What its study calls its dataset; empty where it names none.

    Raises:
        RunFolderError: It is no run folder, or damaged.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunFolderError(f"{folder} is no run folder: it has no config.json") from None
    except (OSError, ValueError) as error:
        raise RunFolderError(f"cannot read {path}: {error}") from None
    needed = ("seed", "rounds")
    if not isinstance(config, dict) or not all(_is_count(config.get(key)) for key in needed):
        raise RunFolderError(f"{path} is not the config of a run: it needs {' and '.join(needed)}")
    try:
        rounds = durable.read_json_lines(folder / "rounds.jsonl", mend=False).records
    except BgadlError as error:
        raise RunFolderError(str(error)) from None
    return Run(folder, config, rounds, arm_name, dataset_name)


def folders(out: Path, dataset: str = "") -> list[Path]:
    """Every run folder of a study on one dataset, whichever version made it.

    Args:
        out: Folder of the study.
        dataset: What it calls the dataset: runs are in ``out/<dataset>/<arm>/seed_<n>``, or in
            ``out/<arm>/seed_<n>`` where it names none.
    """
    return [path.parent for path in sorted((out / dataset).glob("*/seed_*/config.json"))]


def by_arm(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Runs grouped by arm in the order of first appearance, each group ordered by seed.

    Raises:
        RunFolderError: Two runs of one arm have the same seed.
    """
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.arm, []).append(run)
    for arm, group in groups.items():
        group.sort(key=lambda run: run.seed)
        for one, other in itertools.pairwise(group):
            if one.seed == other.seed:
                raise RunFolderError(
                    f"{one.folder} and {other.folder} are both {arm} with seed {one.seed}; "
                    "runs of an arm need seeds of their own"
                )
    return groups


def differing_settings(runs: Iterable[Run]) -> dict[str, list[Any]]:
    """Settings of the protocol that runs do not share, each with its values as they appear."""
    values: dict[str, list[Any]] = {}
    for run in runs:
        own = (*NOT_PROTOCOL, *(CHOSEN_FOR_REFERENCES if run.is_reference else ()))
        for key in run.config.keys() - set(own):
            found = values.setdefault(key, [])
            if run.config[key] not in found:
                found.append(run.config[key])
    return {key: found for key, found in sorted(values.items()) if len(found) > 1}


def seeds_on_several_datasets(runs: Iterable[Run]) -> list[int]:
    """Seeds whose runs are not on the same examples, as after a folder has grown between two."""
    found: dict[int, set[str]] = {}
    for run in runs:
        if run.config.get("fingerprint"):
            found.setdefault(run.seed, set()).add(run.config["fingerprint"])
    return sorted(seed for seed, fingerprints in found.items() if len(fingerprints) > 1)


def _has_more_labels(earlier: Json, later: Json) -> bool:
    """Whether labelled examples have gone between two rounds, which are in order."""
    if not earlier.get("round", 0) < later.get("round", 0):
        return False
    return bool(earlier.get("labelled", 0) >= later.get("labelled", 0))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
