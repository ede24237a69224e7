"""What every classifier is: ``features`` (deterministic), then ``head`` (stochastic)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import ClassVar

import keras
import tensorflow as tf

from bgadl_tf.core import backend
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.registry import Registry
from bgadl_tf.core.types import Shape
from bgadl_tf.models import groups
from bgadl_tf.models.batch_norm import BatchNorm
from bgadl_tf.models.mc_dropout import StochasticHead
from bgadl_tf.models.spaces import Space, space_of


class Classifier(keras.Model):
    """Examples to log-probabilities.

    A subclass creates its layers and sets ``self.head`` in its constructor, implements
    ``features``, and ends its constructor with ``self.build_for(shape)``, so that all weights
    exist from then on.

    Args:
        shape: Of an example: (H, W, D) or (F,).
        classes: C.
        dropout: Rate of every stochastic layer; None for the classifier's own rates.
    """

    head: StochasticHead
    ranks: ClassVar[tuple[int, ...]] = (3,)
    """Axes of the examples it can take: 3 are images, 1 are vectors."""

    def __init__(
        self, shape: Shape, classes: int, dropout: float | None = None, **kw: object
    ) -> None:
        backend.check_data_format()
        if classes < 2:
            raise ConfigError(
                f"a classifier is to tell {classes} classes apart; expected 2 or more"
            )
        if dropout is not None and not 0.0 <= dropout < 1.0:
            raise ConfigError(f"the dropout rate is {dropout}; expected one from 0 to below 1")
        super().__init__(**kw)
        self.example_shape = tuple(shape)
        if len(self.example_shape) not in self.ranks:
            raise ConfigError(
                f"{type(self).__name__} takes images [H, W, D], and examples have shape "
                f"{self.example_shape}; the classifier of vectors is 'mlp'"
            )
        self.classes = classes
        self.dropout = dropout

    @staticmethod
    def from_model(
        model: keras.Model,
        classes: int,
        *,
        cut: str | None = None,
        dropout: float | None = None,
        hidden: Sequence[int] = (),
        pixel_range: tuple[float, float] | None = None,
        own_dropout: bool = False,
        shape: Shape | None = None,
        fine_tune: str | int = "all",
        dtype: str | None = None,
    ) -> Classifier:
        """A classifier from a Keras model: its trunk, with a stochastic head on it.

        Args:
            model: Takes one example ``[B, *shape]``; built. It is copied and stays as it is; a
                subclassed one, which cannot be, is used itself and trained.
            classes: C.
            cut: Name of the layer whose output are the features; None for all of the model, or,
                where it ends in a dense layer of ``classes`` units, for all but that layer,
                whose weights then begin the last layer of the head.
            dropout: Rate before each dense layer of the head, by default 0.5; 0 makes it
                deterministic.
            hidden: Widths of further dense layers of the head.
            pixel_range: What the model expects the darkest and the brightest value of a pixel to
                be: None for (0, 1); (0, 255) for models that rescale themselves; (-1, 1) for
                MobileNet and others of ``keras.applications``. Vectors are passed on as they are.
            own_dropout: The head is made of the model's own layers, from the first Dropout behind
                its last pooling on: Dropout, Dense and elementwise activations, with their rates
                and weights. A last layer of other than ``classes`` units is replaced.
            shape: Of an example, for a model that leaves sides open; (H, W, 1) for grey images,
                which a model of colour images sees as three equal channels.
            fine_tune: What is trained beside the head: "all" of the trunk, nothing ("head"; the
                trunk then never runs as in training), or its last N layers that have weights.
            dtype: Policy that trunk and head compute in, e.g. "mixed_bfloat16"; None for the
                model's own and the global one. A subclassed model keeps its own.

        Raises:
            ConfigError: The model has several inputs, an unknown input shape, no layer ``cut``,
                no features to be found, or rescales pixels while ``pixel_range`` is not given; or
                its own dropout cannot be drawn by given masks, and the message names the layer.
        """
        from bgadl_tf.models.classifiers import keras_model
        from bgadl_tf.models.pretrained.pixels import Pixels

        return keras_model.classifier_of(
            model,
            classes,
            cut=cut,
            dropout=dropout,
            hidden=hidden,
            pixels=None if pixel_range is None else Pixels(*pixel_range),
            own=own_dropout,
            shape=shape,
            fine_tune=fine_tune,
            dtype=dtype,
        )

    @property
    def space(self) -> Space:
        """What kind of examples it takes."""
        return space_of(self.example_shape)

    def drawn_layers(self) -> list[keras.layers.Layer]:
        """The layers whose initial weights are drawn; the others have been given their own.

        No property: Keras follows those when it saves and loads, and would go round in circles.
        """
        return [self]

    def alike(self, classes: int) -> Classifier:
        """Another one of its kind, of which all is trained.

        Weights that this one was given are copied, as they are by now; the others are to be drawn.

        Args:
            classes: C of the other one.

        Raises:
            ConfigError: ``get_config`` does not say how many classes this one tells apart.
        """
        return self._made_anew(classes)

    def _made_anew(self, classes: int, **settings: object) -> Classifier:
        """From its own config, with so many classes and other settings."""
        config = self.get_config()
        if "classes" not in config:
            raise self.cannot_be_made_for(classes)
        made: Classifier = type(self).from_config({**config, **settings, "classes": classes})
        return made

    def cannot_be_made_for(self, classes: int) -> ConfigError:
        """What to raise where its config does not say how many classes it tells apart."""
        return ConfigError(
            f"classifier {self.name!r} cannot be made for {classes} classes: its get_config() does "
            "not hold 'classes'"
        )

    def features(self, examples: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Deterministic part.

        Args:
            examples: ``[B, *shape]``, images in [0, 1].
            training: Whether BatchNorm uses the statistics of the batch.

        Returns:
            ``[B, F]``.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement features()")

    def call(
        self, examples: tf.Tensor, training: bool = False, seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Log-probabilities.

        Args:
            examples: ``[B, *shape]``, images as floats in [0, 1] or as integers.
            training: Passed to the trunk. It does not switch dropout on.
            seed: ``[2]`` int32; draws one dropout mask per example. None: no dropout.

        Returns:
            ``[B, C]`` float32.
        """
        if tf.as_dtype(examples.dtype).is_integer:
            examples = self.space.to_float(examples)
        features = self.features(examples, training)
        masks = None if seed is None else self.head.example_masks(seed, tf.shape(features)[0])
        return self.head(features, masks=masks)

    def train_on_groups(
        self, batches: Sequence[tf.Tensor], seeds: Sequence[tf.Tensor]
    ) -> list[tf.Tensor]:
        """Training passes over several batches, as one pass where no BatchNorm tells them apart.

        Args:
            batches: Each ``[B, *shape]``, images in [0, 1], of one size.
            seeds: Of the dropout masks of each.

        Returns:
            Log-probabilities ``[B, C]`` of each, float32.
        """
        if self._sees_batches():
            passes = zip(batches, seeds, strict=True)
            return [self(batch, training=True, seed=seed) for batch, seed in passes]
        count = tf.shape(batches[0])[0]
        masks = [self.head.example_masks(seed, count) for seed in seeds]
        log_probs = self.head(
            self.features(tf.concat(batches, 0), training=True),
            masks=[tf.concat(stage, 0) for stage in zip(*masks, strict=True)],
        )
        return groups.split(log_probs, (1,) * len(batches))

    def features_of_groups(self, batches: Sequence[tf.Tensor]) -> tf.Tensor:
        """Features of several batches while training; a BatchNorm sees each by itself.

        Args:
            batches: G of them, each ``[B, *shape]``, images in [0, 1].

        Returns:
            ``[G B, F]``, batch after batch.
        """
        if self._sees_batches():
            return tf.concat([self.features(batch, training=True) for batch in batches], 0)
        return self.features(tf.concat(batches, 0), training=True)

    @property
    def trunk_variables(self) -> list[keras.Variable]:
        """What can be trained of the deterministic part, below the head."""
        head = {id(variable) for variable in self.head.trainable_variables}
        return [variable for variable in self.trainable_variables if id(variable) not in head]

    @property
    def is_stochastic(self) -> bool:
        """Whether MC dropout can tell two passes apart."""
        return self.head.is_stochastic

    def rates(self, *own: float) -> tuple[float, ...]:
        """The classifier's own dropout rates, or the one that was asked for."""
        return own if self.dropout is None else (self.dropout,) * len(own)

    def build_for(self, shape: Shape) -> None:
        """Create every weight by tracing one symbolic example.

        Raises:
            ConfigError: Examples of this shape are too small for the network.
        """
        try:
            with warnings.catch_warnings():
                # Where a layer fails, Keras only warns, and leaves the others without weights.
                warnings.filterwarnings("error", ".*looks like it has unbuilt state")
                self(keras.KerasTensor((None, *shape)))
        except (UserWarning, ValueError) as error:
            reason = str(error).rpartition("Exception encountered: ''")[2].strip().splitlines()[0]
            raise ConfigError(
                f"{type(self).__name__} cannot be built for examples of shape {tuple(shape)} "
                f"({reason}); choose another classifier or size"
            ) from error

    def freeze(self) -> None:
        """Say that the weights change no more, so that what follows from them is computed once."""
        for layer in self._batch_norms():
            if isinstance(layer, BatchNorm):
                layer.freeze()
        self.features(tf.zeros((1, *self.example_shape)))

    def _sees_batches(self) -> bool:
        """Whether, while training, an example's features depend on the others of its batch."""
        return bool(self._batch_norms())

    def _batch_norms(self) -> list[keras.layers.BatchNormalization]:
        layers = self._flatten_layers(include_self=False)
        return [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        return (input_shape[0], self.classes)

    def get_config(self) -> dict[str, object]:
        return {
            "shape": self.example_shape,
            "classes": self.classes,
            "dropout": self.dropout,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }


CLASSIFIERS: Registry[Callable[..., Classifier]] = Registry(
    "classifier", "bgadl_tf.models.classifiers"
)


def default_classifier(shape: Shape) -> str:
    """A sensible network for examples of this shape."""
    if len(shape) == 1:
        return "mlp"
    height, width, channels = shape
    return "gal_cnn" if channels == 1 and max(height, width) < 32 else "resnet18"
