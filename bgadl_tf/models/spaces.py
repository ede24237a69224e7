"""Example spaces: images, or vectors such as the features of a backbone.

A space is known by the shape of one example, and decides what examples are stored as, what
networks see of them, and which form E, G and D take: convolutional or dense. Trainer, scorer, pool
and journal know nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Shape
from bgadl_tf.models.blocks import scaled
from bgadl_tf.models.convolutional import Downsampling, Upsampling
from bgadl_tf.models.dense import DenseDecoder, DenseTrunk

SMALLEST, LARGEST = 8, 96
"""Pixels a side that the convolutional E, G and D draw and read."""


class Space(Protocol):
    """What kind of examples there are."""

    @property
    def shape(self) -> Shape:
        """Of one example."""

    @property
    def name(self) -> str:
        """What a batch of examples is called in a served model."""

    @property
    def dtype(self) -> tf.DType:
        """Of stored examples."""

    @property
    def can_be_drawn(self) -> bool:
        """Whether ``trunk`` and ``decoder`` can be built for its shape."""

    def to_float(self, examples: tf.Tensor) -> tf.Tensor:
        """What networks see: float32 of the same shape."""

    def from_float(self, values: tf.Tensor) -> tf.Tensor:
        """Examples as they are stored, from what a generator made."""

    def trunk(self, width: float, slope: float, dtype: Any) -> keras.layers.Layer:
        """From examples ``[B, *shape]`` to hidden units: the common part of E and D.

        Args:
            width: Multiplies the channel and unit counts.
            slope: Negative slope of the activations; 0 is ReLU.
            dtype: Policy of the layer.

        Raises:
            ConfigError: The networks cannot be built for this shape.
        """

    def decoder(self, width: float, dtype: Any) -> keras.layers.Layer:
        """From hidden units to examples as floats: the last part of G.

        Raises:
            ConfigError: The networks cannot be built for this shape.
        """

    def hidden_units(self, width: float) -> int:
        """Units of G's first hidden layer."""


@dataclass(frozen=True)
class ImageSpace:
    """Images ``uint8 [H, W, D]``; networks see float32 in [0, 1].

    Args:
        shape: (H, W, D).
    """

    shape: Shape

    @property
    def name(self) -> str:
        return "images"

    @property
    def dtype(self) -> tf.DType:
        return tf.uint8

    @property
    def can_be_drawn(self) -> bool:
        height, width, _ = self.shape
        return SMALLEST <= min(height, width) <= max(height, width) <= LARGEST

    def to_float(self, examples: tf.Tensor) -> tf.Tensor:
        """Integers 0 .. 255 to float32 in [0, 1]; what is float already is taken as it is."""
        if examples.dtype.is_integer:
            return tf.cast(examples, tf.float32) / 255.0
        return tf.cast(examples, tf.float32)

    def from_float(self, values: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.round(tf.clip_by_value(values, 0.0, 1.0) * 255.0), tf.uint8)

    def trunk(self, width: float, slope: float, dtype: Any) -> keras.layers.Layer:
        self._refuse_size()
        return Downsampling(self.shape, scaled(64, width), scaled(1024, width), slope, dtype=dtype)

    def decoder(self, width: float, dtype: Any) -> keras.layers.Layer:
        self._refuse_size()
        return Upsampling(self.shape, width, dtype=dtype)

    def hidden_units(self, width: float) -> int:
        return scaled(1024, width)

    def _refuse_size(self) -> None:
        height, width, _ = self.shape
        if not self.can_be_drawn:
            raise ConfigError(
                f"encoder, generator and discriminator work on {SMALLEST} to {LARGEST} pixels a "
                f"side, and images are {height}x{width}: give --image-size, or learn in features "
                "(--backbone keras:NAME or model:FILE.keras), or choose a learner that generates "
                "nothing"
            )


@dataclass(frozen=True)
class VectorSpace:
    """Vectors ``float32 [F]``, such as the features of a frozen backbone.

    Args:
        shape: (F,).
    """

    shape: Shape

    @property
    def name(self) -> str:
        return "features"

    @property
    def dtype(self) -> tf.DType:
        return tf.float32

    @property
    def can_be_drawn(self) -> bool:
        return True

    def to_float(self, examples: tf.Tensor) -> tf.Tensor:
        return tf.cast(examples, tf.float32)

    def from_float(self, values: tf.Tensor) -> tf.Tensor:
        return values

    def trunk(self, width: float, slope: float, dtype: Any) -> keras.layers.Layer:
        return DenseTrunk(self.hidden_units(width), slope, dtype=dtype)

    def decoder(self, width: float, dtype: Any) -> keras.layers.Layer:
        return DenseDecoder(self.shape[0], dtype=dtype)

    def hidden_units(self, width: float) -> int:
        return scaled(256, width)


def space_of(shape: Shape) -> Space:
    """The space of examples of a shape: (H, W, D) or (F,).

    Raises:
        ConfigError: The shape is neither.
    """
    spaces: dict[int, Callable[[Shape], Space]] = {1: VectorSpace, 3: ImageSpace}
    if len(shape) not in spaces or not all(side > 0 for side in shape):
        raise ConfigError(f"examples have shape {shape}; expected (H, W, D) or (F,)")
    return spaces[len(shape)](shape)
