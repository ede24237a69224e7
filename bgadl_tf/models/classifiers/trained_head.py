"""A trained network whose last layers become a stochastic head, dropout of ours before each."""

from __future__ import annotations

import keras

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Shape
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.classifiers.keras_model import KerasModelClassifier
from bgadl_tf.models.pretrained import cloning, cut, stages
from bgadl_tf.models.pretrained.backbone import Backbone
from bgadl_tf.models.pretrained.pixels import Pixels


def behind_layer(
    model: keras.Model,
    name: str,
    rate: float,
    *,
    pixels: Pixels | None = None,
    shape: Shape | None = None,
) -> Classifier:
    """A classifier whose features are what a layer gives; its head is all that stands behind it.

    Args:
        model: Ends in logits. It is copied and stays as it is.
        name: Of the layer.
        rate: Of dropout before each dense layer of the head, instead of Dropout layers there.
        pixels: What it expects of images; None for [0, 1].
        shape: Of an example, where it leaves sides open.

    Raises:
        ConfigError: There is no such layer, or other layers than a head is made of stand behind it.
    """
    cut.refuse_unusable(model, name)
    model = cloning.copied(model)
    features = model.get_layer(name).output
    head: list[keras.layers.Layer] = []
    tensor = model.outputs[0]
    while tensor is not features:
        layer, node, _ = tensor._keras_history
        if not stages.is_link(layer):
            raise ConfigError(
                f"layer {layer.name!r} ({type(layer).__name__}) of model {model.name!r} stands "
                f"behind {name!r}, where only Dense, elementwise activations and Dropout can be; "
                "name a later one"
            )
        head.insert(0, layer)
        tensor = layer._inbound_nodes[node].input_tensors[0]
    if len(features.shape) != 2:
        raise ConfigError(
            f"layer {name!r} of model {model.name!r} gives {features.shape}; expected features "
            "[B, F]: name one behind the pooling"
        )
    links = [layer for layer in head if not isinstance(layer, keras.layers.Dropout)]
    found, _ = stages.stages_of(links)
    if not found:
        raise ConfigError(
            f"layer {name!r} of model {model.name!r} is its last one; name one before it"
        )
    network = keras.Model(model.inputs[0], features, name=model.name)
    classifier = KerasModelClassifier(
        Backbone(network, cut.example_shape(network, shape), pixels),
        found[-1].dense.units,
        rate,
        hidden=[stage.dense.units for stage in found[:-1]],
        activations=[stage.activation for stage in found[:-1]],
    )
    classifier.give_head([stage.dense for stage in found])
    return classifier
