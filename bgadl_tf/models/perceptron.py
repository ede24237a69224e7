"""Perceptrons with BatchNorm on features: the projector and the predictor of SimSiam."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from bgadl_tf.models.batch_norm import BatchNorm
from bgadl_tf.models.groups import ALONE, Groups


@keras.saving.register_keras_serializable("bgadl_tf")
class Perceptron(keras.Model):
    """(Dense -> BatchNorm -> ReLU) x hidden, then Dense, perhaps with BatchNorm.

    Args:
        inputs: Width F of what it takes.
        widths: Of the dense layers; the last is the output's, d.
        normalises_output: Whether BatchNorm follows the last layer, too.
    """

    def __init__(
        self, inputs: int, widths: Sequence[int], normalises_output: bool = False, **kw: object
    ) -> None:
        super().__init__(**kw)
        self.inputs_width, self.widths = inputs, tuple(widths)
        self.normalises_output = normalises_output
        policy = self.dtype_policy
        *hidden, last = self.widths
        normalised = [*hidden, last] if normalises_output else hidden
        self.stages = [
            *(
                keras.layers.Dense(
                    width, use_bias=False, kernel_initializer="he_normal", dtype=policy
                )
                for width in hidden
            ),
            keras.layers.Dense(last, use_bias=not normalises_output, dtype=policy),
        ]
        self.norms = [BatchNorm(dtype=policy) for _ in normalised]
        self(keras.KerasTensor((None, inputs)))

    def call(
        self, features: tf.Tensor, training: bool = False, groups: Groups = ALONE
    ) -> tf.Tensor:
        """Outputs ``[B, d]`` float32 of features ``[B, F]``.

        Args:
            features: Of one batch, or of several one after the other.
            training: Whether BatchNorm uses the statistics of the batch.
            groups: Which parts of the batch BatchNorm sees by themselves.
        """
        hidden = features
        for number, stage in enumerate(self.stages):
            hidden = stage(hidden)
            if number < len(self.norms):
                hidden = self.norms[number](hidden, training=training, groups=groups)
            if number < len(self.stages) - 1:
                hidden = keras.ops.relu(hidden)
        return keras.ops.cast(hidden, "float32")

    def get_config(self) -> dict[str, object]:
        return {
            "inputs": self.inputs_width,
            "widths": self.widths,
            "normalises_output": self.normalises_output,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
