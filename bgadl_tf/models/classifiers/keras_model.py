"""A classifier made of a user's Keras model: its trunk, with a stochastic head on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Shape
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.mc_dropout import StochasticHead
from bgadl_tf.models.pretrained import cloning, fine_tuning, own_dropout, rescaling
from bgadl_tf.models.pretrained import cut as cut_
from bgadl_tf.models.pretrained.backbone import Backbone
from bgadl_tf.models.pretrained.fine_tuning import FineTune
from bgadl_tf.models.pretrained.own_dropout import OwnHead
from bgadl_tf.models.pretrained.pixels import Pixels

RATE = 0.5
"""Of dropout before every dense layer of a head of ours."""


@keras.saving.register_keras_serializable("bgadl_tf")
class KerasModelClassifier(Classifier):
    """The trunk keeps the weights that it comes with; of the head, what was not given is drawn.

    Its own Dropout layers, which are on while it is trained, draw from Keras' own generators.

    Args:
        trunk: From examples ``[B, *shape]`` to features ``[B, F]``.
        classes: C.
        dropout: Rate before each dense layer of the head.
        hidden: Widths of further dense layers of the head.
        rates: Instead of ``dropout``, a rate for each dense layer.
        activations: Of the hidden layers; None for ReLU.
        given_stages: How many dense layers of the head, from the first, were given weights.
        fine_tune: What is trained beside the head: ``all`` of the trunk, with ``head`` nothing, or
            its last N layers that have weights. With ``head`` it never runs as in training.
    """

    ranks = (1, 3)

    def __init__(
        self,
        trunk: Backbone,
        classes: int,
        dropout: float = RATE,
        *,
        hidden: Sequence[int] = (),
        rates: Sequence[float] | None = None,
        activations: Sequence[Any] | None = None,
        given_stages: int = 0,
        fine_tune: FineTune = "all",
        **kw: object,
    ) -> None:
        # Images are not cast before the trunk: see Backbone.
        super().__init__(trunk.example_shape, classes, dropout, autocast=False, **kw)
        self.trunk, self.hidden = trunk, tuple(hidden)
        self.given_stages, self.fine_tune = given_stages, fine_tuning.parse(fine_tune)
        fine_tuning.apply(trunk.network, self.fine_tune)
        self.head = StochasticHead(
            classes,
            self.hidden,
            (dropout,) * (len(hidden) + 1) if rates is None else rates,
            activations,
            dtype=self.dtype_policy,
        )
        self.build_for(self.example_shape)

    def drawn_layers(self) -> list[keras.layers.Layer]:
        return self.head.stages[self.given_stages :] if self.given_stages else [self.head]

    def alike(self, classes: int) -> Classifier:
        other = self._made_anew(classes, fine_tune="all", given_stages=0)
        assert isinstance(other, KerasModelClassifier)
        other.trunk.set_weights(self.trunk.get_weights())
        for layer in other.trunk._flatten_layers():  # each has kept whether it was frozen
            layer.trainable = True
        return other

    def features(self, examples: tf.Tensor, training: bool = False) -> tf.Tensor:
        training = training and self.fine_tune != "head"
        return keras.ops.cast(self.trunk(examples, training=training), self.compute_dtype)

    def give_head(self, layers: Sequence[keras.layers.Dense]) -> None:
        """Give the first layers of the head the weights of dense ones of the same widths."""
        for stage, dense in zip(self.head.stages, layers, strict=False):
            stage.kernel.assign(dense.kernel)
            stage.bias.assign(dense.bias if dense.use_bias else tf.zeros(stage.bias.shape))
        self.given_stages = len(layers)

    def _sees_batches(self) -> bool:
        norms = cloning.batch_norms(self.trunk)
        return self.fine_tune != "head" and any(norm.trainable for norm in norms)

    def get_config(self) -> dict[str, object]:
        config = super().get_config()
        del config["shape"]
        head = self.head.get_config()
        return {
            **config,
            "trunk": keras.saving.serialize_keras_object(self.trunk),
            **{name: head[name] for name in ("hidden", "rates", "activations")},
            "given_stages": self.given_stages,
            "fine_tune": self.fine_tune,
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
    cut: str | None = None,
    dropout: float | None = None,
    hidden: Sequence[int] = (),
    pixels: Pixels | None = None,
    own: bool = False,
    shape: Shape | None = None,
    fine_tune: FineTune = "all",
    dtype: str | None = None,
) -> KerasModelClassifier:
    """See ``Classifier.from_model``.

    Args:
        model: A Keras model.
        classes: C.
        cut: Name of the layer whose output are the features.
        dropout: Rate before each dense layer of the head.
        hidden: Widths of further dense layers of the head.
        pixels: What it expects of images; None for [0, 1] unless it rescales them.
        own: Whether its own Dropout layers are the stochastic part.
        shape: Of an example, where it leaves sides open.
        fine_tune: What is trained.
        dtype: Policy of trunk and head.
    """
    if not isinstance(model, keras.Model):
        raise ConfigError(
            f"the model is a {type(model).__name__}; expected a keras.Model, e.g. "
            "keras.saving.load_model('FILE.keras')"
        )
    _refuse_unsaid_pixels(model, pixels)
    keywords: dict[str, Any] = {"fine_tune": fine_tune}
    if dtype is not None:
        keywords["dtype"] = dtype
    if own:
        _refuse_settings_of_our_head(cut, dropout, hidden)
        cut_.refuse_unusable(model)
        part = own_dropout.of(cloning.copied(model, dtype), classes)
        trunk = _trunk(part.network, shape, pixels)
        return _with_own_head(trunk, classes, part, keywords)
    network, last = cut_.trunk_of(model, classes, cut, shape, dtype)
    classifier = KerasModelClassifier(
        _trunk(network, shape, pixels),
        classes,
        RATE if dropout is None else dropout,
        hidden=hidden,
        **keywords,
    )
    if last is not None and not hidden:
        classifier.give_head([last])
    return classifier


def _with_own_head(
    trunk: Backbone, classes: int, part: OwnHead, keywords: dict[str, Any]
) -> KerasModelClassifier:
    classifier = KerasModelClassifier(
        trunk,
        classes,
        part.rates[-1],
        hidden=part.hidden,
        rates=part.rates,
        activations=part.activations,
        **keywords,
    )
    classifier.give_head(part.dense)
    return classifier


def _trunk(network: keras.Model, shape: Shape | None, pixels: Pixels | None) -> Backbone:
    return Backbone(network, cut_.example_shape(network, shape), pixels)


def _refuse_settings_of_our_head(
    cut: str | None, dropout: float | None, hidden: Sequence[int]
) -> None:
    given = {"cut": cut, "dropout": dropout, "hidden": tuple(hidden) or None}
    if names := [name for name, value in given.items() if value is not None]:
        raise ConfigError(
            f"own_dropout takes rates and layers from the model, and {' and '.join(names)} "
            "would set them; leave out the one or the other"
        )


def _refuse_unsaid_pixels(model: keras.Model, pixels: Pixels | None) -> None:
    layers = rescaling.rescaling_layers(model)
    if layers and pixels is None and not _takes_vectors(model):
        raise ConfigError(
            f"layer {layers[0].name!r} of model {model.name!r} rescales pixels itself; say what it "
            "expects, e.g. pixel_range=(0, 255)"
        )
    if pixels is not None:
        rescaling.warn_of_range(model, pixels)


def _takes_vectors(model: keras.Model) -> bool:
    return not cloning.is_subclassed(model) and len(model.inputs[0].shape) == 2
