"""What a run's examples have gone through before they were learnt from, from its folder alone."""

from __future__ import annotations

from pathlib import Path

from bgadl_tf.core.errors import BgadlError, ConfigError, RunFolderError
from bgadl_tf.core.types import Json
from bgadl_tf.data.embedded import Embedded
from bgadl_tf.data.projection import Projection
from bgadl_tf.export import pipeline
from bgadl_tf.export.pipeline import Pipeline
from bgadl_tf.loop.journal import Journal
from bgadl_tf.models.pretrained.backbone import Backbone, load_backbone
from bgadl_tf.models.pretrained.choice import NetworkChoice
from bgadl_tf.models.pretrained.precision import in_precision

PROJECTION = "projection"
"""What a journal calls the projection of a run."""


def described(embedded: Embedded | None) -> Json:
    """What ``config.json`` says of the backbone that a dataset's vectors are the features of."""
    if embedded is None:
        return {}
    return {
        "image_shape": list(embedded.image_shape),
        "backbone_fingerprint": embedded.fingerprint,
        "backbone_file": str(embedded.backbone.resolve()),
        "embedded": {
            "resize": embedded.resize,
            "store": embedded.store,
            "precision": embedded.precision,
        },
    }


def pipeline_of(config: Json, journal: Journal) -> Pipeline:
    """Backbone and projection of a run.

    Args:
        config: Its ``config.json``, of this version or of an earlier one.
        journal: Of the run; it need not be open.

    Raises:
        ConfigError: The backbone cannot be had, or is another one by now.
        RunFolderError: The projection is missing or damaged.
    """
    kept = journal.kept(0, PROJECTION)
    projected = config.get("scaling", "none") != "none" or config.get("components") is not None
    if projected and kept is None:
        raise RunFolderError(
            f"the run folder lacks arrays/{PROJECTION}, by which its features were standardised; "
            "restore it from a copy"
        )
    projection = Projection.from_arrays(kept) if kept is not None and projected else None
    if "backbone_file" not in config:
        return Pipeline(projection=projection, resize=config.get("resize", "stretch"))
    settings = config["embedded"]
    backbone = in_precision(_backbone(config), settings["precision"])
    return Pipeline(backbone, projection, settings["store"], settings["resize"])


def _backbone(config: Json) -> Backbone:
    """That which was kept beside the features, or else the one that the run was begun with."""
    kept, fingerprint = Path(config["backbone_file"]), config["backbone_fingerprint"]
    spec = config.get("backbone")
    try:
        return pipeline.load(kept, fingerprint)
    except ConfigError as error:
        if spec is None:
            raise ConfigError(
                f"the backbone that the features of this run are of cannot be had: {error}"
            ) from error
        gone = error
    choice = NetworkChoice(spec, config.get("weights"), config.get("pixel_range"))
    try:
        found = load_backbone(choice, tuple(config["image_shape"]))
    except BgadlError as error:
        raise ConfigError(
            f"the backbone of this run cannot be had: neither as it was kept ({gone}) nor as "
            f"{spec!r} ({error})"
        ) from error
    if found.fingerprint() != fingerprint:
        raise ConfigError(
            f"the backbone of this run is gone ({gone}), and {spec!r} is another one by now; "
            "restore one of them"
        )
    return found
