"""What an acquisition is: a rule that turns a view of the pool into a query.

An acquisition is a frozen dataclass whose fields are its options. One that takes another as its
field ``inner`` wraps it, and is called ``NAME:INNER``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.evidence import Evidence, Look
from bgadl_tf.acquisition.query import Query, Scores, TopScores, by_lot
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.registry import Registry
from bgadl_tf.core.types import Id, Label
from bgadl_tf.learners.stage import Trainable
from bgadl_tf.models.classifiers.base import Classifier

M = TypeVar("M")

Arrays = tuple[NDArray[Any], ...]
"""What a look returned of one part of the examples, axis 0 over them."""


class PoolView(Protocol):
    """What an acquisition may look at; everything is computed when it is asked for."""

    @property
    def round(self) -> int:
        """The round that asks; 0 while the initial set is chosen."""

    @property
    def ids(self) -> Sequence[Id]:
        """Candidates of this round, ``[N]``."""

    @property
    def labels(self) -> Mapping[Id, Label]:
        """What is labelled, class indices by id."""

    @property
    def classes(self) -> int:
        """C."""

    def look(
        self, look: Look, ids: Sequence[Id] | None = None, previous: bool = False
    ) -> Iterator[Arrays]:
        """What ``look`` sees of examples, a part of them at a time, in their order.

        Candidates may be more than fit into memory: keep no more of a part than is needed.

        Args:
            look: Runs inside a traced function, traced once a run: a method of the acquisition,
                or a function.
            ids: Any known ids, labelled or not; None for the candidates.
            previous: Through the classifier of the round before the newest one (in round 1 that
                is the initial one), for acquisitions that need ``abilities.KeepsPrevious``.
        """

    def make(self, networks: Callable[[Classifier], M]) -> M:
        """Make networks of the acquisition's own, within the scope in which they can be trained.

        Args:
            networks: Makes them, beside the learner's classifier, which they may look through and
                must not change. Their weights are to be drawn from the ``rng`` of the query: one
                that was interrupted is made again from its beginning.
        """

    def train(self, model: Trainable, steps: int, labels: bool = True) -> None:
        """Train networks of the acquisition's own.

        Args:
            model: Compiled, in ``make``. Its ``train_step`` is given batches of the labelled set
                and, if it uses them, of the pool's unlabelled examples.
            steps: Gradient steps.
            labels: If not, batches are of the whole training set without any label, also before
                there are any.
        """

    def remember(self, name: str, make: Callable[[], Mapping[str, NDArray[Any]]]) -> Any:
        """What is computed once and kept, also over restarts; anew when the dataset has changed.

        Args:
            name: Of what is kept; a file's name.
            make: Computes named arrays where none are kept yet.

        Returns:
            The named arrays.
        """


class Acquisition(Protocol):
    """A query strategy."""

    @property
    def needs(self) -> tuple[type, ...]:
        """Abilities of the learner without which it cannot work, as runtime Protocols."""

    @property
    def chooses_initial_set(self) -> bool:
        """Whether it is asked for the initial set, too, with nothing labelled yet."""

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        """Choose ``size`` candidates.

        Raises:
            PoolError: Fewer than ``size`` candidates are left.
            ScoreError: A score is not finite.
        """


@dataclass(frozen=True)
class GivesScores:
    """Takes the candidates with the highest scores; which of equal ones is drawn."""

    needs: ClassVar[tuple[type, ...]] = ()
    chooses_initial_set: ClassVar[bool] = False
    may_be_negative: ClassVar[bool] = False
    """Whether scores below 0 are to be expected."""
    no_score: ClassVar[float] = -np.inf
    """What stands for the score of an example of which nothing is known; no other one is as low."""

    def scores_of(self, view: PoolView, rng: np.random.Generator) -> Iterator[Scores]:
        """Scores ``[n]`` of all candidates, a part of them at a time, in their order.

        A candidate's depends on no other one that is asked for with it: larger is more informative.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement scores_of()")

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        best = TopScores(view.ids, size, by_lot(rng))
        for scores in self.scores_of(view, rng):
            best.add(scores)
        return best.query()


