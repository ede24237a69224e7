"""Layers by which a network rescales pixels itself, and what they tell of a pixel range."""

from __future__ import annotations

import logging

import keras
import numpy as np

from bgadl_tf.models.pretrained.pixels import Pixels

SMALL = 0.02
"""A layer that multiplies by less is meant for pixels up to 255, and not up to 1."""

logger = logging.getLogger(__name__)


def rescaling_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Those of a model, of models within it, too."""
    inside = model._flatten_layers(include_self=False)
    kinds = (keras.layers.Rescaling, keras.layers.Normalization)
    return [layer for layer in inside if isinstance(layer, kinds)]


def warn_of_range(model: keras.Model, pixels: Pixels) -> None:
    """Say where a model is given pixels of another range than its own first layers are made for."""
    for layer in rescaling_layers(model):
        if not isinstance(layer, keras.layers.Rescaling):
            continue
        scale = float(np.max(np.abs(layer.scale)))
        if scale < SMALL and abs(pixels.high - pixels.low) <= 2.0:
            logger.warning(
                "model %r is given pixels from %g to %g, and its layer %r multiplies them by %.3g, "
                "as if they went up to 255: is the pixel range 0,255?",
                model.name, pixels.low, pixels.high, layer.name, scale,
            )  # fmt: skip
            return
