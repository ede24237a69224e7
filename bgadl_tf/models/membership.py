"""Labelled or not: a discriminator of latents, and what it descends and those that fool it.

Sinha, Ebrahimi and Darrell, "Variational Adversarial Active Learning" (ICCV 2019), equations 2-4.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from bgadl_tf.models import losses


def membership_network(inputs: int, hidden: Sequence[int]) -> keras.Sequential:
    """(Dense -> ReLU) x hidden, then one logit: positive for "labelled".

    Args:
        inputs: Width of what it takes.
        hidden: Units of the hidden layers.
    """
    return keras.Sequential([
        keras.Input((inputs,)),
        *(
            keras.layers.Dense(units, "relu", kernel_initializer="he_normal", dtype="float32")
            for units in hidden
        ),
        keras.layers.Dense(1, dtype="float32"),
    ])  # fmt: skip


def fooling(labelled: tf.Tensor, unlabelled: tf.Tensor) -> tf.Tensor:
    """-log D(mu_l) - log D(mu_u), ``[B]`` nats, from D's logits: both are to look labelled."""
    return losses.cross_entropy_real(labelled) + losses.cross_entropy_real(unlabelled)


def discrimination(labelled: tf.Tensor, unlabelled: tf.Tensor) -> tf.Tensor:
    """-log D(mu_l) - log (1 - D(mu_u)), ``[B]`` nats, from D's logits."""
    return losses.cross_entropy_real(labelled) + losses.cross_entropy_fake(unlabelled)
