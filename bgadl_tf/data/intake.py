"""What a loader found, what it took it for, and what it left out: nothing is dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from bgadl_tf.core.types import Id

SHOWN = 3
"""Names that a line gives of many."""


@dataclass(frozen=True)
class Intake:
    """What became of everything that was found, for people to read.

    Attributes:
        notes: What was assumed, or is worth knowing; a sentence each.
        left_out: Why a file, a folder or a split is no part of the dataset, by its name.
        unreadable: Why a file that should be an image cannot be read, by its id.
        formats: How many examples are in files of each format, e.g. ``{"PNG": 60}``.
        sizes: How many images have each (width, height) in their files, upright, in pixels.
        held_out: What the test set is.
    """

    notes: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    unreadable: Mapping[Id, str] = field(default_factory=dict)
    formats: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[tuple[int, int], int] = field(default_factory=dict)
    held_out: str = ""

    def lines(self) -> list[str]:
        """All of it that a person should know before a run, a line each."""
        summaries = (
            *_by_reason("left out", self.left_out),
            *_by_reason("unreadable", self.unreadable),
        )
        return [*self.notes, *summaries]


def _by_reason(what: str, reasons: Mapping[str, str]) -> list[str]:
    """``left out: 12 (a.txt, b.txt, c.txt and 9 more): not an image``, a line for each reason."""
    lines = []
    for reason, count in Counter(reasons.values()).most_common():
        names = [name for name, own in reasons.items() if own == reason]
        more = f" and {count - SHOWN} more" if count > SHOWN else ""
        lines.append(f"{what}: {count} ({', '.join(names[:SHOWN])}{more}): {reason}")
    return lines
