"""The training of a round: its stages one after the other, each taken up where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from bgadl_tf.core import seeding
from bgadl_tf.core.errors import PoolError, RunFolderError
from bgadl_tf.engine.snapshot import Snapshot
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.growing import with_classes
from bgadl_tf.learners.initial_weights import is_drawn
from bgadl_tf.learners.learner import Learner
from bgadl_tf.learners.stage import Stage, Trainable
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.further import NAME as FURTHER
from bgadl_tf.loop.journal import Journal, Moment
from bgadl_tf.loop.plan import Plan
from bgadl_tf.loop.training_set import TrainingData, TrainingSet
from bgadl_tf.models.classifiers.base import Classifier

GIVEN = "given_weights"
"""What a journal calls the weights of networks that were given their own."""

_INITIAL = "initial_weights"


class Fitting:
    """Trains a learner, round by round, and keeps weights as it goes.

    Weights are drawn by the seed, or given by the user; what was given is kept, so that a restart
    begins from the same. Before a stage, the networks it names go back to these.

    Args:
        learner: Compiled within the scope of ``strategy``.
        strategy: Where it trains.
        journal: Keeps weights.
        plan: The protocol.
        callback: Told of every few steps.
        class_counts: How many classes there were, from the first to as many as there are.

    Raises:
        RunFolderError: The weights that were kept do not fit the rounds that are finished.
    """

    def __init__(
        self,
        learner: Learner,
        strategy: tf.distribute.Strategy,
        journal: Journal,
        plan: Plan,
        callback: Callback,
        class_counts: Sequence[int],
    ) -> None:
        self.class_counts = tuple(class_counts)
        self.learner, self.strategy, self.journal = learner, strategy, journal
        self.plan, self._callback = plan, callback
        self.trainer = self._trainer(learner)
        self._trainers = {id(learner): self.trainer}
        self._interrupted = self._advances = False
        self._moment: Moment | None = None
        self._snapshot = Snapshot({})
        self._begin()
        finished = len(journal.finished())
        if not self._can_go_on_to(finished):
            raise RunFolderError(
                f"{finished} rounds are finished, but the newest sound checkpoint is "
                f"{self._newest()}; restore the checkpoints or start a new run folder"
            )

    def advance(self, round_: int, training_set: TrainingSet, without_labels: bool = False) -> None:
        """Take the stages of a round that are still to be taken.

        Args:
            round_: The round.
            training_set: What there is to train on.
            without_labels: Take only stages that need no label, before the first query.

        Raises:
            DivergenceError: A loss term is not finite.
        """
        self.settle()
        self._advances = True
        try:
            self._advance(round_, training_set, without_labels)
        finally:
            self._advances = False

    def _advance(self, round_: int, training_set: TrainingSet, without_labels: bool) -> None:
        for number, stage in enumerate(self._stages(round_)):
            steps = self._steps_of(stage)
            # What is past, of this round or, before the first query is trained on, of this stage.
            if self._moment is not None and self._moment >= (round_, number, steps):
                continue
            if stage.uses_labels and without_labels:
                return
            self._interrupted = True
            self._take(round_, number, stage, training_set)
            self._moment = Moment(round_, number, steps)
            self._interrupted = False

    def settle(self) -> None:
        """After an error, go back to the newest moment that the journal has.

        Another thread that asks what has begun leaves alone what is being trained.
        """
        if self._interrupted and not self._advances:
            self._begin()

    def has_begun(self, round_: int) -> bool:
        """Whether a round has trained on labels, or made further examples of its query."""
        self.settle()
        if self.journal.kept(round_, FURTHER) is not None:
            return True
        moment = self._moment
        if moment is None or moment.round != round_:
            return False
        return self._stages(round_)[moment.stage].uses_labels

    @property
    def moment(self) -> Moment | None:
        """What the newest weights are of; None where there are none."""
        return self._moment

    def save(self, round_: int) -> None:
        """Keep the weights of a round whose stages are all taken."""
        self.journal.save_weights(self._last_moment(round_), now=True)

    def make_other(self, networks: Callable[[Classifier], Any]) -> Any:
        """Make networks that are not the learner's but an acquisition's own."""
        with self.strategy.scope():
            return networks(self.learner.classifier)

    def train_other(
        self,
        round_: int,
        model: Trainable,
        steps: int,
        training_set: TrainingSet,
        uses_labels: bool = True,
    ) -> None:
        """Train networks that are not the learner's but an acquisition's own."""
        given = self._given(model, round_, training_set, uses_labels)
        if uses_labels and (given.labels is None or not len(given.labels)):
            raise PoolError("an acquisition wants to train on labels, and there are none yet")
        seed = seeding.seed_pair(self.plan.seed, round_, "query", "order")
        self._trainer(model, uses_labels).train(
            given.examples,
            given.labels,
            seed,
            steps,
            unlabelled=given.unlabelled,
            views=given.views,
            emphasis=given.emphasis,
        )

    def _begin(self) -> None:
        """Initial weights, then those of the newest moment that the journal has."""
        learner = self.learner
        self._interrupted = False
        given = [name for name, network in learner.networks.items() if not is_drawn(network)]
        kept = self.journal.kept(0, GIVEN)
        if kept is None and given:
            kept = Snapshot.take(learner.networks, given).arrays
            self.journal.keep(0, GIVEN, kept)
        # What a class began with stays when others are added.
        earlier = Snapshot({})
        for count in self.class_counts[:-1]:
            fewer = with_classes(learner, count)
            self._give_initial(fewer, Snapshot(kept or {}), given, earlier)
            earlier = Snapshot.take(fewer.saved_networks, fewer.saved_networks)
        self._give_initial(learner, Snapshot(kept or {}), given, earlier)
        self._snapshot = self._take_snapshot()
        self._moment = self.journal.restore()
        for number, stage in enumerate(self._stages(0)):
            done = (0, number, self._steps_of(stage))
            if stage.becomes_initial and self._moment is not None and self._moment >= done:
                kept = self.journal.kept(0, _INITIAL) or {}
                grown = len(self.class_counts) > 1
                names = _networks_in(kept)
                self._snapshot.restore(learner.saved_networks, names)
                Snapshot(kept).restore(learner.saved_networks, names, grown=grown)
                self._snapshot = self._take_snapshot()
                self.journal.restore()

    def _give_initial(
        self, learner: Learner, kept: Snapshot, given: Sequence[str], earlier: Snapshot
    ) -> None:
        """Weights that were given, drawn ones, and over these what fewer classes began with.

        Raises:
            RunFolderError: What was kept is of another network.
        """
        grown = len(self.class_counts) > 1
        try:
            kept.restore(learner.networks, given, grown=grown, fill=0.0)
        except ValueError as error:
            raise RunFolderError(
                f"the weights that {' and '.join(given)} began with are not those of the network "
                f"now: {error}; give the network that the run was begun with, and if this is it, "
                "finish the run with the version of bgadl_tf it was begun with, or start anew in "
                "another folder"
            ) from error
        learner.draw(lambda detail: seeding.seed_pair(self.plan.seed, 0, "weights", detail)[0])
        earlier.restore(learner.saved_networks, _networks_in(earlier.arrays), grown=grown)

    def _given(
        self, model: Trainable, round_: int, training_set: TrainingSet, uses_labels: bool
    ) -> TrainingData:
        """The labelled set and what else a model uses; or all examples without any label."""
        if uses_labels:
            return training_set.given_to(model, round_)
        return TrainingData(unlabelled=training_set.everything())

    def _take(
        self,
        round_: int,
        number: int,
        stage: Stage,
        training_set: TrainingSet,
    ) -> None:
        """One stage, from its beginning or from where it stopped."""
        learner, steps = self.learner, self._steps_of(stage)
        first_step = 0
        if self._moment is not None and self._moment[:2] == (round_, number):
            first_step = self._moment.step
        else:
            if number == 0:
                learner.remember_classifier()
            self._snapshot.restore(learner.saved_networks, stage.resets)
            learner.reset_optimizers(stage.resets)
        detail = "" if stage.model is learner else stage.name
        stage.noise_seed.assign(seeding.seed_pair(self.plan.seed, round_, "noise", detail))

        def progress(step: int, means: dict[str, float]) -> None:
            self._callback.on_step(round_, stage.name, step, means)
            if step < steps:  # the end of a stage is kept once it is known to be good
                self.journal.save_weights(Moment(round_, number, step), now=False)

        given = self._given(stage.model, round_, training_set, stage.uses_labels)
        if id(stage.model) not in self._trainers:
            self._trainers[id(stage.model)] = self._trainer(stage.model, stage.uses_labels)
        self._trainers[id(stage.model)].train(
            given.examples,
            given.labels,
            seeding.seed_pair(self.plan.seed, round_, "order", detail),
            steps,
            first_step,
            unlabelled=given.unlabelled,
            views=given.views,
            emphasis=given.emphasis,
            progress=progress,
        )
        if stage.becomes_initial:
            learner.classifier_begins()
            self._snapshot = self._take_snapshot()
            self.journal.keep(0, _INITIAL, self._snapshot.arrays)
        if Moment(round_, number, steps) != self._last_moment(round_):
            self.journal.save_weights(Moment(round_, number, steps), now=True)

    def _take_snapshot(self) -> Snapshot:
        names = {name for round_ in (0, 1) for s in self._stages(round_) for name in s.resets}
        return Snapshot.take(self.learner.saved_networks, sorted(names))

    def _can_go_on_to(self, round_: int) -> bool:
        if self._moment is None:
            return round_ == 0
        if self._moment.round == round_:
            stages = self._stages(round_)
            known = self._moment.stage < len(stages)
            return known and 0 <= self._moment.step <= self._steps_of(stages[self._moment.stage])
        return round_ > 0 and self._moment == self._last_moment(round_ - 1)

    def _newest(self) -> str:
        moment = self._moment
        return "gone" if moment is None else f"of round {moment.round}, step {moment.step}"

    def _last_moment(self, round_: int) -> Moment:
        stages = self._stages(round_)
        return Moment(round_, len(stages) - 1, self._steps_of(stages[-1]))

    def _stages(self, round_: int) -> list[Stage]:
        return [*self.learner.stages(round_, self.plan.warm_start)]

    def _steps_of(self, stage: Stage) -> int:
        return self.plan.steps if stage.steps is None else stage.steps

    def _trainer(self, model: Trainable, labelled: bool = True) -> Trainer:
        return Trainer(
            model, self.learner.space, self.strategy, self.plan.batch_size, labelled=labelled
        )


def _networks_in(arrays: Mapping[str, Any]) -> list[str]:
    """Names of the networks that a snapshot is of."""
    return [*dict.fromkeys(name.partition("/")[0] for name in arrays)]
