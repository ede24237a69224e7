"""Dense parts of E, G and D: a vector to hidden units, and hidden units to a vector."""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.models.batch_norm import BatchNorm
from bgadl_tf.models.blocks import activated
from bgadl_tf.models.groups import ALONE, Groups


@keras.saving.register_keras_serializable("bgadl_tf")
class DenseTrunk(keras.layers.Layer):
    """One dense layer with BatchNorm and an activation: what ``Downsampling`` is to images.

    Args:
        units: Width.
        slope: Negative slope of the activation; 0 is ReLU.
    """

    def __init__(self, units: int, slope: float, **kw: object) -> None:
        super().__init__(**kw)
        self.units, self.slope = units, slope
        self.dense = keras.layers.Dense(
            units, use_bias=False, kernel_initializer="he_normal", dtype=self.dtype_policy
        )
        self.norm = BatchNorm(dtype=self.dtype_policy)

    def build(self, input_shape: Shape) -> None:
        self.dense.build(input_shape)
        self.norm.build((None, self.units))
        self.built = True

    def maps(self, vectors: tf.Tensor, training: bool = False, groups: Groups = ALONE) -> tf.Tensor:
        """Its only hidden units, ``[B, units]``, of vectors ``[B, F]``."""
        hidden = self.norm(self.dense(vectors), training=training, groups=groups)
        return activated(hidden, self.slope)

    def call(self, vectors: tf.Tensor, training: bool = False, groups: Groups = ALONE) -> tf.Tensor:
        return self.maps(vectors, training, groups)

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, int]:
        return (input_shape[0], self.units)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "units": self.units, "slope": self.slope}


@keras.saving.register_keras_serializable("bgadl_tf")
class DenseDecoder(keras.layers.Layer):
    """A linear layer onto the vector: features have no range to be squeezed into.

    Args:
        features: F.
    """

    def __init__(self, features: int, **kw: object) -> None:
        super().__init__(**kw)
        self.features = features
        self.dense = keras.layers.Dense(features, dtype=self.dtype_policy)

    def build(self, input_shape: Shape) -> None:
        self.dense.build(input_shape)
        self.built = True

    def call(self, hidden: tf.Tensor, training: bool = False, groups: Groups = ALONE) -> tf.Tensor:
        """Vectors ``[B, F]`` float32; no part of it looks at the batch."""
        return keras.ops.cast(self.dense(hidden), "float32")

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, int]:
        return (input_shape[0], self.features)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "features": self.features}
