"""Self-taught learning: features from examples without labels, and a linear machine on them.

Raina, Battle, Lee, Packer and Ng, "Self-taught Learning: Transfer Learning from Unlabeled Data"
(ICML 2007). Before round 0 the trunk of the classifier learns a sparse code of all training
examples (``sparse_coding``); the rounds train the head on it under hinge loss (``hinge``). With
classifier ``shallow`` that is a dictionary of 256 atoms and a linear machine on the codes. The
paper takes other data than the task's for the code; here it is the pool, as for the generator of
``gaal``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.hinge import HingeLearner, HingeOptions
from bgadl_tf.learners.initial_weights import SeedOf
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.sparse_coding import Dictionary, SparseCoding
from bgadl_tf.learners.stage import Stage
from bgadl_tf.models.classifiers.base import Classifier


@dataclass(frozen=True, kw_only=True)
class SelfTaughtOptions(HingeOptions):
    """How the code is learned, and whether it stays; the rest is of the machine's rounds.

    Args:
        freeze: Train the head alone in every round; if not, all of the classifier, its trunk
            beginning from the code.
        pretext_steps: Gradient steps before round 0, on batches as large as those of a round.
        pretext_learning_rate: Of Adam.
        sparsity: Weight of |f|_1 against the squared error of an example.
    """

    freeze: bool = True
    pretext_steps: int = 1000
    pretext_learning_rate: float = 1e-3
    sparsity: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.pretext_steps >= 1, "pretext_steps", "at least 1")
        self.require(self.pretext_learning_rate > 0, "pretext_learning_rate", "positive")
        self.require(self.sparsity >= 0, "sparsity", "at least 0")


@LEARNERS.register("self_taught")
@keras.saving.register_keras_serializable("bgadl_tf")
class SelfTaught(HingeLearner):
    """A support vector machine on a sparse code; images or vectors.

    Raises:
        ConfigError: The classifier has no trunk that could learn a code.
    """

    options_type = SelfTaughtOptions
    options: SelfTaughtOptions
    pretext: SparseCoding

    def __init__(self, classifier: Classifier, options: Options | None = None, **kw: Any) -> None:
        super().__init__(classifier, options, **kw)
        if not classifier.trunk_variables:
            raise ConfigError(
                f"learner 'self_taught' prepares what is below the head of a classifier, and there "
                f"{type(classifier).__name__} has nothing to train; use --classifier shallow, or "
                "another one with a trunk"
            )
        dictionary = Dictionary(classifier.head.widths[0], classifier.example_shape)
        self.dictionary = dictionary
        # The task holds the same classifier, which Keras is to save once.
        task = SparseCoding(
            classifier,
            dictionary,
            sparsity=self.options.sparsity,
            learning_rate=self.options.pretext_learning_rate,
        )
        self._keep("pretext", task)

    @property
    def saved_networks(self) -> dict[str, keras.Model]:
        return {**self.pretext.networks, **super().saved_networks}

    @property
    def saved_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        pretext = {f"pretext_{name}": one for name, one in self.pretext.optimizers.items()}
        return {**super().saved_optimizers, **pretext}

    def compile(self, optimizer: Any = None, **kw: Any) -> None:
        """Attach optimizers; those of the pretext task are as its options say."""
        super().compile(optimizer, **kw)
        self.pretext.compile()

    def draw(self, seed_of: SeedOf) -> None:
        super().draw(seed_of)
        self.pretext.draw(seed_of)

    def stages(self, round_: int, warm_start: bool = False) -> Sequence[Stage]:
        training = super().stages(round_, warm_start)
        if round_:
            return training
        pretext = Stage(
            "pretext",
            self.pretext,
            self.pretext.noise_seed,
            steps=self.options.pretext_steps,
            uses_labels=False,
            becomes_initial=True,
        )
        return [pretext, *training]

    @property
    def trains_trunk(self) -> bool:
        return not self.options.freeze
