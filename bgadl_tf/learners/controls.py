"""Controls of generation: as many further examples as ``vaeacgan`` has, made without any network.

What a generative learner gains over ``plain`` may come from more gradient per step, from noise, or
from what is known to keep a label. Each of these learners has one of these and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.augmented import AugmentedLearner, AugmentedOptions
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.options import Options
from bgadl_tf.models import losses, noise
from bgadl_tf.models.classifiers.base import Classifier


@LEARNERS.register("duplicate")
@keras.saving.register_keras_serializable("bgadl_tf")
class Duplicate(AugmentedLearner):
    """C learns from each labelled example three times a step, under three dropout masks."""

    def made_of(self, batch: Batch, seed: tf.Tensor) -> Mapping[str, tf.Tensor]:
        return {"first": batch.examples, "second": batch.examples}


@dataclass(frozen=True, kw_only=True)
class NoiseOptions(AugmentedOptions):
    """How much noise.

    Args:
        noise_scale: Standard deviation of the noise of a pixel or component, in units of the
            standard deviation that this value has among the labelled examples of the step.
    """

    noise_scale: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.noise_scale >= 0, "noise_scale", "at least 0")


@LEARNERS.register("noise")
@keras.saving.register_keras_serializable("bgadl_tf")
class Noise(AugmentedLearner):
    """C learns from each labelled example, and twice from it under Gaussian noise.

    A value that never changes gets no noise. Images are clipped to [0, 1].
    """

    options_type = NoiseOptions
    options: NoiseOptions

    def made_of(self, batch: Batch, seed: tf.Tensor) -> Mapping[str, tf.Tensor]:
        examples = batch.examples
        size = self.options.noise_scale * standard_deviation(examples, batch.weights)
        count, width = tf.shape(examples)[0], examples.shape[1:].num_elements()
        noisy = {}
        for number, name in enumerate(("first", "second")):
            drawn = noise.normal(noise.fold(seed, number), count, width)
            values = examples + size * tf.reshape(drawn, tf.shape(examples))
            noisy[name] = values if self._is_of_vectors else tf.clip_by_value(values, 0.0, 1.0)
        return noisy

    @property
    def _is_of_vectors(self) -> bool:
        return len(self.space.shape) == 1


@dataclass(frozen=True, kw_only=True)
class TwoViewsOptions(AugmentedOptions):
    """The same options; the transforms are those of the views, ``standard`` unless others are
    asked for, and the labelled examples stay as they are.
    """

    transforms: str = "standard"


@LEARNERS.register("two_views")
@keras.saving.register_keras_serializable("bgadl_tf")
class TwoViews(AugmentedLearner):
    """C learns from each labelled example as it is, and from two independent transforms of it; in
    features, from two of its stored views, of which it is one itself.

    Raises:
        ConfigError: There are no transforms.
    """

    options_type = TwoViewsOptions
    options: TwoViewsOptions

    def __init__(
        self, classifier: Classifier, options: Options | None = None, **kw: object
    ) -> None:
        super().__init__(classifier, options, **kw)
        if not self.transforms.kinds:
            raise ConfigError(
                "--option transforms is 'none', and learner 'two_views' learns from two "
                "transforms of every example; give some, or use learner 'duplicate'"
            )

    @property
    def needs_views(self) -> bool:
        return self.uses_views

    def prepared(self, batch: Batch, seed: tf.Tensor) -> Batch:
        """See ``ProbationLearner``; the first form is x as it is, and further ones are not."""
        changed = super().prepared(batch, seed)
        further = (changed.examples, *changed.forms)[:-1]
        return changed._replace(examples=batch.examples, forms=further)

    def made_of(self, batch: Batch, seed: tf.Tensor) -> Mapping[str, tf.Tensor]:
        return {
            name: self.transforms(batch.examples, noise.fold(seed, number), batch.views)
            for number, name in enumerate(("first", "second"))
        }


def standard_deviation(examples: tf.Tensor, weights: tf.Tensor | None = None) -> tf.Tensor:
    """Of each value over the examples of all replicas, ``[1, *shape]``.

    Args:
        examples: ``[B, *shape]``, this replica's share.
        weights: ``[B]``, at least 0; None for 1.
    """
    examples = tf.convert_to_tensor(examples)
    count = tf.shape(examples)[0]
    each = tf.ones(count) if weights is None else tf.cast(weights, tf.float32)
    each = tf.reshape(each, [count, *[1] * (examples.shape.rank - 1)])

    def mean(values: tf.Tensor) -> tf.Tensor:
        total = losses.summed_over_replicas(tf.reduce_sum(each * values, 0, keepdims=True))
        return tf.math.divide_no_nan(total, losses.summed_over_replicas(tf.reduce_sum(each)))

    return tf.sqrt(mean(tf.square(examples - mean(examples))))
