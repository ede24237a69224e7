"""What a learner may be able to do beside learning; acquisitions and export ask for these."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import tensorflow as tf

from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.mc_dropout import Masks


@runtime_checkable
class MCDropout(Protocol):
    """A classifier whose passes can disagree. Only learners with a stochastic one have it."""

    def mc_masks(self, seed: tf.Tensor, mc_samples: int) -> Masks:
        """The K masks of a seed, ``[K, width]`` per stage of the head."""


@runtime_checkable
class LinearHead(Protocol):
    """A classifier that ends in a dense layer whose kernel can be read."""

    def last_kernel(self) -> tf.Tensor:
        """From what the last dense layer sees to logits, float32 ``[P, C]``."""


@runtime_checkable
class SquareImages(Protocol):
    """Learns from images as high as they are wide, which can be turned."""

    square_shape: tuple[int, ...]
    """Of an image, (H, H, D)."""


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
class TellsLabelled(Protocol):
    """Has learned to tell labelled from unlabelled examples."""

    def labelled_logits(self, examples: tf.Tensor) -> tf.Tensor:
        """Of being labelled ``[n]``, of examples ``[n, *shape]`` as networks see them."""


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


def of_classifier(classifier: Classifier) -> dict[str, Any]:
    """By name what a learner offers because its classifier does."""
    shape = classifier.example_shape
    found: dict[str, Any] = {}
    if classifier.is_stochastic:
        found["mc_masks"] = classifier.head.mc_masks
    if hasattr(classifier.head, "last_kernel"):
        found["last_kernel"] = classifier.head.last_kernel
    if len(shape) == 3 and shape[0] == shape[1]:
        found["square_shape"] = shape
    if classifier.space.can_be_drawn:
        found["can_be_drawn"] = True
    return found