@dataclass(frozen=True)
class ScoreAcquisition(GivesScores):
    """Scores every candidate by what can be seen of it alone."""

    def score(self, evidence: Evidence) -> tf.Tensor:
        """Scores ``[n]``; larger is more informative."""
        raise NotImplementedError(f"{type(self).__name__} must implement score()")

    def scores_of(self, view: PoolView, rng: np.random.Generator) -> Iterator[Scores]:
        for (scores,) in view.look(self.score):
            yield scores


class Wraps:
    """An acquisition made of another one, its field ``inner``, which says what it needs."""

    inner: Any

    @property
    def needs(self) -> tuple[type, ...]:
        needed: tuple[type, ...] = self.inner.needs
        return needed

    @property
    def chooses_initial_set(self) -> bool:
        chooses: bool = self.inner.chooses_initial_set
        return chooses


ACQUISITIONS: Registry[type[Any]] = Registry("acquisition", "bgadl_tf.acquisition")


def wraps(name: str) -> bool:
    """Whether a registered acquisition is made of another one, its field ``inner``."""
    return any(field.name == "inner" for field in dataclasses.fields(ACQUISITIONS.get(name)))


def create(
    name: str, options_of: Callable[[str, type[Any]], Mapping[str, Any]] = lambda name, owner: {}
) -> Acquisition:
    """The acquisition of a name, ``NAME`` or ``NAME:INNER``.

    Args:
        name: Registered names, from the outermost inwards.
        options_of: From a registered name and its class to values of its fields.

    Raises:
        ConfigError: A name is unknown, wraps nothing, or lacks what it is to wrap.
    """
    outer, colon, rest = name.partition(":")
    owner = ACQUISITIONS.get(outer)
    if wraps(outer) and not rest:
        raise ConfigError(
            f"acquisition {outer!r} wraps another: write {outer}:NAME, e.g. {outer}:bald"
        )
    if colon and not wraps(outer):
        raise ConfigError(f"acquisition {outer!r} wraps no other; got {name!r}")
    inner = {"inner": create(rest, options_of)} if rest else {}
    acquisition: Acquisition = owner(**inner, **options_of(outer, owner))
    return acquisition


def with_scores(may_be_negative: bool = True) -> list[str]:
    """Names of the registered acquisitions that give every candidate a score of its own.

    Args:
        may_be_negative: Also of those whose scores may be below 0.
    """
    kinds = {name: ACQUISITIONS.get(name) for name in ACQUISITIONS}
    return [
        name for name, kind in kinds.items()
        if issubclass(kind, GivesScores) and (may_be_negative or not kind.may_be_negative)
    ]  # fmt: skip


def check_needs(name: str, acquisition: Acquisition, learner: Any) -> None:
    """Refuse an acquisition that a learner cannot serve.

    Args:
        name: Of the acquisition, for the message.
        acquisition: Is checked.
        learner: A ``learners.learner.Learner``.

    Raises:
        ConfigError: The message lists the acquisitions that are possible.
    """
    missing = [need for need in acquisition.needs if not isinstance(learner, need)]
    if missing:
        what = ", ".join(f"{need.__name__} ({_summary(need)})" for need in missing)
        # What a wrapper needs, the acquisition inside it says.
        possible = [
            other for other in ACQUISITIONS
            if not wraps(other)
            and all(isinstance(learner, need) for need in ACQUISITIONS.get(other).needs)
        ]  # fmt: skip
        raise ConfigError(
            f"acquisition {name!r} needs {what}, which learner {type(learner).__name__} with this "
            f"classifier cannot offer; possible: {', '.join(possible)}"
        )


def _summary(ability: type) -> str:
    return (ability.__doc__ or "").strip().partition(".")[0].lower()
