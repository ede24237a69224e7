"""Networks by name, each with an optimizer of its own: a learner, or a pretext task."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bgadl_tf.core.types import Floats, Labels
from bgadl_tf.learners import initial_weights
from bgadl_tf.learners.initial_weights import SeedOf
from bgadl_tf.learners.optimizers import OPTIMIZERS, make_optimizer, restore_state, state_of


class Networks(keras.Model):
    """Several networks that step together, from draws that follow from ``noise_seed``.

    A subclass says which ``networks`` it trains and how (``train_step``), and which optimizers it
    has unless ``compile`` is given others.
    """

    main: str = "classifier"
    """The network that ``compile(optimizer=...)`` is about, and whose steps are counted."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        self.noise_seed = self.add_weight(
            name="noise_seed", shape=(2,), dtype="int32", initializer="zeros", trainable=False
        )
        self.optimizers: dict[str, keras.optimizers.Optimizer] = {}
        self._initial_states: dict[str, Any]

    @property
    def networks(self) -> dict[str, keras.Model]:
        """Every network that is trained, by name."""
        raise NotImplementedError(f"{type(self).__name__} must name its networks")

    @property
    def uses_unlabelled(self) -> bool:
        """Whether a batch brings examples of the pool beside the labelled ones."""
        return False

    @property
    def uses_views(self) -> bool:
        """Whether a batch brings the stored views of its examples."""
        return False

    @property
    def uses_emphasis(self) -> bool:
        """Whether a batch says how much is to be generated of each labelled example."""
        return False

    def emphasis(self, labels: Labels, scores: Floats) -> Floats:
        """See ``Trainable``; here as much of each."""
        return np.ones(len(labels), np.float32)

    @property
    def learning_rate(self) -> float:
        """Of an optimizer of the main network that is given by name."""
        return 1e-3

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """One optimizer per network."""
        raise NotImplementedError(f"{type(self).__name__} must name its optimizers")

    @property
    def followers(self) -> dict[str, str]:
        """Names of optimizers that are copies of others, with states of their own."""
        return {}

    def compile(
        self,
        optimizer: str
        | keras.optimizers.Optimizer
        | Mapping[str, keras.optimizers.Optimizer]
        | None = None,
        **kw: Any,
    ) -> None:
        """Attach one optimizer per network and create its slots.

        Args:
            optimizer: Of the main network, an object or a name of Keras'; the other networks get
                their own from the options. A mapping names one for every network. None: all from
                the options.
            **kw: For ``keras.Model.compile``.

        Raises:
            ValueError: Names of optimizers and networks differ, or a loss or metric is given.
        """
        if own := sorted({"loss", "loss_weights", "metrics", "weighted_metrics"} & {*kw}):
            raise ValueError(
                f"{type(self).__name__} has losses and metrics of its own; leave out {own[0]!r}"
            )
        optimizers = self.default_optimizers()
        if isinstance(optimizer, Mapping):
            if set(optimizer) - {*self.followers} != set(optimizers):
                raise ValueError(
                    f"optimizers for {sorted(optimizer)}; expected one for each of "
                    f"{sorted(optimizers)}"
                )
            optimizers = dict(optimizer)
        elif isinstance(optimizer, str) and optimizer.lower() in OPTIMIZERS:
            optimizers[self.main] = make_optimizer(optimizer.lower(), self.learning_rate)
        elif optimizer is not None:
            optimizers[self.main] = keras.optimizers.get(optimizer)
        for follower, leader in self.followers.items():
            if follower not in optimizers:
                like = optimizers[leader]
                optimizers[follower] = type(like).from_config(like.get_config())
        super().compile(optimizer=None, **kw)
        for name, one in optimizers.items():
            one.build(self.trained_variables(name))
        self.optimizers = optimizers
        self._keep("_initial_states", {name: state_of(one) for name, one in optimizers.items()})

    def trained_variables(self, name: str) -> list[keras.Variable]:
        """What the optimizer of this name changes."""
        variables: list[keras.Variable] = self.networks[name].trainable_variables
        return variables

    def get_compile_config(self) -> dict[str, Any]:
        serialise = keras.saving.serialize_keras_object
        return {"optimizers": {n: serialise(optimizer) for n, optimizer in self.optimizers.items()}}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        restore = keras.saving.deserialize_keras_object
        self.compile({name: restore(value) for name, value in config["optimizers"].items()})

    def draw(self, seed_of: SeedOf) -> None:
        """Give every network initial weights, and every optimizer its initial state, in place."""
        for name, network in self.networks.items():
            initial_weights.draw(network, functools.partial(_prefixed, seed_of, name))
        self.reset_optimizers((*self.optimizers,))

    def reset_optimizers(self, names: Sequence[str]) -> None:
        """Give those of the named optimizers that there are the state that they began with."""
        for name in names:
            if name in self.optimizers:
                restore_state(self.optimizers[name], self._initial_states[name])

    def step_seed(self) -> tf.Tensor:
        """``[2]`` seed of this step: the same on every replica, another at every step."""
        step = self.optimizers[self.main].iterations
        return tf.random.experimental.stateless_fold_in(
            tf.convert_to_tensor(self.noise_seed), tf.cast(step, tf.int32)
        )

    def descend(
        self,
        tape: tf.GradientTape,
        objectives: Mapping[str, tf.Tensor],
        parts: Mapping[str, tf.Tensor] | None = None,
    ) -> dict[str, tf.Tensor]:
        """One simultaneous step of each named network down its own objective.

        Args:
            tape: Has seen the objectives; persistent where there are several, or parts.
            objectives: Scalars by network, each replica's share.
            parts: Scalars whose sum is the main network's objective, by group of examples, "real"
                first. Learners may weigh their gradients against each other; here none does.

        Returns:
            Which share of each further part's gradient counted; empty where all of it does.
        """
        self.apply(self.gradients(tape, objectives))
        return {}

    def gradients(
        self, tape: tf.GradientTape, objectives: Mapping[str, tf.Tensor]
    ) -> dict[str, list[tf.Tensor]]:
        """Of each named network's objective, this replica's share, by optimizer.

        Networks under the very same objective share one backward pass.
        """
        gradients: dict[str, list[tf.Tensor]] = {}
        for objective in {id(tensor): tensor for tensor in objectives.values()}.values():
            sources = {
                name: self.trained_variables(name)
                for name, own in objectives.items()
                if own is objective
            }
            gradients |= tape.gradient(objective, sources)
        return gradients

    def apply(self, gradients: Mapping[str, list[tf.Tensor]]) -> None:
        """One step of each optimizer that has gradients, which are added up over replicas."""
        for name, values in gradients.items():
            variables = self.trained_variables(name)
            self.optimizers[name].apply_gradients(zip(values, variables, strict=True))

    def _keep(self, name: str, value: Any) -> None:
        # Keras would take what is set as an attribute for a layer of the model, and save it.
        object.__setattr__(self, name, value)


def _prefixed(seed_of: SeedOf, network: str, detail: str) -> int:
    return seed_of(f"{network}/{detail}")
