"""How far reconstructions are from examples: in their values, in D's hidden features, or both."""

from __future__ import annotations

import tensorflow as tf

from bgadl_tf.learners.information import InformationOptions
from bgadl_tf.models.discriminator import Discriminator
from bgadl_tf.models.losses import reconstruction


def reconstruction_error(
    options: InformationOptions,
    discriminator: Discriminator,
    examples: tf.Tensor,
    reconstructed: tf.Tensor,
) -> tf.Tensor:
    """What E and G minimise, as ``options.reconstruction`` says.

    Source: Larsen et al. 2016, equation 7, of a Gaussian of D's hidden features around those of x'.

    Args:
        options: Say what is compared.
        discriminator: D; its weights are those of the step and get no gradient of this.
        examples: ``[B, *shape]``, images in [0, 1].
        reconstructed: The same shape.

    Returns:
        ``[B]`` float32.
    """
    if options.reconstruction == "examples":
        return reconstruction(examples, reconstructed)
    wanted = tf.stop_gradient(discriminator.hidden(examples))
    squares = tf.square(discriminator.hidden(reconstructed) - wanted)
    values = float(tf.TensorShape(examples.shape[1:]).num_elements())
    each = tf.reduce_mean(squares, [*range(1, squares.shape.rank)])
    error = options.feature_weight * values * each
    if options.reconstruction == "both":
        error += reconstruction(examples, reconstructed)
    return error
