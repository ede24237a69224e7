"""Tiny backbones in files."""

from __future__ import annotations

from pathlib import Path

import keras

from bgadl_tf.core.types import Shape


def tiny(shape: Shape = (8, 8, 1), features: int = 6, seed: int = 1) -> keras.Model:
    """A network from images to features, with a BatchNorm that has seen nothing."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Conv2D(8, 3),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(features, activation="tanh"),
        ],
        name="tiny",
    )


def save_tiny(
    path: Path, shape: Shape = (8, 8, 1), features: int = 6, seed: int = 1
) -> dict[str, str]:
    """Save one; the settings that name it."""
    tiny(shape, features, seed).save(path)
    return {"backbone": f"model:{path}", "pixel_range": "0,1"}
