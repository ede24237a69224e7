"""Which part of a Keras model computes features, and which examples it takes."""

from __future__ import annotations

import keras

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Shape
from bgadl_tf.models.pretrained import cloning, stages

_SOFTMAX = keras.activations.softmax


def trunk_of(
    model: keras.Model,
    classes: int | None,
    cut: str | None,
    shape: Shape | None = None,
    precision: str | None = None,
) -> tuple[keras.Model, keras.layers.Dense | None]:
    """The part of a model that computes features, and the layer that classifies by them, if any.

    Args:
        model: Copied, unless it is a subclassed one, which cannot be.
        classes: C, by which a last dense layer of so many units is recognised; None where there
            are none, as in a backbone.
        cut: Name of the layer whose output are the features; None for the last one.
        shape: Of an example, where the model leaves sides open.
        precision: Dtype policy of the copy's layers; None for their own.

    Raises:
        ConfigError: There is no layer ``cut``, or no features are to be found.
    """
    refuse_unusable(model, cut)
    model = cloning.copied(model, precision)
    if cut is not None:
        return keras.Model(model.inputs[0], model.get_layer(cut).output, name=model.name), None
    has_graph = not cloning.is_subclassed(model)
    layers = [layer for layer in model.layers if not _is_softmax(layer)] if has_graph else []
    last = layers[-1] if layers else None
    softmax = has_graph and _is_softmax(model.layers[-1])
    if isinstance(last, keras.layers.Dense):
        if last.units == classes:
            _refuse_other_activation(model, last, softmax)
            return keras.Model(model.inputs[0], last.input, name=model.name), last
        softmax |= last.activation in (_SOFTMAX, keras.activations.sigmoid)
    width = _output_width(model, shape)
    if softmax or width == classes:
        told = "" if classes is None else f" and there are {classes} classes,"
        raise ConfigError(
            f"model {model.name!r} ends in {width} {'probabilities' if softmax else 'values'},"
            f"{told} and not in features; name the layer to cut it at, e.g. cut='flatten' or "
            "model:FILE.keras:flatten, or give a model without its last layer"
        )
    return model, None


def refuse_unusable(model: keras.Model, cut: str | None = None) -> None:
    """Make sure that a model has one input, one output or a layer to cut it at, and weights.

    Raises:
        ConfigError: It has not.
    """
    has_graph = not cloning.is_subclassed(model)
    if has_graph and len(model.inputs) != 1:
        raise ConfigError(f"model {model.name!r} has {len(model.inputs)} inputs; expected one")
    if not model.built:
        raise ConfigError(
            f"model {model.name!r} is not built; give it a keras.Input, or call it once"
        )
    if has_graph and cut is None and len(model.outputs) != 1:
        raise ConfigError(
            f"model {model.name!r} has {len(model.outputs)} outputs; expected one, or the name of "
            "the layer to cut it at, cut='...' or model:FILE.keras:LAYER"
        )
    names = [layer.name for layer in model.layers]
    if cut is not None and (not has_graph or cut not in names):
        known = ", ".join(names[-8:]) if has_graph else "none: it is a subclassed model"
        raise ConfigError(
            f"cut is {cut!r}, which is no layer of model {model.name!r}; its last ones: {known}"
        )


def _refuse_other_activation(
    model: keras.Model, last: keras.layers.Dense, softmax_behind: bool
) -> None:
    """Make sure that a layer of C units gives logits or their probabilities."""
    twice = softmax_behind and last.activation in (_SOFTMAX, keras.activations.sigmoid)
    if stages.classifies(last.activation) and not twice:
        return
    behind = " with a softmax behind it" if softmax_behind else ""
    raise ConfigError(
        f"layer {last.name!r} of model {model.name!r} has a unit for each of the {last.units} "
        f"classes, and its activation is {stages.name_of(last.activation)}{behind}, which would be "
        "lost; expected one softmax or none; if it gives features, name it as the layer to cut the "
        f"model at, cut={last.name!r} or model:FILE.keras:{last.name}"
    )


def _is_softmax(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, keras.layers.Activation):
        return layer.activation is _SOFTMAX
    return isinstance(layer, keras.layers.Softmax)


def example_shape(model: keras.Model, wanted: Shape | None = None) -> Shape:
    """Shape of the examples that a model takes.

    Args:
        model: With one input.
        wanted: What sides that it leaves open become; it must not deny the others, but for one
            channel where the model takes 3.

    Raises:
        ConfigError: A side stays open, or examples of that shape are not what it takes.
    """
    shape = _whole_input_shape(model)
    if not isinstance(shape, tuple) or len(shape) not in (2, 4):
        raise ConfigError(
            f"the input of model {model.name!r} has shape {shape}; expected (None, H, W, D) or "
            "(None, F)"
        )
    own = shape[1:]
    if wanted is not None and len(wanted) == len(own):
        grey = len(own) == 3 and own[2] == 3 and wanted[2] == 1
        if all(a is None or a == b for a, b in zip(own[:-1], wanted[:-1], strict=True)) and (
            own[-1] in (None, wanted[-1]) or grey
        ):
            return wanted
    if wanted is not None:
        fits = len(own) == 3 and own[0] == own[1] and own[0] is not None and wanted[:2] != own[:2]
        size = f"--image-size {own[0]}" if fits else "such examples"
        raise ConfigError(
            f"model {model.name!r} takes examples of shape {own}, and those of the dataset have "
            f"shape {wanted}; give {size}, or another model"
        )
    if None in own:
        raise ConfigError(
            f"the input of model {model.name!r} has shape {shape}; expected (None, H, W, D) or "
            "(None, F), all but the first known: build it with keras.Input of that shape, call a "
            "subclassed model once on such examples, or give shape=(H, W, D)"
        )
    return tuple(int(side) for side in own)


def _whole_input_shape(model: keras.Model) -> object:
    """With the batch's axis; of a subclassed model, what it was called on."""
    shape = getattr(model, "input_shape", None)
    if shape is None:
        shape = (model.get_build_config() or {}).get("input_shape")
    if isinstance(shape, list):  # of shapes; or one shape, as a file holds it
        return shape[0] if len(shape) == 1 else tuple(shape)
    return shape


def _output_width(model: keras.Model, wanted: Shape | None) -> int:
    shape = model.output_shape if model.built and hasattr(model, "output_shape") else None
    if shape is None:
        outputs = model(keras.KerasTensor((None, *example_shape(model, wanted))))
        shape = getattr(outputs, "shape", type(outputs).__name__)
    if not isinstance(shape, tuple) or len(shape) not in (2, 4):
        raise ConfigError(
            f"model {model.name!r} gives {shape}; expected features [B, F] or a feature map "
            "[B, h, w, F]: name the layer to cut it at, cut='...'"
        )
    return int(shape[-1])
