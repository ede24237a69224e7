"""A pixel range that a network's own rescaling denies is said, and not more."""

from __future__ import annotations

import logging

import keras
import pytest

from bgadl_tf.models.pretrained.pixels import Pixels
from bgadl_tf.models.pretrained.rescaling import rescaling_layers, warn_of_range


def network(*layers: keras.layers.Layer) -> keras.Model:
    inner = keras.Sequential([keras.Input((8, 8, 3)), *layers])
    return keras.Sequential([keras.Input((8, 8, 3)), inner, keras.layers.Flatten()], name="net")


@pytest.mark.parametrize(
    ("scale", "pixels", "said"),
    [
        (1 / 255, Pixels(0.0, 1.0), True),
        (1 / 128, Pixels(-1.0, 1.0), True),
        (1 / 255, Pixels(0.0, 255.0), False),
        (2.0, Pixels(0.0, 1.0), False),
    ],
)
def test_a_range_that_a_layer_denies_is_said(
    caplog: pytest.LogCaptureFixture, scale: float, pixels: Pixels, said: bool
) -> None:
    model = network(keras.layers.Rescaling(scale, name="scaled"))
    assert [layer.name for layer in rescaling_layers(model)] == ["scaled"]
    with caplog.at_level(logging.WARNING):
        warn_of_range(model, pixels)
    assert ("is the pixel range 0,255?" in caplog.text) == said
