"""What every classifier is: ``features`` (deterministic), then ``head`` (stochastic)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from bgadl_tf.core.registry import Registry
from bgadl_tf.core.types import ImageShape, Shape
from bgadl_tf.models import groups
from bgadl_tf.models.batch_norm import BatchNorm
from bgadl_tf.models.mc_dropout import StochasticHead


class Classifier(keras.Model):
    """Images to log-probabilities.

    A subclass creates its layers and sets ``self.head`` in its constructor, implements
    ``features``, and ends its constructor with ``self.build_for(image_shape)``, so that all
    weights exist from then on.

    Args:
        image_shape: (H, W, D).
        classes: C.
        dropout: Rate of every stochastic layer; None for the classifier's own rates.
    """

    head: StochasticHead

    def __init__(
        self,
        image_shape: ImageShape,
        classes: int,
        dropout: float | None = None,
        **kw: object,
    ) -> None:
        super().__init__(**kw)
        self.image_shape = image_shape
        self.classes = classes
        self.dropout = dropout

    def features(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Deterministic part.

        Args:
            images: ``[B, H, W, D]`` in [0, 1].
            training: Whether BatchNorm uses the statistics of the batch.

        Returns:
            ``[B, F]``.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement features()")

    def call(
        self, images: tf.Tensor, training: bool = False, seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Log-probabilities.

        Args:
            images: ``[B, H, W, D]`` in [0, 1].
            training: Passed to the trunk. It does not switch dropout on.
            seed: ``[2]`` int32; draws one dropout mask per example. None: no dropout.

        Returns:
            ``[B, C]`` float32.
        """
        features = self.features(images, training)
        masks = None if seed is None else self.head.example_masks(seed, tf.shape(features)[0])
        return self.head(features, masks=masks)

    def each(self, batches: Sequence[tf.Tensor], seeds: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Training passes over several batches, as one pass where no BatchNorm tells them apart.

        Args:
            batches: Each ``[B, H, W, D]`` in [0, 1], of one size.
            seeds: Of the dropout masks of each.

        Returns:
            Log-probabilities ``[B, C]`` of each, float32.
        """
        if self._batch_norms():
            passes = zip(batches, seeds, strict=True)
            return [self(batch, training=True, seed=seed) for batch, seed in passes]
        count = tf.shape(batches[0])[0]
        masks = [self.head.example_masks(seed, count) for seed in seeds]
        features = self.features(tf.concat(batches, 0), training=True)
        log_probs = self.head(
            features, masks=[tf.concat(stage, 0) for stage in zip(*masks, strict=True)]
        )
        return groups.split(log_probs, (1,) * len(batches))

    @property
    def is_stochastic(self) -> bool:
        """Whether MC dropout can tell two passes apart."""
        return self.head.is_stochastic

    def rates(self, *own: float) -> tuple[float, ...]:
        """The classifier's own dropout rates, or the one that was asked for."""
        return own if self.dropout is None else (self.dropout,) * len(own)

    def build_for(self, image_shape: ImageShape) -> None:
        """Create every weight by tracing one symbolic image."""
        self(keras.KerasTensor((None, *image_shape)))

    def freeze(self) -> None:
        """Say that the weights change no more, so that what follows from them is computed once."""
        for layer in self._batch_norms():
            layer.freeze()
        self.features(tf.zeros((1, *self.image_shape)))

    def _batch_norms(self) -> list[BatchNorm]:
        layers = self._flatten_layers(include_self=False)
        return [layer for layer in layers if isinstance(layer, BatchNorm)]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        return (input_shape[0], self.classes)

    def get_config(self) -> dict[str, object]:
        return {
            "image_shape": self.image_shape,
            "classes": self.classes,
            "dropout": self.dropout,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }


CLASSIFIERS: Registry[Callable[..., Classifier]] = Registry(
    "classifier", "bgadl_tf.models.classifiers"
)


def default_classifier(image_shape: Shape) -> str:
    """A sensible network for images of this shape."""
    height, width, channels = image_shape
    return "gal_cnn" if channels == 1 and max(height, width) < 32 else "resnet18"
