"""What an acquisition sees in one round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import Arrays, M
from bgadl_tf.acquisition.evidence import Look
from bgadl_tf.core.types import Id, Label
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.learners.stage import Trainable
from bgadl_tf.loop.examples import KnownExamples
from bgadl_tf.loop.journal import Journal, Named
from bgadl_tf.models.classifiers.base import Classifier


class View:
    """The candidates of one round; an ``acquisition.PoolView``.

    Args:
        round_: The round that asks.
        ids: Candidates ``[N]``.
        labels: What is labelled, by id.
        classes: C.
        examples: Of every known id.
        scorer: Sees them, a chunk at a time.
        mask_seed: Of the round's MC masks.
        journal: Keeps what is remembered.
        state: Number of what the dataset is made of by now: what was remembered of another one is
            made anew.
        make: Calls a function with the learner's classifier, in the scope of the strategy.
        train: Trains networks of the acquisition's own for a number of steps.
    """

    def __init__(
        self,
        *,
        round_: int,
        ids: Sequence[Id],
        labels: Mapping[Id, Label],
        classes: int,
        examples: KnownExamples,
        scorer: Scorer,
        mask_seed: int,
        journal: Journal,
        state: int,
        make: Callable[[Callable[[Classifier], Any]], Any],
        train: Callable[[Trainable, int, bool], None],
    ) -> None:
        self.round, self.ids, self.classes = round_, ids, classes
        self.labels: Mapping[Id, Label] = MappingProxyType(dict(labels))
        self._examples, self._scorer, self._mask_seed = examples, scorer, mask_seed
        self._journal, self._state = journal, state
        self._make, self._train = make, train

    def look(
        self, look: Look, ids: Sequence[Id] | None = None, previous: bool = False
    ) -> Iterator[Arrays]:
        source = self._examples.source_of(self.ids if ids is None else ids)
        return self._scorer.look(source, self._mask_seed, look, previous)

    def make(self, networks: Callable[[Classifier], M]) -> M:
        made: M = self._make(networks)
        return made

    def train(self, model: Trainable, steps: int, labels: bool = True) -> None:
        self._train(model, steps, labels)

    def remember(self, name: str, make: Callable[[], Mapping[str, NDArray[Any]]]) -> Named:
        name = f"remembered_{name}"
        kept = self._journal.kept(self._state, name)
        if kept is None:
            kept = make()
            self._journal.keep(self._state, name, kept)
        return kept
