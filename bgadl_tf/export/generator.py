"""Signatures of the generator: examples of a class, and x' = G(E(x), y) where there is an encoder.

Every row is drawn from its own seed, so it does not depend on the rows beside it. What is generated
is what the learner learns from: in the features of a backbone, features as they are projected.
"""

from __future__ import annotations

import tensorflow as tf

from bgadl_tf.export import by_seed
from bgadl_tf.export.pipeline import Pipeline
from bgadl_tf.export.signatures import LABEL, SEED, Outputs, Signature, examples_spec, require
from bgadl_tf.learners.abilities import Encodes, Generates
from bgadl_tf.models.spaces import Space


def generator_signatures(
    networks: Generates, space: Space, classes: int, pipeline: Pipeline | None = None
) -> dict[str, Signature]:
    """What the generator is served as.

    Args:
        networks: A generator, and perhaps an encoder.
        space: Of what it generates.
        classes: C.
        pipeline: What examples that are sent go through; None for nothing.
    """
    pipeline = pipeline or Pipeline()

    def known(label: tf.Tensor) -> tf.Tensor:
        strange = tf.boolean_mask(label, (label < 0) | (label >= classes))
        message = f"expected a label from 0 to {classes - 1}; got"
        (passed,) = require(tf.size(strange) == 0, message, strange)(label)
        return passed

    def generate(label: tf.Tensor, seed: tf.Tensor) -> Outputs:
        label = known(label)
        latent = networks.from_prior(by_seed.normal(seed, networks.latent_dim), label)
        return {space.name: networks.decode(latent, label)}

    signatures = {"serving_default": Signature((LABEL, SEED), generate)}
    if isinstance(networks, Encodes):
        encodes: Encodes = networks

        def augment(examples: tf.Tensor, label: tf.Tensor, seed: tf.Tensor) -> Outputs:
            noise = by_seed.normal(seed, encodes.latent_dim)
            latent = encodes.encode(pipeline(examples), noise)
            return {space.name: encodes.decode(latent, known(label))}

        signatures["augment"] = Signature(
            (examples_spec(pipeline.space(space)), LABEL, SEED), augment
        )
    return signatures
