"""Classifiers that were trained elsewhere, as files."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from bgadl_tf.core.types import Images, Labels

Layers = keras.layers


def digits_model(images: Images, labels: Labels) -> keras.Model:
    """A small network of 8x8 digits that scales pixels itself, trained for a moment; no dropout."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([
        keras.Input((8, 8, 1)), Layers.Rescaling(1 / 255), Layers.Conv2D(8, 3, activation="relu"),
        Layers.GlobalMaxPooling2D(), Layers.Dense(16, activation="relu", name="hidden"),
        Layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(images, labels, epochs=4, verbose=0)
    return model


def vector_model(features: int = 12) -> keras.Model:
    """Two classes of vectors in one unit, untrained."""
    inputs = keras.Input((features,))
    hidden = Layers.Dense(6, activation="relu")(inputs)
    return keras.Model(inputs, Layers.Dense(1, activation="sigmoid")(hidden))


def of_any_size(channels: int = 3) -> keras.Model:
    """Three classes of images of any size, untrained."""
    inputs = keras.Input((None, None, channels))
    hidden = Layers.GlobalAveragePooling2D()(Layers.Conv2D(4, 3)(inputs))
    return keras.Model(inputs, Layers.Dense(3)(hidden))


def saved(model: keras.Model, path: Path) -> Path:
    """The path that the model is saved to."""
    model.save(path)
    return path


def shifted(model: keras.Model) -> keras.Model:
    """The same model with other weights in its last layer."""
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel + 0.1, np.flip(bias)])
    return model
