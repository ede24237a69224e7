"""Synthesised images as files, for the person who is asked about them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from bgadl_tf.core import durable
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Id
from bgadl_tf.data.images.png import to_png
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.checkpoints import reporting_write_errors

logger = logging.getLogger(__name__)

FOLDER = "synthesised"


def write(loop: ActiveLearner, asked: Sequence[Id], out: Path) -> None:
    """Write ``synthesised/ID.png`` of every synthesised image that is asked about.

    Args:
        loop: Knows the examples.
        asked: Ids, of whatever kind.
        out: The run folder.

    Raises:
        ConfigError: What was synthesised is no image, so that nobody can say what it shows.
        RunFolderError: A file cannot be written.
    """
    ids = [id_ for id_ in asked if id_ not in loop.dataset.train]
    if not ids:
        return
    if len(loop.dataset.shape) != 3:
        raise ConfigError(
            f"{len(ids)} synthesised examples are asked about, and they are features, which "
            "nobody can look at; use an acquisition that asks about the pool, or learn from pixels"
        )
    folder = out / FOLDER
    with reporting_write_errors(folder):
        folder.mkdir(exist_ok=True)
        for id_, image in zip(ids, loop.examples.of(ids), strict=True):
            durable.atomic_write_bytes(folder / f"{id_}.png", to_png(image))
    logger.warning("%d images that were synthesised are in %s", len(ids), folder)
