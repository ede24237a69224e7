"""A frozen network in another arithmetic."""

from __future__ import annotations

import keras

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.models.pretrained.backbone import Backbone


def in_precision(backbone: Backbone, precision: str) -> Backbone:
    """A backbone that computes in a policy of Keras, with the same float32 weights.

    Args:
        backbone: In float32.
        precision: ``float32`` or ``mixed_bfloat16``.

    Raises:
        ConfigError: Its layers cannot be copied.
    """
    if precision == "float32":
        return backbone

    def converted(layer: keras.layers.Layer) -> keras.layers.Layer:
        return type(layer).from_config({**layer.get_config(), "dtype": precision})

    network = backbone.network
    try:
        copy = keras.models.clone_model(network, clone_function=converted, recursive=True)
        copy.set_weights(network.get_weights())
    except Exception as error:  # layers raise whatever they like
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"model {network.name!r} cannot be made to compute in {precision}: {reason[:300]}; "
            "use --precision float32"
        ) from error
    return Backbone(copy, backbone.example_shape, backbone.pixels)
