"""What a run remembers: queries, named arrays, weights and finished rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.types import Id, Json
from bgadl_tf.learners.learner import Learner
from bgadl_tf.loop.ledger import Ledger
from bgadl_tf.loop.plan import Plan
from bgadl_tf.loop.round import Round

Named = Mapping[str, NDArray[Any]]
"""Arrays by name."""


class Moment(NamedTuple):
    """What weights are of: a round, the number of a stage in it, and steps done in that."""

    round: int
    stage: int
    step: int


class Journal(Protocol):
    """Remembers what a run has done. What a method has kept is there after a crash."""

    @property
    def ledger(self) -> Ledger:
        """Every answer."""

    def labelled(self) -> Sequence[tuple[int, Id]]:
        """Number and id of every line of the ledger that has a label; of no open journal, too."""

    def begin(self, plan: Plan) -> None:
        """Keep the plan of a new run.

        Raises:
            RunFolderError: A run of another plan has begun already.
        """

    def go_on(self, plan: Plan) -> None:
        """Keep the plan of a run that goes on, which may have more rounds."""

    def dataset_starts(self) -> Sequence[Json]:
        """What the dataset was at first, and at starts that found it changed; see
        ``DatasetHistory``.
        """

    def begin_dataset(self, start: Json) -> None:
        """Record what the dataset is at this start."""

    def track(self, learner: Learner) -> None:
        """Say whose weights and optimizer states are to be kept; comes before ``restore``."""

    def close(self) -> None:
        """Let go of it, so that another process may go on."""

    def finished(self) -> Sequence[Json]:
        """Rounds that are over, as they were recorded."""

    def query(self, round_: int) -> Query | None:
        """The query of a round, if it was made."""

    def starts_before_query(self, round_: int) -> int:
        """How many starts of the dataset had been noted when the query of a round was kept."""

    def save_query(self, round_: int, query: Query, mask_seed: int) -> None:
        """Keep a query and the seed of the round's MC masks, whether or not it drew them."""

    def kept(self, round_: int, name: str) -> Named | None:
        """Arrays that were kept under this name in a round, if they were."""

    def keep(self, round_: int, name: str, arrays: Named) -> None:
        """Keep arrays; what was kept under this name in the round is replaced."""

    def restore(self) -> Moment | None:
        """Bring back the newest weights; what they are of, or None where there are none."""

    def save_weights(self, moment: Moment, now: bool) -> None:
        """Keep the weights of this moment: always if ``now``, else when it is time again."""

    def finish(self, record: Round) -> None:
        """Record a finished round."""


def queries(journal: Journal) -> dict[int, Query]:
    """Every query that was made, by round; a journal that lost a round may hold one beyond."""
    found: dict[int, Query] = {}
    round_ = 0
    while (query := journal.query(round_)) is not None or round_ <= len(journal.finished()):
        if query is not None:
            found[round_] = query
        round_ += 1
    return found
