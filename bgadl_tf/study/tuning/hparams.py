"""Trials for TensorBoard's HParams page, as event files in ``tensorboard/``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboard.plugins.hparams import summary_v2

from bgadl_tf.study.hparams import shown, write_experiment, write_session
from bgadl_tf.study.tuning.space import Choice, Dimension
from bgadl_tf.study.tuning.tuning_file import OBJECTIVES, Tuning

FOLDER = "tensorboard"
_SPACE = "space"


def write_space(out: Path, tuning: Tuning) -> None:
    """What varies, and what trials are measured by."""
    space = {dimension.name: _domain(dimension) for dimension in tuning.space}
    write_experiment(out / FOLDER / _SPACE, space, [*OBJECTIVES, "seconds"])


def write_trial(
    out: Path, name: str, values: Mapping[str, Any], scores: Mapping[str, float]
) -> None:
    """One trial, in the place of what was written of it before."""
    write_session(out / FOLDER / name, values, scores)


def _domain(dimension: Dimension) -> Any:
    if isinstance(dimension, Choice):
        values = [shown(value) for value in dimension.values]
        if len({type(value) for value in values}) > 1:
            # TensorBoard takes values of one type.
            return None
        return summary_v2.Discrete(values)
    if dimension.whole:
        return summary_v2.IntInterval(int(dimension.low), int(dimension.high))
    return summary_v2.RealInterval(float(dimension.low), float(dimension.high))
