"""What an oracle is: whoever says which class examples belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.source import ExampleSource


class Oracle(Protocol):
    """Says which class examples belong to."""

    source: str
    """What ledgers call this oracle."""

    def answer(self, query: Query, examples: ExampleSource) -> Mapping[Id, Label | None]:
        """Answers what it can.

        Args:
            query: What is asked.
            examples: ``[b, *shape]``, in the order of the query; read when they are indexed.

        Returns:
            Class index of each answered id, None where the oracle declines to label it: the
            example leaves the pool, nothing is asked in its place, and since somebody has looked
            at it, it costs as much as a label; a round's fact ``declined`` counts these. An id that
            is absent has no answer yet.

        Raises:
            DataError: The answers are malformed.
        """
