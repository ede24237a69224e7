"""VAAL: examples that look least like labelled ones in the latent space of an autoencoder.

Sinha, Ebrahimi and Darrell, "Variational Adversarial Active Learning" (ICCV 2019). The networks are
the acquisition's own and know nothing of the task: an autoencoder of all examples, and a
discriminator that tells from the mean of a latent whether its example is labelled. The lowest
D(mu(x)) are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, GivesScores, PoolView
from bgadl_tf.acquisition.adversarial_vae import AdversarialVAE
from bgadl_tf.acquisition.blocks import blocks_of, padded
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.query import Scores
from bgadl_tf.core.errors import ConfigError, PoolError
from bgadl_tf.core.types import Floats
from bgadl_tf.learners.abilities import Drawable
from bgadl_tf.models.classifiers.base import Classifier

BLOCK = 250
"""Examples that E sees at a time."""


@ACQUISITIONS.register("vaal")
@dataclass(frozen=True)
class VAAL(GivesScores):
    """Asks for what its discriminator calls unlabelled.

    Scores are minus D's logit, the log-odds of "unlabelled", which do not saturate. The networks
    are made anew for every query, from weights of its seed, and train on the plan's batches. What a
    learner adds to the labelled set counts as labelled.

    Memory: a chunk at a time, and a number for each candidate. Time: ``steps`` steps of a
    generative learner, and one pass of E over the candidates.

    Args:
        steps: Gradient steps.
        vae_steps: Of E and G in each of them.
        latent_dim: Z.
        width: Multiplies the channel and unit counts of E and G.
        beta: Weight of the divergence against the error, see ``adversarial_vae``.
        adversarial_weight: Weight of fooling D, against both.
        learning_rate: Of Adam, of E, G and D.
    """

    needs: ClassVar[tuple[type, ...]] = (Drawable,)
    may_be_negative: ClassVar[bool] = True

    steps: int = 1000
    vae_steps: int = 2
    latent_dim: int = 32
    width: float = 0.5
    beta: float = 1.0
    adversarial_weight: float = 1.0
    learning_rate: float = 5e-4

    def __post_init__(self) -> None:
        for name in ("steps", "vae_steps", "latent_dim"):
            self._require(getattr(self, name) >= 1, name, "at least 1")
        for name in ("beta", "adversarial_weight"):
            self._require(getattr(self, name) >= 0, name, "at least 0")
        for name in ("width", "learning_rate"):
            self._require(getattr(self, name) > 0, name, "positive")

    def scores_of(self, view: PoolView, rng: np.random.Generator) -> Iterator[Scores]:
        if not view.labels:
            raise PoolError("vaal tells labelled from unlabelled, and nothing is labelled yet")
        seed = int(rng.integers(2**31))
        networks = view.make(lambda classifier: self.networks(classifier, seed))
        view.train(networks, self.steps)
        shape = networks.encoder.example_shape
        logits = tf.function(
            networks.logits,
            input_signature=[tf.TensorSpec((BLOCK, *shape), tf.float32)],
            autograph=False,
        )
        ids, found = sorted(view.ids), list[float]()
        # Blocks do not depend on how the pool is ordered and cut, nor does the rounding in them.
        for examples in blocks_of((part for (part,) in view.look(self.see, ids)), BLOCK):
            told = logits(tf.constant(padded(examples, BLOCK))).numpy()
            found += finite_only(-told[: len(examples)], examples).tolist()
        score_of = dict(zip(ids, found, strict=True))
        yield np.array([score_of[id_] for id_ in view.ids], np.float32)

    def see(self, evidence: Evidence) -> tf.Tensor:
        """The examples as networks see them, ``[n, *shape]``."""
        return evidence.inputs

    def networks(self, classifier: Classifier, seed: int) -> AdversarialVAE:
        """E, G and D for a classifier's examples, ready to be trained."""
        networks = AdversarialVAE(
            classifier.example_shape,
            self.latent_dim,
            self.width,
            beta=self.beta,
            adversarial_weight=self.adversarial_weight,
            learning_rate=self.learning_rate,
            vae_steps=self.vae_steps,
        )
        networks.begin(seed)
        return networks

    def _require(self, holds: bool, name: str, expected: str) -> None:
        if not holds:
            raise ConfigError(
                f"--option vaal.{name} is {getattr(self, name)}; it must be {expected}"
            )


def finite_only(scores: Floats, examples: Floats) -> Floats:
    """The scores ``[n]``, nan where an example is not finite: a ReLU may make a number of that."""
    finite = np.isfinite(examples).all(axis=tuple(range(1, examples.ndim)))
    return np.where(finite, scores, np.float32(np.nan))
