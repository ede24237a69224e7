"""The active-learning loop: ask, tell, fit, round after round.

Round 0 labels the initial set and trains on it. Every further round scores candidates with
the model of the round before, asks for the best, learns their labels, generates
x' = G(E(x*), y*) where the learner can, and trains::

    round r:  ask() -> x*      tell(y*)      x'      fit() -> accuracy

What a ``Journal`` has recorded is never done again: a run that is killed at any moment and
started again ends as one that was never killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.base import Acquisition
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core import seeding
from bgadl_tf.core.errors import DivergenceError, PoolError, RunFolderError
from bgadl_tf.core.types import Floats, Id, Images, Label, Labels
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.abilities import Augments
from bgadl_tf.learners.base import Learner
from bgadl_tf.loop.journal import Generated, Journal, Round
from bgadl_tf.loop.ledger import Ledger, Record
from bgadl_tf.loop.oracles.oracle import Oracle
from bgadl_tf.loop.pool import Pool
from bgadl_tf.loop.view import Candidates


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The protocol of a run.

    Attributes:
        rounds: Queries to make.
        query_size: b.
        initial: Ids of the initial set.
        candidates: Pool images scored in a round; 0 for all.
        steps: Gradient steps of a round.
        seed: Root seed.
        warm_start: Keep the classifier's weights from round to round.
    """

    rounds: int
    query_size: int
    initial: tuple[Id, ...]
    candidates: int
    steps: int
    seed: int
    warm_start: bool


StepObserver = Callable[[int, int, Mapping[str, float]], None]
"""Called with round, steps done in it and the mean of every loss term since the last call."""


