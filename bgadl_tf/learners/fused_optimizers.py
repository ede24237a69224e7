"""Keras' optimizers, each variable updated by one of TensorFlow's own kernels.

The arithmetic is Keras' own, but Keras spells it out in a dozen elementary operations, each of
which reads and writes a tensor of the variable's size.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("bgadl_tf")
class Adam(keras.optimizers.Adam):
    """Adam (Kingma and Ba 2015); with ``amsgrad``, as Keras spells it out."""

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        if self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        slot = self._get_variable_index(variable)
        gradient, rate, step = _like(variable, gradient, learning_rate, self.iterations + 1)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[slot]),
            v=_handle(self._velocities[slot]),
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


@keras.saving.register_keras_serializable("bgadl_tf")
class Adadelta(keras.optimizers.Adadelta):
    """Adadelta (Zeiler 2012)."""

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        slot = self._get_variable_index(variable)
        gradient, rate = _like(variable, gradient, learning_rate)
        tf.raw_ops.ResourceApplyAdadelta(
            var=_handle(variable),
            accum=_handle(self._accumulated_grads[slot]),
            accum_update=_handle(self._accumulated_delta_vars[slot]),
            lr=rate,
            rho=self.rho,
            epsilon=self.epsilon,
            grad=gradient,
        )


@keras.saving.register_keras_serializable("bgadl_tf")
class MomentumSGD(keras.optimizers.SGD):
    """Gradient descent with momentum (Polyak 1964), perhaps Nesterov's (1983)."""

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        if not self.momentum:
            super().update_step(gradient, variable, learning_rate)
            return
        slot = self._get_variable_index(variable)
        gradient, rate = _like(variable, gradient, learning_rate)
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=_handle(variable),
            accum=_handle(self.momentums[slot]),
            lr=rate,
            grad=gradient,
            momentum=self.momentum,
            use_nesterov=self.nesterov,
        )


def _like(variable: Any, *values: Any) -> list[tf.Tensor]:
    return [tf.cast(value, variable.dtype) for value in values]


def _handle(variable: Any) -> tf.Tensor:
    """The resource behind a variable of Keras or of TensorFlow, on this replica."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle
