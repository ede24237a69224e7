"""Trials for TensorBoard's HParams page, as event files in ``tensorboard/``."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorboard.plugins.hparams import api

from bgadl_tf.study.tuning.space import Choice, Dimension
from bgadl_tf.study.tuning.tuning_file import OBJECTIVES, Tuning

FOLDER = "tensorboard"
_SPACE = "space"


def write_space(out: Path, tuning: Tuning) -> None:
    """What varies, and what trials are measured by."""
    metrics = [api.Metric(name, display_name=name) for name in (*OBJECTIVES, "seconds")]
    with _fresh(out / FOLDER / _SPACE):
        api.hparams_config([api.HParam(d.name, _domain(d)) for d in tuning.space], metrics)


def write_trial(
    out: Path, name: str, values: Mapping[str, Any], scores: Mapping[str, float]
) -> None:
    """One trial, in the place of what was written of it before."""
    with _fresh(out / FOLDER / name):
        api.hparams({key: _shown(value) for key, value in values.items()}, trial_id=name)
        for key, value in scores.items():
            tf.summary.scalar(key, value, step=0)


def _fresh(folder: Path) -> Any:
    shutil.rmtree(folder, ignore_errors=True)
    return tf.summary.create_file_writer(str(folder)).as_default()


def _domain(dimension: Dimension) -> Any:
    if isinstance(dimension, Choice):
        shown = [_shown(value) for value in dimension.values]
        if len({type(value) for value in shown}) > 1:
            # TensorBoard takes values of one type.
            return None
        return api.Discrete(shown)
    if dimension.whole:
        return api.IntInterval(int(dimension.low), int(dimension.high))
    return api.RealInterval(float(dimension.low), float(dimension.high))


def _shown(value: object) -> bool | int | float | str:
    return value if isinstance(value, bool | int | float | str) else "none"
