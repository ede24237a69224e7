"""Where a run must not go: among the images that it reads. Needs no TensorFlow."""

from __future__ import annotations

from pathlib import Path

from bgadl_tf.core.errors import ConfigError


def refuse_inside(out: Path, dataset: str) -> None:
    """Make sure that a run does not become part of the folder that it reads its images from.

    Args:
        out: The run folder.
        dataset: What stands after ``--dataset``.

    Raises:
        ConfigError: It would.
    """
    kind, _, argument = dataset.partition(":")
    if kind != "folder" or not argument:
        return
    images = Path(argument).expanduser().resolve()
    if images.is_dir() and out.resolve().is_relative_to(images):
        raise ConfigError(
            f"--out {out} is inside the dataset {images}, whose images the run's own pictures "
            "would join; choose a folder elsewhere"
        )
