"""What every learner is: what it trains and saves, and what its steps are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.registry import Registry
from bgadl_tf.learners import abilities
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.further import Further
from bgadl_tf.learners.optimizers import make_optimizer
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.previous import RemembersPrevious
from bgadl_tf.learners.stage import Stage
from bgadl_tf.learners.transforms import VIEWS, Transforms
from bgadl_tf.models import losses, noise
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.spaces import Space

_LABELLED, _UNLABELLED = (100, 0), (100, 1)
"""Salts of what is drawn for transforms, apart from those of what learners draw."""

TRUNK = "trunk"
"""The optimizer of what is below the classifier's head, where its learning rate is another."""


class Learner(RemembersPrevious):
    """A classifier and the way it is fitted.

    ``train_step`` takes a ``Batch``, this replica's share of one, or what ``fit`` hands it. Its
    random draws follow from ``noise_seed`` and the classifier's step count.

    Args:
        classifier: C.
        options: The learner's settings.
    """

    options_type: ClassVar[type[Options]] = Options
    terms: ClassVar[tuple[str, ...]] = ("classification",)
    """Names of the per-example loss terms; each is a metric, as are loss and accuracy."""

    transforms: Transforms

    def __init__(self, classifier: Classifier, options: Options | None = None, **kw: Any) -> None:
        super().__init__(**kw)
        self.classifier = classifier
        self.options = (options or self.options_type()).for_space(classifier.space)
        if self.trunk_differs and not (self.trains_trunk and classifier.trunk_variables):
            raise ConfigError(
                f"--option trunk_learning_rate is {self.options.trunk_learning_rate}, but of "
                f"classifier {classifier.name!r} the head alone is trained; leave it out, or "
                "train more of it, e.g. with --fine-tune all"
            )
        for name, ability in abilities.of_classifier(classifier).items():
            setattr(self, name, ability)
        self._keep("transforms", Transforms.of(self.options, classifier.example_shape))
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.tracked}
        self.built = True

    @classmethod
    def create(cls, classifier: Classifier, options: Options) -> Self:
        """The learner of this classifier, with whatever further networks it needs.

        Raises:
            ConfigError: They cannot be built for these examples.
        """
        return cls(classifier, options=options)

    @property
    def space(self) -> Space:
        """What kind of examples it learns from."""
        return self.classifier.space

    # What is trained and saved

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"classifier": self.classifier}

    @property
    def saved_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """Every optimizer that a checkpoint holds: its own, and those of other stages' models."""
        return dict(self.optimizers)

    @property
    def trains_trunk(self) -> bool:
        """Whether the rounds train the whole classifier; if not, its head on features as they are.

        A trunk that is not trained runs as at inference, BatchNorm included.
        """
        return True

    def trained_variables(self, name: str) -> list[keras.Variable]:
        if name == TRUNK:
            return self.classifier.trunk_variables
        if name == "classifier" and (self.trunk_differs or not self.trains_trunk):
            head: list[keras.Variable] = self.classifier.head.trainable_variables
            return head
        return super().trained_variables(name)

    def stages(self, round_: int, warm_start: bool = False) -> Sequence[Stage]:
        """What a round trains, in order; the same whenever it is asked.

        Args:
            round_: 0 for the round that trains on the initial set.
            warm_start: Whether the classifier goes on from the round before.
        """
        return [Stage("train", self, self.noise_seed, resets=self.resets(warm_start))]

    @property
    def tracked(self) -> tuple[str, ...]:
        """Names of everything that is tracked, each a metric."""
        return ("loss", "accuracy", *self.terms)

    @property
    def uses_views(self) -> bool:
        uses: bool = self.transforms.uses_views
        return uses

    @property
    def needs_views(self) -> bool:
        """Whether it is of no use without views of the examples."""
        return self.uses_views and self.options.transforms == VIEWS

    def resets(self, warm_start: bool = False) -> tuple[str, ...]:
        """Names of the networks that begin every round from their initial weights."""
        return () if warm_start else ("classifier",)

    @property
    def learning_rate(self) -> float:
        return self.options.learning_rate

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        rates = {"classifier": self.options.learning_rate}
        if self.trunk_differs and self.options.trunk_learning_rate is not None:
            rates[TRUNK] = self.options.trunk_learning_rate
        return {name: make_optimizer(self.options.optimizer, rate) for name, rate in rates.items()}

    @property
    def trunk_differs(self) -> bool:
        """Whether the classifier's trunk has an optimizer of its own."""
        options = self.options
        return options.trunk_learning_rate not in (None, options.learning_rate)

    def reset_optimizers(self, names: Sequence[str]) -> None:
        super().reset_optimizers([*names, TRUNK] if "classifier" in names else names)

    def gradients(
        self, tape: tf.GradientTape, objectives: Mapping[str, tf.Tensor]
    ) -> dict[str, list[tf.Tensor]]:
        """See ``Networks``; the classifier's trunk descends with it, perhaps at another rate."""
        if TRUNK in self.optimizers and "classifier" in objectives:
            objectives = {**objectives, TRUNK: objectives["classifier"]}
        return super().gradients(tape, objectives)

    # One step

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        raise NotImplementedError(f"{type(self).__name__} must take a step")

    def prepared(self, batch: Batch, seed: tf.Tensor) -> Batch:
        """The batch with every real example transformed, labelled or not, each in its own way.

        Args:
            batch: Unpacked.
            seed: ``[2]``, of the step.
        """
        count = self.options.batch_augmentation
        examples, *forms = self.transforms.forms(
            batch.examples, noise.fold(seed, *_LABELLED), count, batch.views
        )
        unlabelled = batch.unlabelled
        if unlabelled is not None and self.transforms.kinds:
            unlabelled = self.transforms(
                unlabelled, noise.fold(seed, *_UNLABELLED), batch.unlabelled_views
            )
        return batch._replace(examples=examples, unlabelled=unlabelled, forms=tuple(forms))

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Loss and accuracy of the deterministic classifier, for ``evaluate``."""
        batch = self.unpack(data)
        log_probs = self.classifier(batch.examples)
        term = weighted(losses.cross_entropy(log_probs, batch.labels), batch)
        return self.track({"classification": term}, term, log_probs, batch)

    def call(self, examples: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Log-probabilities ``[B, C]`` of examples ``[B, *shape]`` as they are stored."""
        return self.classifier(self.space.to_float(examples), training=training)

    # What the steps are made of

    def unpack(self, data: Any) -> Batch:
        """A batch with float32 examples, images in [0, 1], and int32 labels ``[B]``."""
        batch = Batch.of(data)
        labels = tf.convert_to_tensor(batch.labels)
        if labels.shape.rank == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        given = {
            name: self.space.to_float(tf.convert_to_tensor(getattr(batch, name)))
            for name in ("examples", "unlabelled", "views", "unlabelled_views")
            if getattr(batch, name) is not None
        }
        return batch._replace(**given, labels=tf.cast(labels, tf.int32))

    def track(
        self,
        terms: Mapping[str, tf.Tensor],
        loss: tf.Tensor,
        log_probs: tf.Tensor,
        batch: Batch,
    ) -> dict[str, tf.Tensor]:
        """Add a step to the running means; the means so far.

        Args:
            terms: Per-example loss terms ``[B]``.
            loss: The classifier's whole objective per example ``[B]``.
            log_probs: Of the labelled examples ``[B, C]``.
            batch: The step's.
        """
        right = tf.equal(tf.argmax(log_probs, axis=1, output_type=tf.int32), batch.labels)
        self.trackers["loss"].update_state(loss)
        self.trackers["accuracy"].update_state(tf.cast(right, tf.float32), batch.weights)
        for name, per_example in terms.items():
            self.trackers[name].update_state(per_example)
        return {metric.name: metric.result() for metric in self.metrics}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.trackers.values())

    # What it says of a round, and makes of a query

    def facts(self) -> dict[str, float]:
        """Numbers about the training of the newest round, from saved weights; here none."""
        return {}

    def further(self, asked: Batch, seed: tuple[int, int]) -> Further | None:
        """Further examples, made of those that were asked for and labelled; here none.

        Args:
            asked: As they are stored.
            seed: Of whatever is drawn.
        """
        return None

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            **{
                name: keras.saving.serialize_keras_object(network)
                for name, network in self.networks.items()
            },
            "options": dict(vars(self.options)),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Learner:
        config = dict(config)
        options = cls.options_type(**config.pop("options"))
        name = config.pop("name")
        networks = {
            key: keras.saving.deserialize_keras_object(value, custom_objects=custom_objects)
            for key, value in config.items()
        }
        return cls(**networks, options=options, name=name)


def weighted(per_example: tf.Tensor, batch: Batch) -> tf.Tensor:
    """Loss terms ``[B]`` of the labelled examples under the weights of the batch."""
    if batch.weights is None:
        return per_example
    return per_example * tf.cast(batch.weights, per_example.dtype)


LEARNERS: Registry[type[Learner]] = Registry("learner", "bgadl_tf.learners")
