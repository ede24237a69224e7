"""A classifier made of a user's Keras model: its trunk, with our stochastic head on it."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Shape
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.mc_dropout import StochasticHead


@keras.saving.register_keras_serializable("bgadl_tf")
class KerasModelClassifier(Classifier):
    """The trunk keeps the weights that it comes with; only the head's are drawn.

    A trunk that ends in a feature map ``[B, h, w, F]`` is averaged over its places. Its own
    Dropout layers, which are on while training, draw from Keras' own generators.

    Args:
        trunk: From examples ``[B, *shape]`` to features ``[B, F]`` or ``[B, h, w, F]``.
        classes: C.
        dropout: Rate before each dense layer of the head.
        hidden: Widths of further dense layers of the head.
        pixel_range: What the trunk expects pixels of 0 and of 255 to be.
        given_head: Whether the head's weights were given, too.
    """

    ranks = (1, 3)

    def __init__(
        self,
        trunk: keras.Model,
        classes: int,
        dropout: float = 0.5,
        *,
        hidden: Sequence[int] = (),
        pixel_range: tuple[float, float] = (0.0, 1.0),
        given_head: bool = False,
        **kw: object,
    ) -> None:
        shape = _input_shape(trunk)
        super().__init__(shape, classes, dropout, **kw)
        self.trunk, self.hidden = trunk, tuple(hidden)
        self.pixel_range = (float(pixel_range[0]), float(pixel_range[1]))
        self.given_head = given_head
        self.head = StochasticHead(
            classes, self.hidden, (dropout,) * (len(hidden) + 1), dtype=self.dtype_policy
        )
        self.build_for(shape)

    def drawn_layers(self) -> list[keras.layers.Layer]:
        return [] if self.given_head else [self.head]

    def features(self, examples: tf.Tensor, training: bool = False) -> tf.Tensor:
        if len(self.example_shape) == 3 and self.pixel_range != (0.0, 1.0):
            low, high = self.pixel_range
            examples = low + examples * (high - low)
        features = self.trunk(examples, training=training)
        if len(features.shape) == 4:
            features = keras.ops.mean(features, axis=(1, 2))
        return keras.ops.cast(features, self.compute_dtype)

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
            "pixel_range": self.pixel_range,
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
) -> KerasModelClassifier:
    """See ``Classifier.from_model``."""
    inside = model._flatten_layers(include_self=False)  # also those of models within
    rescaling = [layer.name for layer in inside if isinstance(layer, _RESCALING)]
    if rescaling and pixel_range is None:
        raise ConfigError(
            f"layer {rescaling[0]!r} of model {model.name!r} rescales pixels itself; say what it "
            "expects, e.g. pixel_range=(0, 255)"
        )
    trunk, last = trunk_of(model, classes, cut)
    classifier = KerasModelClassifier(
        trunk, classes, dropout, hidden=hidden, pixel_range=pixel_range or (0.0, 1.0)
    )
    if last is not None and not hidden:
        classifier.begin_head_with(last)
    return classifier


def trunk_of(
    model: keras.Model, classes: int, cut: str | None
) -> tuple[keras.Model, keras.layers.Dense | None]:
    """The part of a model that computes features, and the layer that classifies by them, if any.

    Raises:
        ConfigError: There is no layer ``cut``, or no features are to be found.
    """
    inputs = getattr(model, "inputs", None)
    if inputs is not None and len(inputs) != 1:
        raise ConfigError(f"model {model.name!r} has {len(inputs)} inputs; expected one")
    if not model.built:
        raise ConfigError(
            f"model {model.name!r} is not built; give it a keras.Input, or call it once"
        )
    has_graph = inputs is not None  # a subclassed model knows no inputs
    names = [layer.name for layer in model.layers]
    if cut is not None and (not has_graph or cut not in names):
        known = ", ".join(names[-8:]) if has_graph else "none: it is a subclassed model"
        raise ConfigError(
            f"cut is {cut!r}, which is no layer of model {model.name!r}; its last ones: {known}"
        )
    if has_graph:
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        model = copy
    if cut is not None:
        return keras.Model(model.inputs, model.get_layer(cut).output, name=model.name), None
    layers = [layer for layer in model.layers if not _is_softmax(layer)] if has_graph else []
    last = layers[-1] if layers else None
    softmax = has_graph and _is_softmax(model.layers[-1])
    if isinstance(last, keras.layers.Dense):
        if last.units == classes:
            return keras.Model(model.inputs, last.input, name=model.name), last
        softmax |= last.activation in (keras.activations.softmax, keras.activations.sigmoid)
    width = _output_width(model)
    if softmax or width == classes:
        raise ConfigError(
            f"model {model.name!r} ends in {width} {'probabilities' if softmax else 'values'}, "
            f"and not in features, and there are {classes} classes; name the layer to cut it at, "
            "e.g. cut='flatten', or give a model without its last layer"
        )
    return model, None


_RESCALING = (keras.layers.Rescaling, keras.layers.Normalization)


def _is_softmax(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, keras.layers.Activation):
        return layer.activation is keras.activations.softmax
    return isinstance(layer, keras.layers.Softmax)


def _input_shape(trunk: keras.Model) -> Shape:
    shape = _whole_input_shape(trunk)
    if not isinstance(shape, tuple) or None in shape[1:] or len(shape) not in (2, 4):
        raise ConfigError(
            f"the input of model {trunk.name!r} has shape {shape}; expected (None, H, W, D) or "
            "(None, F), all but the first known: build it with keras.Input of that shape, or call "
            "a subclassed model once on such examples"
        )
    return tuple(int(side) for side in shape[1:])


def _whole_input_shape(model: keras.Model) -> object:
    """With the batch's axis; of a subclassed model, what it was called on."""
    shape = getattr(model, "input_shape", None)
    if shape is None:
        shape = (model.get_build_config() or {}).get("input_shape")
    if isinstance(shape, list):  # of shapes; or one shape, as a file holds it
        return shape[0] if len(shape) == 1 else tuple(shape)
    return shape


def _output_width(model: keras.Model) -> int:
    shape = model.output_shape if model.built and hasattr(model, "output_shape") else None
    if shape is None:
        outputs = model(keras.KerasTensor((None, *_input_shape(model))))
        shape = getattr(outputs, "shape", type(outputs).__name__)
    if not isinstance(shape, tuple) or len(shape) not in (2, 4):
        raise ConfigError(
            f"model {model.name!r} gives {shape}; expected features [B, F] or a feature map "
            "[B, h, w, F]: name the layer to cut it at, cut='...'"
        )
    return int(shape[-1])
