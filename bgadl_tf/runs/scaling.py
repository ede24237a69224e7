"""What becomes of the features of a run before they are learnt from."""

from __future__ import annotations

import math

from bgadl_tf.core.errors import ConfigError, RunFolderError
from bgadl_tf.core.types import Json, Shape
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.projection import Projection
from bgadl_tf.loop.journal import Journal
from bgadl_tf.loop.plan import Plan
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.pipeline import PROJECTION

LABELS_A_COMPONENT, LEAST = 16, 16
"""Of ``--components auto``: measured on the development halves of CIFAR-10 and CIFAR-100, see
scripts/results/components/. Statistics has long asked for 10 to 20 examples a predictor (Harrell,
Regression Modeling Strategies, 2001, section 4.4)."""


def chosen(config: RunConfig, name: str, shape: Shape, resumed: Json) -> str:
    """``--scaling``: as asked for, as in the run that goes on, or the default.

    Args:
        config: The settings.
        name: Of the dataset.
        shape: Of an example, before it is scaled.
        resumed: The ``config.json`` of a run that goes on; empty for a new one.

    Raises:
        ConfigError: It is asked for, and there are images.
    """
    if len(shape) == 3:
        scaled = config.scaling is not None and config.scaling != resumed.get("scaling")
        if scaled or config.components is not None:
            flag = "--scaling" if config.components is None else "--components"
            raise ConfigError(
                f"{flag} is given, but dataset {name!r} holds images; leave it out, or "
                "learn in features, with --backbone"
            )
        return "none"
    return config.scaling or (resumed.get("scaling", "none") if resumed else "standard")


def counted(config: RunConfig, plan: Plan, most: int, resumed: Json) -> int | None:
    """``--components``, and what ``auto`` stands for: as in the run that goes on, or chosen now.

    Chosen is the power of two nearest to a sixteenth of the labels that the plan ends with, at
    least 16: few labels cannot tell which of many components matter. No label is looked at.

    Args:
        config: The settings.
        plan: Of the run.
        most: Components that there can be.
        resumed: The ``config.json`` of a run that goes on; empty for a new one.

    Returns:
        Principal components to keep; None for all, without turning them.

    Raises:
        RunFolderError: The run that goes on keeps all components.
    """
    if config.components != "auto":
        return config.components
    if not resumed:
        labels = (plan.initial_size or 0) + plan.rounds * plan.query_size
        found = 1 << round(math.log2(max(labels / LABELS_A_COMPONENT, LEAST)))
        return min(found, most)
    if resumed.get("components") is None:
        raise RunFolderError(
            "--components is auto, but the run in this folder was begun with all components; "
            "leave it out to resume it, or use another --out"
        )
    return int(resumed["components"])


def scaled(dataset: Dataset, config: RunConfig, journal: Journal) -> Dataset:
    """A dataset by the projection of the run that goes on, or by one fitted on its training set.

    Args:
        dataset: As it was loaded, or as a backbone sees it.
        config: With ``scaling`` chosen, and ``components`` counted.
        journal: Of the run.

    Raises:
        ConfigError: There are fewer components or examples than ``--components``.
        DataError: A vector is not finite, or of another width than in the run that goes on.
    """
    components = config.components
    if components == "auto":
        raise ConfigError(
            "--components is auto, which is to be a number before features are scaled"
        )
    if config.scaling == "none" and components is None:
        return dataset
    kept = journal.kept(0, PROJECTION)
    if kept is not None:
        return Projection.from_arrays(kept).of(dataset)
    standard = config.scaling == "standard"
    return Projection.fit(dataset.train.examples, components, standard).of(dataset)
