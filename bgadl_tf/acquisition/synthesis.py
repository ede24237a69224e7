"""What acquisitions share that ask about images that nobody has: G(z) of a frozen DCGAN.

The network is trained once a run, on all training examples without a label, and its G is
remembered. What is made of it is admitted to the pool under ids of its own, as a dataset would
store it: pixels are rounded to 8 bits before they are scored, asked about and learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import PoolView
from bgadl_tf.acquisition.dcgan import DCGAN
from bgadl_tf.acquisition.query import Query, top
from bgadl_tf.core.errors import ConfigError, PoolError
from bgadl_tf.core.types import Examples
from bgadl_tf.learners.abilities import Drawable
from bgadl_tf.models.classifiers.base import Classifier

BLOCK = 16
"""Latents that are looked at together."""

BLOCKS = 40
"""Blocks more than are needed, after which G is said to make no more different examples."""


class Made(NamedTuple):
    """A block of synthesised examples.

    Fields:
        examples: ``[n, *shape]`` as they are stored.
        scores: ``[n]``, larger is more informative.
        facts: About each, ``[n]``, by name.
    """

    examples: tf.Tensor
    scores: tf.Tensor
    facts: Mapping[str, tf.Tensor]


@dataclass(frozen=True)
class Synthesises:
    """Asks about examples that it makes; those of one query are all different.

    They are called NAME-ROUND-NUMBER. Memory: the networks, and blocks of 16 examples. Time: once
    ``steps`` training steps of G and D on batches of the plan, then what a query makes.

    Args:
        steps: Of the training of G and D.
        latent_dim: Z.
        width: Multiplies the channel and unit counts of G and D.
        learning_rate: Of Adam, of G and D.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[type, ...]] = (Drawable,)
    chooses_initial_set: ClassVar[bool] = False

    steps: int = 2000
    latent_dim: int = 32
    width: float = 0.5
    learning_rate: float = 5e-4

    def __post_init__(self) -> None:
        for name in ("steps", "latent_dim"):
            self._require(getattr(self, name) >= 1, name, "at least 1")
        for name in ("width", "learning_rate"):
            self._require(getattr(self, name) > 0, name, "positive")

    def made_of(self, gan: DCGAN, classifier: Classifier, latents: tf.Tensor) -> Made:
        """Examples of latents ``[n, Z]`` from N(0, I), in a traced function.

        Args:
            gan: Its G is trained.
            classifier: The learner's.
            latents: Where to begin.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement made_of()")

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        # Drawn whether or not it is used, so that an interrupted query draws the same after it.
        seed = int(rng.integers(2**31))
        gan, classifier = view.make(lambda learnt: (self._gan(learnt, seed), learnt))
        gan.from_arrays(view.remember(self.name, lambda: self._trained(view, gan)))
        made = tf.function(
            lambda latents: self.made_of(gan, classifier, latents),
            input_signature=[tf.TensorSpec((BLOCK, self.latent_dim), tf.float32)],
            autograph=False,
        )
        found: dict[bytes, tuple[Examples, float, dict[str, float]]] = {}
        blocks = -(-size // BLOCK) + BLOCKS
        while len(found) < size and blocks:
            blocks -= 1
            block = made(tf.constant(rng.standard_normal((BLOCK, self.latent_dim)), tf.float32))
            examples, scores = block.examples.numpy(), block.scores.numpy()
            facts = {name: values.numpy() for name, values in block.facts.items()}
            for row, example in enumerate(examples):
                about = {name: float(values[row]) for name, values in facts.items()}
                found.setdefault(example.tobytes(), (example, float(scores[row]), about))
        return self._query(view.round, [*found.values()][:size], size)

    def _query(
        self, round_: int, made: list[tuple[Examples, float, dict[str, float]]], size: int
    ) -> Query:
        if len(made) < size:
            raise PoolError(
                f"{size} labels were asked for, but the generator of {self.name} makes only "
                f"{len(made)} different examples; give it more --option {self.name}.steps"
            )
        ids = [f"{self.name}-{round_}-{number}" for number in range(size)]
        best = top(ids, np.array([score for _, score, _ in made]), size)
        row_of = {id_: row for row, id_ in enumerate(ids)}
        examples = np.stack([made[row_of[id_]][0] for id_ in best.ids])
        means = {name: float(np.mean([facts[name] for *_, facts in made])) for name in made[0][2]}
        return Query(best.ids, best.scores, examples, means)

    def _gan(self, classifier: Classifier, seed: int) -> DCGAN:
        gan = DCGAN(classifier.example_shape, self.latent_dim, self.width, self.learning_rate)
        gan.begin(seed)
        return gan

    def _trained(self, view: PoolView, gan: DCGAN) -> dict[str, NDArray[Any]]:
        view.train(gan, self.steps, labels=False)
        return gan.to_arrays()

    def _require(self, holds: bool, name: str, expected: str) -> None:
        if not holds:
            raise ConfigError(
                f"--option {self.name}.{name} is {getattr(self, name)}; it must be {expected}"
            )


def stored(classifier: Classifier, made: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Examples as they are stored, and what networks then see of them, both ``[n, *shape]``.

    Args:
        classifier: Whose space they are in.
        made: What G made, images in [0, 1].
    """
    examples = classifier.space.from_float(made)
    return examples, classifier.space.to_float(examples)
