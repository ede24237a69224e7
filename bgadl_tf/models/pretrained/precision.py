"""A frozen network in another arithmetic."""

from __future__ import annotations

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.models.pretrained import cloning
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
    network = backbone.network
    try:
        if cloning.is_subclassed(network):
            raise TypeError("it is a subclassed model, whose layers cannot be told apart")
        copy = cloning.copied(network, precision)
    except Exception as error:  # layers raise whatever they like
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"model {network.name!r} cannot be made to compute in {precision}: {reason[:300]}; "
            "use --precision float32"
        ) from error
    return Backbone(copy, backbone.example_shape, backbone.pixels)
