"""What a learner may be able to do beside learning; acquisitions and export ask for these."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import tensorflow as tf

from bgadl_tf.models.mc_dropout import Masks


@runtime_checkable
class MCDropout(Protocol):
    """A classifier whose passes can disagree. Only learners with a stochastic one have it."""

    def mc_masks(self, seed: tf.Tensor, mc_samples: int) -> Masks:
        """The K masks of a seed, ``[K, width]`` per stage of the head."""


@runtime_checkable
class KeepsPrevious(Protocol):
    """Remembers the classifier of the round before."""

    def keep_previous(self) -> None:
        """Begin to remember it, as ``previous``."""


@runtime_checkable
class Drawable(Protocol):
    """Examples for which E and G can be built: vectors, or images of 8 to 96 pixels a side."""

    @property
    def can_be_drawn(self) -> bool:
        """True; learners of other examples lack it."""


@runtime_checkable
class Generates(Protocol):
    """Makes examples of a class from latents."""

    @property
    def latent_dim(self) -> int:
        """Z."""

    def from_prior(self, noise: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Latents ``[B, Z]`` of labels ``[B]`` that normal noise ``[B, Z]`` stands for."""

    def decode(self, latent: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Examples ``[B, *shape]`` of latents ``[B, Z]`` and labels ``[B]``."""


@runtime_checkable
class Encodes(Generates, Protocol):
    """Finds latents of examples, too."""

    def encode(self, examples: tf.Tensor, eps: tf.Tensor) -> tf.Tensor:
        """Latents ``[B, Z]`` of examples ``[B, *shape]``, drawn with normal noise ``eps``."""
