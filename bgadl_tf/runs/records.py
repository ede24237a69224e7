"""Lines of ``rounds.jsonl``, whichever version of the package wrote them."""

from __future__ import annotations

from collections.abc import Iterable

from bgadl_tf.core.types import Json

GENERATIVE = ("reconstruction_error", "bald_queried", "bald_generated")
"""Facts that older folders keep beside a round's other entries instead of under ``facts``."""


def fact(record: Json, name: str) -> float | None:
    """What a learner or an acquisition says of a round; None where it says no such number."""
    facts = record.get("facts") or {}
    value = facts.get(name, record.get(name) if name in GENERATIVE else None)
    return float(value) if isinstance(value, int | float) else None


def fact_names(records: Iterable[Json]) -> list[str]:
    """Names of the numbers that ``fact`` finds in any of some rounds, sorted."""
    return sorted(
        {
            name
            for record in records
            for name in (*GENERATIVE, *(record.get("facts") or {}))
            if fact(record, name) is not None
        }
    )
