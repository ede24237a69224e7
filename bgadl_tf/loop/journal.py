"""What a run remembers: its queries, generated images, weights and finished rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.types import Floats, Id, Images, Json, Labels


@dataclass(frozen=True)
class Generated:
    """Generated images x' of one round's queried images x*.

    Attributes:
        ids: ``[b]``, of the x* they were made from.
        images: ``uint8 [b, H, W, D]``.
        labels: ``int32 [b]``, inherited from x*.
        distance: ``|x' - x*|``, L2 norm over the pixels in [0, 1], float32 ``[b]``.
        bald: a(x'), nats, float32 ``[b]``.
        bald_queried: a(x*), nats, float32 ``[b]``.
    """

    ids: tuple[Id, ...]
    images: Images
    labels: Labels
    distance: Floats
    bald: Floats
    bald_queried: Floats


@dataclass(frozen=True)
class Round:
    """What one finished round came to; the contract of ``rounds.jsonl``."""

    round: int
    labelled: int
    test_accuracy: float
    test_nll: float
    queried: tuple[Id, ...]
    seconds: Mapping[str, float]
    reconstruction_error: float | None = None
    bald_queried: float | None = None
    bald_generated: float | None = None

    def to_json(self) -> Json:
        """As one JSON object, without what does not apply."""
        record = {**asdict(self), "queried": list(self.queried)}
        return {key: value for key, value in record.items() if value is not None}


class Journal(Protocol):
    """Remembers what a run has done."""

    def finished_rounds(self) -> int:
        """Rounds that are over."""

    def query(self, round_: int) -> Query | None:
        """The query of a round, if it was made."""

    def save_query(self, round_: int, query: Query, mask_seed: int) -> None:
        """Keep a query and the seed of the round's MC masks, whether or not it drew them."""

    def generated(self, round_: int) -> Generated | None:
        """The images generated in a round, if they were."""

    def save_generated(self, round_: int, generated: Generated) -> None: ...

    def restore(self) -> tuple[int, int] | None:
        """Bring back the newest weights; the round and step they are of, or None."""

    def save_weights(self, round_: int, step: int, now: bool) -> None:
        """Keep the weights of this moment: always if ``now``, else when it is time again."""

    def finish(self, record: Round) -> None:
        """Record a finished round."""
