"""What every learner is, and the supervised learning that the simplest ones consist of."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import keras
import tensorflow as tf

from bgadl_tf.core.registry import Registry
from bgadl_tf.learners.abilities import MC_DROPOUT
from bgadl_tf.learners.initial_weights import SeedOf, initialise
from bgadl_tf.learners.optimizers import make_optimizer, reset_optimizer
from bgadl_tf.models import losses, noise
from bgadl_tf.models.classifiers.base import Classifier


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings that every learner has; a learner's own options extend them.

    Attributes:
        optimizer: Of the classifier: sgd, adam or adadelta.
        learning_rate: Of the classifier.
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3


class Learner(keras.Model):
    """A classifier and the way it is fitted.

    ``train_step`` takes ``(images uint8 [B, H, W, D], labels [B])``, this replica's share of a
    batch. Its random draws follow from ``noise_seed`` and the classifier's step count.

    Args:
        classifier: C.
        options: The learner's settings.
    """

    options_type: ClassVar[type[Options]] = Options
    terms: ClassVar[tuple[str, ...]] = ("classification",)

    def __init__(self, classifier: Classifier, options: Options | None = None, **kw: Any) -> None:
        super().__init__(**kw)
        self.classifier = classifier
        self.options = options or self.options_type()
        self.noise_seed = self.add_weight(
            name="noise_seed", shape=(2,), dtype="int32", initializer="zeros", trainable=False
        )
        self.trackers = {term: keras.metrics.Mean(name=term) for term in self.terms}
        self.built = True

    @classmethod
    def around(cls, classifier: Classifier, options: Options) -> Self:
        """The learner of this classifier, with whatever further networks it needs."""
        return cls(classifier, options=options)

    @property
    def abilities(self) -> frozenset[str]:
        """What acquisitions can ask of this learner."""
        return frozenset({MC_DROPOUT} if self.classifier.is_stochastic else ())

    @property
    def uses_unlabelled(self) -> bool:
        """Whether a batch ends with images of the pool, ``uint8 [B, H, W, D]``."""
        return False

    # What is trained

    @property
    def networks(self) -> dict[str, keras.Model]:
        """Every network that is trained, by name."""
        return {"classifier": self.classifier}

    def fresh_each_round(self, warm_start: bool) -> tuple[str, ...]:
        """Names of the networks that start every round from new weights."""
        return () if warm_start else ("classifier",)

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """One optimizer per network, from the options."""
        return {"classifier": make_optimizer(self.options.optimizer, self.options.learning_rate)}

    def compile(
        self, optimizers: Mapping[str, keras.optimizers.Optimizer] | None = None, **kw: Any
    ) -> None:
        """Attach one optimizer per network and create its slots.

        Args:
            optimizers: By network name; None for ``default_optimizers()``.
            **kw: For ``keras.Model.compile``.

        Raises:
            ValueError: Names of optimizers and networks differ.
        """
        optimizers = dict(optimizers or self.default_optimizers())
        if set(optimizers) != set(self.networks):
            raise ValueError(
                f"optimizers for {sorted(optimizers)}; expected one for each of "
                f"{sorted(self.networks)}"
            )
        super().compile(optimizer=None, **kw)
        for name, optimizer in optimizers.items():
            optimizer.build(self.networks[name].trainable_variables)
        self.optimizers = optimizers

    def get_compile_config(self) -> dict[str, Any]:
        serialise = keras.saving.serialize_keras_object
        return {"optimizers": {n: serialise(optimizer) for n, optimizer in self.optimizers.items()}}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        restore = keras.saving.deserialize_keras_object
        self.compile({name: restore(value) for name, value in config["optimizers"].items()})

    def reset(self, names: tuple[str, ...], seed_of: SeedOf) -> None:
        """Give the named networks new weights, and their optimizers new states, in place."""
        for name in names:
            initialise(self.networks[name], functools.partial(_prefixed, seed_of, name))
            reset_optimizer(self.optimizers[name])

    # One step

    def train_step(self, data: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
        images, labels = self.unpack(data)
        seed = self.step_seed()
        images = self.transform(images, noise.fold(seed, 0))
        with tf.GradientTape() as tape:
            log_probs = self.classifier(images, training=True, seed=noise.fold(seed, 1))
            terms = {"classification": losses.cross_entropy(log_probs, labels)}
            loss = losses.global_mean(terms["classification"])
        self.descend(tape, {"classifier": loss})
        return self.track(terms)

    def transform(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Label-preserving transform of real images ``[B, H, W, D]``; here none."""
        return images

    def test_step(self, data: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
        """Mean loss of the deterministic classifier, for ``evaluate``."""
        images, labels = self.unpack(data)
        return self.track({"classification": losses.cross_entropy(self.classifier(images), labels)})

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Log-probabilities ``[B, C]`` of images ``uint8 [B, H, W, D]``."""
        return self.classifier(to_float(images), training=training)

    # What the steps are made of

    def unpack(self, data: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, tf.Tensor]:
        """Labelled images as float32 in [0, 1], and int32 labels."""
        images, labels = data[:2]
        return to_float(images), tf.cast(labels, tf.int32)

    def step_seed(self) -> tf.Tensor:
        """``[2]`` seed of this step: the same on every replica, another at every step."""
        step = self.optimizers["classifier"].iterations
        return tf.random.experimental.stateless_fold_in(
            tf.convert_to_tensor(self.noise_seed), tf.cast(step, tf.int32)
        )

    def descend(self, tape: tf.GradientTape, objectives: Mapping[str, tf.Tensor]) -> None:
        """One simultaneous step of each named network down its own objective.

        Networks under the very same objective share one backward pass.
        """
        gradients: dict[str, list[tf.Tensor]] = {}
        for objective in {id(tensor): tensor for tensor in objectives.values()}.values():
            sources = {
                name: self.networks[name].trainable_variables
                for name, own in objectives.items()
                if own is objective
            }
            gradients |= tape.gradient(objective, sources)
        for name, values in gradients.items():
            variables = self.networks[name].trainable_variables
            self.optimizers[name].apply_gradients(zip(values, variables, strict=True))

    def track(self, terms: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Add per-example loss terms ``[B]`` to their running means; the means so far."""
        for name, per_example in terms.items():
            self.trackers[name].update_state(per_example)
        return {metric.name: metric.result() for metric in self.metrics}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.trackers.values())

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


def _prefixed(seed_of: SeedOf, network: str, detail: str) -> int:
    return seed_of(f"{network}/{detail}")


def to_float(images: tf.Tensor) -> tf.Tensor:
    """``uint8`` 0 .. 255 to ``float32`` in [0, 1]; the one scaling of the package."""
    return tf.cast(images, tf.float32) / 255.0


def to_uint8(images: tf.Tensor) -> tf.Tensor:
    """``float32`` in [0, 1] to the nearest ``uint8``."""
    return tf.cast(tf.round(tf.clip_by_value(images, 0.0, 1.0) * 255.0), tf.uint8)


LEARNERS: Registry[type[Learner]] = Registry("learner", "bgadl_tf.learners")
