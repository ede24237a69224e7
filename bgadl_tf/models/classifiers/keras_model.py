"""A classifier made of a user's Keras model: its trunk, with our stochastic head on it."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Shape
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.mc_dropout import StochasticHead
from bgadl_tf.models.pretrained import cut as cut_
from bgadl_tf.models.pretrained.backbone import Backbone
from bgadl_tf.models.pretrained.pixels import Pixels


@keras.saving.register_keras_serializable("bgadl_tf")
class KerasModelClassifier(Classifier):
    """The trunk keeps the weights that it comes with; only the head's are drawn.

    Its own Dropout layers, which are on while training, draw from Keras' own generators.

    Args:
        trunk: From examples ``[B, *shape]`` to features ``[B, F]``.
        classes: C.
        dropout: Rate before each dense layer of the head.
        hidden: Widths of further dense layers of the head.
        given_head: Whether the head's weights were given, too.
    """

    ranks = (1, 3)

    def __init__(
        self,
        trunk: Backbone,
        classes: int,
        dropout: float = 0.5,
        *,
        hidden: Sequence[int] = (),
        given_head: bool = False,
        **kw: object,
    ) -> None:
        super().__init__(trunk.example_shape, classes, dropout, **kw)
        self.trunk, self.hidden = trunk, tuple(hidden)
        self.given_head = given_head
        self.head = StochasticHead(
            classes, self.hidden, (dropout,) * (len(hidden) + 1), dtype=self.dtype_policy
        )
        self.build_for(self.example_shape)

    def drawn_layers(self) -> list[keras.layers.Layer]:
        return [] if self.given_head else [self.head]

    def features(self, examples: tf.Tensor, training: bool = False) -> tf.Tensor:
        return keras.ops.cast(self.trunk(examples, training=training), self.compute_dtype)

    def begin_head_with(self, last: keras.layers.Dense) -> None:
        """Give the last layer of the head the weights of a dense layer ``[F, C]``."""
        stage = self.head.stages[-1]
        stage.kernel.assign(last.kernel)
        stage.bias.assign(last.bias if last.use_bias else tf.zeros(stage.bias.shape))
        self.given_head = True

    def get_config(self) -> dict[str, object]:
        config = super().get_config()
        del config["shape"]
        return {
            **config,
            "trunk": keras.saving.serialize_keras_object(self.trunk),
            "hidden": self.hidden,
            "given_head": self.given_head,
        }

    @classmethod
    def from_config(cls, config: dict[str, object], custom_objects: object = None) -> Classifier:
        trunk = keras.saving.deserialize_keras_object(
            config["trunk"], custom_objects=custom_objects
        )
        return cls(**{**config, "trunk": trunk})


def classifier_of(
    model: keras.Model,
    classes: int,
    *,
    cut: str | None,
    dropout: float,
    hidden: Sequence[int],
    pixel_range: tuple[float, float] | None,
    shape: Shape | None = None,
) -> KerasModelClassifier:
    """See ``Classifier.from_model``."""
    inside = model._flatten_layers(include_self=False)  # also those of models within
    rescaling = [layer.name for layer in inside if isinstance(layer, _RESCALING)]
    if rescaling and pixel_range is None:
        raise ConfigError(
            f"layer {rescaling[0]!r} of model {model.name!r} rescales pixels itself; say what it "
            "expects, e.g. pixel_range=(0, 255)"
        )
    network, last = cut_.trunk_of(model, classes, cut, shape)
    pixels = Pixels(*(pixel_range or (0.0, 1.0)))
    trunk = Backbone(network, cut_.example_shape(network, shape), pixels)
    classifier = KerasModelClassifier(trunk, classes, dropout, hidden=hidden)
    if last is not None and not hidden:
        classifier.begin_head_with(last)
    return classifier


_RESCALING = (keras.layers.Rescaling, keras.layers.Normalization)
