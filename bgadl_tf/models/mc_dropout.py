"""The stochastic head of a classifier: dropout with explicit masks, and its MC passes.

A classifier is a deterministic trunk followed by this head. While training, every example has
its own mask. While scoring, K masks are drawn once from a seed and shared by every image
("consistent masks"), so that a score does not depend on batch size, order, replica or server,
and BALD of one image is comparable with BALD of another (Gal et al. 2017; Kirsch et al. 2019).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from bgadl_tf.models import masked_products, noise, thinned
from bgadl_tf.models.thinned import Thinned

LARGEST_COPIES = 256 * 2**20
"""Bytes that copies of a kernel may take, one a pass; beyond, they are made for a few at a time."""

Masks = Sequence[tf.Tensor]
"""One ``[rows, width]`` tensor of dropout factors per stage of the head."""


Prepared: TypeAlias = tf.Tensor | Thinned | None
"""Kernels under K masks, as a whole or without what they drop; None where neither would pay."""


@keras.saving.register_keras_serializable("bgadl_tf")
class StochasticHead(keras.layers.Layer):
    """(dropout -> dense -> activation) x hidden, then dropout -> dense -> log-softmax.

    Args:
        classes: C.
        hidden: Widths of the hidden dense layers.
        rates: Dropout rate before each dense layer, ``len(hidden) + 1`` of them.
        activations: Of the hidden layers, elementwise, as ``keras.activations.get`` takes them;
            None for ReLU throughout.
    """

    def __init__(
        self,
        classes: int,
        hidden: Sequence[int] = (),
        rates: Sequence[float] = (0.5,),
        activations: Sequence[Any] | None = None,
        **kw: object,
    ) -> None:
        super().__init__(**kw)
        activations = ("relu",) * len(hidden) if activations is None else activations
        if len(rates) != len(hidden) + 1:
            raise ValueError(f"{len(rates)} rates for {len(hidden) + 1} dense layers")
        self.classes, self.hidden, self.rates = classes, tuple(hidden), tuple(rates)
        self.stages = [
            *(
                keras.layers.Dense(
                    width,
                    activation=activation,
                    kernel_initializer="he_normal",
                    dtype=self.dtype_policy,
                )
                for width, activation in zip(hidden, activations, strict=True)
            ),
            keras.layers.Dense(classes, dtype=self.dtype_policy),
        ]

    def build(self, input_shape: tuple[int | None, int]) -> None:
        width = input_shape[-1]
        self.widths = (width, *self.hidden)
        for stage, inputs in zip(self.stages, self.widths, strict=True):
            stage.build((None, inputs))
        self.built = True

    @property
    def is_stochastic(self) -> bool:
        """Whether two passes can differ."""
        return any(rate > 0 for rate in self.rates)

    def example_masks(self, seed: tf.Tensor, count: tf.Tensor) -> Masks:
        """One mask per example of this replica's batch, ``[count, width]`` per stage."""
        return [noise.own_rows(draw, count) for draw in self._draws(seed)]

    def mc_masks(self, seed: tf.Tensor, mc_samples: int) -> Masks:
        """The K masks of a seed, ``[K, width]`` per stage: the same on every replica."""
        return [draw(mc_samples) for draw in self._draws(seed)]

    def _draws(self, seed: tf.Tensor) -> Iterator[Callable[[tf.Tensor], tf.Tensor]]:
        for stage, (width, rate) in enumerate(zip(self.widths, self.rates, strict=True)):
            yield functools.partial(_dropout_mask, noise.fold(seed, stage), width, rate)

    def last_kernel(self) -> tf.Tensor:
        """Of the last dense layer, from what ``penultimate`` gives, float32 ``[P, C]``."""
        return tf.cast(self.stages[-1].kernel.value, tf.float32)

    def penultimate(self, features: tf.Tensor) -> tf.Tensor:
        """What the last dense layer sees in the deterministic pass.

        Args:
            features: ``[B, F]``.

        Returns:
            ``[B, P]``, P being the width of the last hidden layer, or F where there is none.
        """
        hidden = features
        for stage in self.stages[:-1]:
            hidden = stage(hidden)
        return hidden

    def call(self, features: tf.Tensor, masks: Masks | None = None) -> tf.Tensor:
        """Log-probabilities of one pass.

        Args:
            features: ``[B, F]``.
            masks: Per stage ``[B, width]`` or ``[1, width]``; None for the deterministic pass.

        Returns:
            ``[B, C]`` float32.
        """
        return tf.nn.log_softmax(self.logits(features, masks))

    def logits(self, features: tf.Tensor, masks: Masks | None = None) -> tf.Tensor:
        """What ``call`` takes the softmax of, ``[B, C]`` float32."""
        hidden = features
        for number, stage in enumerate(self.stages):
            if masks is not None and self.rates[number] > 0:
                hidden = hidden * tf.cast(masks[number], hidden.dtype)
            hidden = stage(hidden)
        return tf.cast(hidden, tf.float32)

    def masked_kernels(self, masks: Masks) -> tf.Tensor | None:
        """The first kernel under each mask, for callers with many batches under the same masks.

        Args:
            masks: Per stage ``[K, width]``.

        Returns:
            ``[K, F, width]`` for ``mc_log_probs``; None where it would not use it or where it
            would be larger than ``LARGEST_COPIES`` bytes.
        """
        kernel = tf.cast(self.stages[0].kernel.value, self.compute_dtype)
        size = masks[0].shape[0] * kernel.shape.num_elements() * kernel.dtype.size
        if self._subtracts(kernel.dtype) or size > LARGEST_COPIES:
            return None
        return masked_products.masked_kernels(tf.cast(masks[0], kernel.dtype), kernel)

    def prepared(self, masks: Masks) -> Prepared:
        """What can be made of masks before any features are seen, for many under the same masks.

        Args:
            masks: Per stage ``[K, width]``.

        Returns:
            For ``mc_log_probs`` and ``predictive.predict``.
        """
        kernels = self.masked_kernels(masks)
        if kernels is None or not any(self.rates[1:]) or self._copies(masks) > LARGEST_COPIES:
            return kernels
        return thinned.thin(self.stages, self.rates, masks, kernels.dtype)

    def _copies(self, masks: Masks) -> int:
        """Bytes of every kernel under each mask."""
        values = sum(a * b for a, b in itertools.pairwise((*self.widths, self.classes)))
        size: int = masks[0].shape[0] * values * tf.as_dtype(self.compute_dtype).size
        return size

    def mc_log_probs(
        self, features: tf.Tensor, masks: Masks, kernels: Prepared = None
    ) -> tf.Tensor:
        """Log-probabilities of K passes under shared masks.

        Equal to K calls with one row of every mask each, but cheaper.

        Args:
            features: ``[N, F]``.
            masks: Per stage ``[K, width]``.
            kernels: ``prepared(masks)``, if it was made.

        Returns:
            ``[K, N, C]`` float32.
        """
        if isinstance(kernels, Thinned):
            passes = thinned.log_probs(kernels, self.stages, features, masks[0].shape[0])
            return tf.stack([tf.transpose(one) for one in passes])
        first, *rest = self.stages
        bias = tf.cast(first.bias.value, features.dtype)
        if kernels is not None:
            products = tf.matmul(features[None], kernels)
        else:
            products = self._masked_products(features, masks[0])
        hidden = first.activation(products + bias)
        for number, stage in enumerate(rest, start=1):
            hidden = stage(hidden * tf.cast(masks[number], hidden.dtype)[:, None])
        return tf.nn.log_softmax(tf.cast(hidden, tf.float32))

    def _masked_products(self, features: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        kernel = tf.cast(self.stages[0].kernel.value, features.dtype)
        factors = features, tf.cast(mask, features.dtype), kernel
        many = masked_products.from_masked_kernels
        if self._subtracts(features.dtype):
            many = functools.partial(masked_products.without_dropped, self.rates[0])
        if features.shape[0] is not None:
            return (
                masked_products.from_masked_features
                if features.shape[0] < kernel.shape[1]
                else many
            )(*factors)
        return tf.cond(
            tf.shape(features)[0] < kernel.shape[1],
            lambda: masked_products.from_masked_features(*factors),
            lambda: many(*factors),
        )

    def _subtracts(self, dtype: tf.DType) -> bool:
        # In half the bits the difference of two rounded products would be too coarse.
        return dtype == tf.float32 and self.rates[0] < 0.5

    def get_config(self) -> dict[str, object]:
        return {
            **super().get_config(),
            "classes": self.classes,
            "hidden": self.hidden,
            "rates": self.rates,
            "activations": [
                keras.activations.serialize(stage.activation) for stage in self.stages[:-1]
            ],
        }


def _dropout_mask(seed: tf.Tensor, width: int, rate: float, rows: tf.Tensor) -> tf.Tensor:
    """Inverted-dropout factors, 0 or 1 / (1 - rate), float32 ``[rows, width]``."""
    keep = tf.random.stateless_uniform([rows, width], seed, alg="philox") >= rate
    return tf.cast(keep, tf.float32) / (1.0 - rate)
