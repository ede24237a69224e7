"""The runs of a study for TensorBoard's HParams page, as event files in ``hparams/``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bgadl_tf.core import durable
from bgadl_tf.study import learning_curve, runs
from bgadl_tf.study.hparams import FILES, shown, write_session
from bgadl_tf.study.protocol import path_of
from bgadl_tf.study.runs import Run

FOLDER = "hparams"
_OF_THE_ARM = ("method", "learner", "acquisition")


def write(out: Path, finished: Sequence[Run]) -> None:
    """One session a run, in the place of all that were written before.

    TensorBoard finds out itself what varies: a description of it would hold for one study, and
    it may look at several.

    Args:
        out: Folder of the study.
        finished: Its finished runs.

    Raises:
        RunFolderError: A file cannot be written.
    """
    before = [*(out / FOLDER).glob(f"**/seed_*/{FILES}")]
    written = set()
    for run, values in zip(finished, values_of(finished), strict=True):
        folder = out / FOLDER / path_of(run.dataset_name, run.arm) / f"seed_{run.seed}"
        write_session(folder, values, _scores(run))
        written.add(folder)
    for path in before:
        # Of a run that is gone; others have been replaced.
        if path.parent not in written:
            with durable.reporting(path):
                path.unlink(missing_ok=True)


def values_of(found: Sequence[Run]) -> list[dict[str, Any]]:
    """Arm, seed and dataset of every run, and those settings and options in which runs differ."""
    settings = runs.differing_settings(found).keys() | {*_OF_THE_ARM}
    own = [_plain({key: run.config.get(key) for key in settings} | _options(run)) for run in found]
    seen: dict[str, list[Any]] = {}
    for values in own:
        for key, value in values.items():
            seen.setdefault(key, []).append(value)
    differing = {key: values for key, values in seen.items() if len({*values}) > 1}
    # TensorBoard takes values of one type.
    mixed = {key for key, values in differing.items() if len({*map(_kind, values)}) > 1}
    return [
        {
            **{k: str(v) if k in mixed else v for k, v in values.items() if k in differing},
            "arm": run.arm,
            "seed": run.seed,
            "dataset": run.dataset,
        }
        for run, values in zip(found, own, strict=True)
    ]


def _options(run: Run) -> dict[str, Any]:
    """As tuning files spell them."""
    values = {f"options.{name}": v for name, v in _mapping(run, "options").items()}
    for owner, own in _mapping(run, "acquisition_options").items():
        values |= {f"options.{owner}.{name}": value for name, value in own.items()}
    return values


def _mapping(run: Run, key: str) -> Mapping[str, Any]:
    found = run.config.get(key)
    return found if isinstance(found, dict) else {}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: shown(v) for key, v in values.items() if not isinstance(v, list | dict)}


def _kind(value: object) -> type:
    return float if type(value) is int else type(value)


def _scores(run: Run) -> dict[str, float]:
    curve = run.curve
    return {
        "accuracy": float(curve.accuracy[-1]),
        "aubc": learning_curve.aubc(curve),
        "labels": float(curve.labelled[-1]),
    }
