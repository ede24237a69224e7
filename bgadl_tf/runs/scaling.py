"""What becomes of the features of a run before they are learnt from."""

from __future__ import annotations

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json, Shape
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.projection import Projection
from bgadl_tf.loop.journal import Journal
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.pipeline import PROJECTION


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


def scaled(dataset: Dataset, config: RunConfig, journal: Journal) -> Dataset:
    """A dataset by the projection of the run that goes on, or by one fitted on its training set.

    Args:
        dataset: As it was loaded, or as a backbone sees it.
        config: With ``scaling`` chosen.
        journal: Of the run.

    Raises:
        ConfigError: There are fewer components or examples than ``--components``.
        DataError: A vector is not finite, or of another width than in the run that goes on.
    """
    if config.scaling == "none" and config.components is None:
        return dataset
    kept = journal.kept(0, PROJECTION)
    if kept is not None:
        return Projection.from_arrays(kept).of(dataset)
    standard = config.scaling == "standard"
    return Projection.fit(dataset.train.examples, config.components, standard).of(dataset)
