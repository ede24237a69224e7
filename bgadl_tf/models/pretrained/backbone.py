"""A network from images to features, with what it expects of pixels."""

from __future__ import annotations

import re
from typing import Any

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Shape
from bgadl_tf.models.pretrained import applications, cloning, cut, files, fingerprint, rescaling
from bgadl_tf.models.pretrained.choice import NetworkChoice
from bgadl_tf.models.pretrained.pixels import Pixels
from bgadl_tf.models.spaces import space_of


@keras.saving.register_keras_serializable("bgadl_tf")
class Backbone(keras.Model):
    """The deterministic part of a user's classifier, or the frozen network of a feature space.

    A network that ends in a feature map ``[B, h, w, F]`` is averaged over its places.

    Args:
        network: From one tensor of examples to features ``[B, F]`` or a feature map.
        shape: Of an example: (H, W, D) or (F,).
        pixels: What the network expects of images.

    Raises:
        ConfigError: It cannot take such examples.
    """

    def __init__(
        self, network: keras.Model, shape: Shape, pixels: Pixels | None = None, **kw: object
    ) -> None:
        # Not cast: in bfloat16 neighbouring values of pixels would become the same.
        super().__init__(autocast=False, **kw)
        self.network, self.example_shape = network, tuple(shape)
        self.pixels = pixels or Pixels()
        try:
            self(keras.KerasTensor((None, *self.example_shape)))
        except ValueError as error:
            raise ConfigError(
                f"model {network.name!r} cannot take examples of shape {self.example_shape} "
                f"({_reason(error)}); give images of another size (--image-size), or another model"
            ) from error

    def call(self, examples: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Features ``[B, F]`` of examples ``[B, *shape]``, images in [0, 1] or as integers.

        Args:
            examples: As they are stored or as floats.
            training: Whether the network runs as in training.
        """
        if tf.as_dtype(examples.dtype).is_integer:
            examples = space_of(self.example_shape).to_float(examples)
        if len(self.example_shape) == 3:
            examples = self.pixels(examples, _channels_of(self.network, self.example_shape))
        features = self.network(examples, training=training)
        if len(features.shape) == 4:
            features = keras.ops.mean(features, axis=(1, 2))
        return features

    def fingerprint(self) -> str:
        """The same for networks of the same layers, wiring, weights and pixels."""
        return fingerprint.of(self.network, self.example_shape, self.pixels.to_json())

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        inputs = (input_shape[0], *self.example_shape)
        if len(self.example_shape) == 3:
            inputs = (*inputs[:-1], _channels_of(self.network, self.example_shape))
        if cloning.is_subclassed(self.network):  # these need not say it
            shape = self.network(keras.KerasTensor(inputs)).shape
        else:
            shape = self.network.compute_output_shape(inputs)
        return (shape[0], int(shape[-1]))

    def get_config(self) -> dict[str, object]:
        return {
            "network": keras.saving.serialize_keras_object(self.network),
            "shape": self.example_shape,
            "pixels": self.pixels.to_json(),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: object = None) -> Backbone:
        network = keras.saving.deserialize_keras_object(
            config["network"], custom_objects=custom_objects
        )
        return cls(network, tuple(config["shape"]), Pixels(**config["pixels"]), name=config["name"])


def load_backbone(choice: NetworkChoice, shape: Shape) -> Backbone:
    """The network that a choice names, for examples of a shape, without its last classifying layer.

    Raises:
        ConfigError: It cannot be had, takes other examples, or gives no features.
    """
    if choice.kind == "keras":
        # A copy, whose weights are all that it computes by.
        network = cloning.copied(applications.create(choice.argument, shape, choice.weights))
        return Backbone(network, shape, applications.pixels_of(choice.argument))
    model = files.load(choice.file)
    pixels = Pixels.said(choice.pixel_range, choice.spec)
    rescaling.warn_of_range(model, pixels)
    network, _ = cut.trunk_of(model, None, choice.layer, shape)
    return Backbone(network, cut.example_shape(network, shape), pixels)


def _reason(error: ValueError) -> str:
    """What Keras says went wrong, without where and in colours."""
    lines = re.sub(r"\x1b\[\d*m", "", str(error)).splitlines()
    told = [line.strip() for line in lines if not line.startswith("Exception encountered when")]
    return next(filter(None, told), "").removeprefix("Exception encountered: ''").strip()


def _channels_of(network: keras.Model, shape: Shape) -> int:
    own = network.input_shape[-1] if getattr(network, "inputs", None) is not None else None
    return int(own or shape[-1])