class ActiveLearner:
    """Asks, is told, and learns.

    Args:
        dataset: Whose training set is the pool and whose test set is evaluated once a round.
        learner: Fits the classifier; compiled.
        acquisition: Chooses what to ask.
        trainer: Trains ``learner``.
        scorer: Predicts with ``learner``.
        ledger: Where answers go before they are used; its records are taken up again.
        journal: Remembers everything else.
        plan: The protocol.
        on_step: Told of the training's progress.

    Raises:
        PoolError: The ledger does not fit the dataset.
        RunFolderError: The journal lacks what it should remember.
    """

    def __init__(
        self,
        *,
        dataset: Dataset,
        learner: Learner,
        acquisition: Acquisition,
        trainer: Trainer,
        scorer: Scorer,
        ledger: Ledger,
        journal: Journal,
        plan: Plan,
        on_step: StepObserver = lambda round_, step, means: None,
    ) -> None:
        self.dataset, self.learner, self.acquisition = dataset, learner, acquisition
        self.trainer, self.scorer = trainer, scorer
        self.ledger, self.journal, self.plan, self.on_step = ledger, journal, plan, on_step
        self.pool = Pool(dataset.train.ids)
        for record in ledger.records():
            if record.label is None:
                self.pool.skip([record.id], record.round)
            else:
                self.pool.label({record.id: record.label}, record.round)
        self.round = journal.finished_rounds()
        self._lost = [round_ for round_ in range(self.round) if self._unanswered(round_)]
        self._generated = self._recall_generated()
        self._weights = journal.restore()
        self._seconds = {"score": 0.0}
        if not self._can_go_on_from(self._weights):
            raise RunFolderError(
                f"{self.round} rounds are finished, but the newest sound checkpoint is of "
                f"{self._weights} (round, step); restore the checkpoints or start a new run folder"
            )

    def _can_go_on_from(self, weights: tuple[int, int] | None) -> bool:
        if weights is None:
            return self.round == 0
        round_, step = weights
        if round_ == self.round:
            return 0 <= step <= self.plan.steps
        return weights == (self.round - 1, self.plan.steps)

    @property
    def finished(self) -> bool:
        """Whether every round of the plan is over and the ledger holds all answers."""
        return self.round > self.plan.rounds and not self._lost

    # Ask

    def ask(self) -> Query:
        """What is still to be labelled in this round, the most informative first.

        The same until it is answered, also after a restart. What a damaged ledger has lost of
        earlier rounds comes first.

        Raises:
            PoolError: The pool is exhausted.
            ScoreError: A score is not finite.
        """
        if not self._lost and self.journal.query(self.round) is None:
            query = self._initial_query() if self.round == 0 else self._best_query()
            self.journal.save_query(self.round, query, self._mask_seed)
        open_ = self._unanswered(self._asking_round)
        return Query(tuple(id_ for id_, _ in open_), tuple(score for _, score in open_))

    @property
    def _asking_round(self) -> int:
        return self._lost[0] if self._lost else self.round

    def _unanswered(self, round_: int) -> list[tuple[Id, float]]:
        query = self.journal.query(round_)
        if query is None:
            return []
        answered = {*self.pool.labelled_ids, *self.pool.skipped}
        scored = zip(query.ids, query.scores, strict=True)
        return [(id_, score) for id_, score in scored if id_ not in answered]

    def _initial_query(self) -> Query:
        return Query(self.plan.initial, (0.0,) * len(self.plan.initial))

    def _best_query(self) -> Query:
        start = time.monotonic()
        candidates = self.pool.candidates(self.plan.candidates, self._rng("candidates"))
        images = self.dataset.train.source_of(candidates)
        view = Candidates(candidates, images, self.scorer, self._mask_seed)
        query = self.acquisition.query(view, self.plan.query_size, self._rng("query"))
        self._seconds["score"] += time.monotonic() - start
        return query

    # Tell

    def tell(self, answers: Mapping[Id, Label | None], source: str = "oracle") -> None:
        """Record answers to the open query; on disk when this returns. Partial answers are fine.

        Args:
            answers: Class index of each id; None where the oracle declines.
            source: Who answered, for the ledger.

        Raises:
            PoolError: An id was not asked for or a label is not a class; nothing is recorded.
        """
        open_ids, round_ = self.ask().ids, self._asking_round
        strangers = [id_ for id_ in answers if id_ not in set(open_ids)]
        if strangers:
            raise PoolError(f"{strangers[0]!r} was not asked for in round {round_}")
        for id_, label in answers.items():
            if label is not None and not 0 <= label < self.dataset.classes:
                raise PoolError(
                    f"label of {id_!r} is {label}; expected 0 to {self.dataset.classes - 1}"
                )
        told = {id_: answers[id_] for id_ in open_ids if id_ in answers}
        self.ledger.extend([Record(id_, label, round_, source) for id_, label in told.items()])
        self.pool.label({i: label for i, label in told.items() if label is not None}, round_)
        self.pool.skip([id_ for id_, label in told.items() if label is None], round_)
        self.pool.check()
        self._lost = [lost for lost in self._lost if self._unanswered(lost)]

    # Fit

    def fit(self) -> Round:
        """Generate x', train, evaluate; the round is finished when this returns.

        Raises:
            PoolError: Labels of this round are still missing.
            DivergenceError: A loss term or a result is not finite.
        """
        if missing := self.ask().ids:
            raise PoolError(
                f"{len(missing)} labels are missing, e.g. of {missing[0]!r}; tell() them"
            )
        query = self.journal.query(self.round)
        assert query is not None
        generated = self._generate(query)
        start = time.monotonic()
        self._train()
        trained = time.monotonic()
        result = self.scorer.evaluate(self.dataset.test.examples, self.dataset.test.labels)
        seconds = {
            "train": trained - start, **self._seconds, "evaluate": time.monotonic() - trained
        }  # fmt: skip
        record = Round(
            round=self.round,
            labelled=self.pool.labelled_count,
            test_accuracy=result.accuracy,
            test_nll=result.nll,
            queried=query.ids if self.round else (),
            seconds={name: round(value, 3) for name, value in seconds.items()},
        )
        if generated is not None and len(generated.ids):
            record = replace(
                record,
                reconstruction_error=float(generated.distance.mean()),
                bald_queried=float(generated.bald_queried.mean()),
                bald_generated=float(generated.bald.mean()),
            )
        _refuse_divergence(record)
        self.journal.save_weights(self.round, self.plan.steps, now=True)
        self.journal.finish(record)
        self.round, self._seconds = self.round + 1, {"score": 0.0}
        return record

    def _generate(self, query: Query) -> Generated | None:
        """x' of this round's x*, by the networks of the round before; None where there are none."""
        if self.round == 0 or not isinstance(self.learner, Augments):
            return None
        generated = self.journal.generated(self.round)
        if generated is None:
            ids = [id_ for id_ in query.ids if id_ in self.pool.labels]
            images, labels = self.dataset.train.examples_of(ids), self._labels_of(ids)
            new = self.learner.augment(images, labels, self._seed("generate")).numpy()
            difference = (new.astype(np.float32) - images.astype(np.float32)) / 255.0
            generated = Generated(
                ids=tuple(ids),
                images=new,
                labels=labels,
                distance=np.sqrt(np.square(difference).sum(axis=(1, 2, 3))),
                bald=self._bald(new),
                bald_queried=self._bald(images),
            )
            self.journal.save_generated(self.round, generated)
        self._generated.append(generated)
        return generated

    def _train(self) -> None:
        round_, plan = self.round, self.plan
        first_step = self._weights[1] if self._weights and self._weights[0] == round_ else None
        if first_step is None:
            names = (
                self.learner.fresh_each_round(plan.warm_start)
                if round_
                else (*self.learner.networks,)
            )
            self.learner.reset(names, lambda detail: self._seed("weights", detail)[0])
            first_step = 0
        self.learner.noise_seed.assign(self._seed("noise"))

        def progress(step: int, means: dict[str, float]) -> None:
            self.on_step(round_, step, means)
            if step < plan.steps:  # the end of a round is kept once it is known to be good
                self.journal.save_weights(round_, step, now=False)

        images, labels = self._training_set()
        unlabelled = None
        if self.learner.uses_unlabelled and self.pool.unlabelled_count:
            unlabelled = self.dataset.train.source_of(self.pool.unlabelled_ids)
        self.trainer.train(
            images,
            labels,
            self._seed("order"),
            plan.steps,
            first_step,
            unlabelled=unlabelled,
            progress=progress,
        )
        self._weights = (round_, plan.steps)

    def _training_set(self) -> tuple[Images, Labels]:
        """The labelled set in an order that does not depend on who answered first, then x'."""
        labelled = self.pool.labelled_ids
        row_of = dict(zip(labelled, self.dataset.train.rows(labelled), strict=True))
        ids = sorted(labelled, key=lambda id_: (self.pool.round_of(id_), row_of[id_]))
        images, labels = [self.dataset.train.examples_of(ids)], [self._labels_of(ids)]
        if isinstance(self.learner, Augments) and self.learner.keeps_generated:
            images += [generated.images for generated in self._generated]
            labels += [generated.labels for generated in self._generated]
        return np.concatenate(images), np.concatenate(labels)

    # All of it

    def step(self, oracle: Oracle) -> Round | None:
        """One whole round: ask, tell, fit.

        Args:
            oracle: Is asked; may answer only some ids.

        Returns:
            The finished round, or None when labels of ``ask().ids`` are still missing or the
            plan is finished.
        """
        while not self.finished and (ids := self.ask().ids):
            answers = oracle.answer(ids)
            told = {id_: answers[id_] for id_ in ids if id_ in answers}
            if not told:
                return None
            self.tell(told, oracle.source)
        return None if self.finished else self.fit()

    def run(self, oracle: Oracle) -> bool:
        """``step`` to the end of the plan, or until the oracle has no answer yet.

        Returns:
            Whether the plan is finished.
        """
        while not self.finished:
            if self.step(oracle) is None:
                break
        return self.finished

    def _recall_generated(self) -> list[Generated]:
        recalled = (self.journal.generated(round_) for round_ in range(1, self.round))
        return [generated for generated in recalled if generated is not None]

    def _labels_of(self, ids: Sequence[Id]) -> Labels:
        return np.array([self.pool.labels[id_] for id_ in ids], dtype=np.int32)

    def _bald(self, images: Images) -> Floats:
        return np.concatenate([
            *self.scorer.scores(images, self._mask_seed, scores.mutual_information)
        ])  # fmt: skip

    @property
    def _mask_seed(self) -> int:
        return seeding.mask_seed(self.plan.seed, self.round)

    def _seed(self, purpose: seeding.Purpose, detail: str = "") -> tuple[int, int]:
        return seeding.seed_pair(self.plan.seed, self.round, purpose, detail)

    def _rng(self, purpose: seeding.Purpose) -> np.random.Generator:
        return seeding.generator(self.plan.seed, self.round, purpose)


def _refuse_divergence(record: Round) -> None:
    values = {name: v for name, v in record.to_json().items() if isinstance(v, float)}
    if bad := [repr(name) for name, value in values.items() if not np.isfinite(value)]:
        raise DivergenceError(
            f"not finite in round {record.round}: {', '.join(bad)}; the networks have diverged, "
            "the last good checkpoint is kept: use a lower learning rate, in a new --out"
        )
