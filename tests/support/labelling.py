"""A small run on a folder of images that nobody has labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.train import train
from tests.support import photos

CLASSES = (0, 1, 2)
ROWS = photos.rows_of(CLASSES, stop=150)
"""Of the digits that are in the pool."""


def right(id_: str) -> str:
    """The class of an image of the pool."""
    return photos.NAMES[photos.digits()[1][int(Path(id_).stem)]]


def begin(folder: Path, **settings: Any) -> Path:
    """Write ``folder/photos`` and begin a run on it, which then waits for labels.

    Args:
        folder: Empty.
        settings: Other than those of a run that takes seconds.

    Returns:
        The run folder.
    """
    photos.save_digits(folder / "photos", ROWS, "unlabelled")
    config = RunConfig(**{
        "dataset": f"folder:{folder / 'photos'}", "method": "bald", "classifier": "lenet",
        "image_size": 28, "new_classes": [photos.NAMES[c] for c in CLASSES],
        "initial_size": 6, "query_size": 4, "rounds": 2, "steps": 5, "batch_size": 8,
        "mc_samples": 3, **settings,
    })  # fmt: skip
    assert train(config, folder / "run").waiting_for is not None
    return folder / "run"
