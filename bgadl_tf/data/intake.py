"""What a loader found, what it took it for, and what it left out: nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bgadl_tf.core.types import Id

SHOWN = 3
"""Names that a line gives of many."""


def counted(count: int, one: str, many: str | None = None) -> str:
    """``1 image``, ``2 images``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


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

    def lines(self, shown: int = SHOWN) -> list[str]:
        """All of it that a person should know before a run, a line each.

        Args:
            shown: Names that a line gives of many.
        """
        summaries = (
            *_by_reason("left out", self.left_out, shown),
            *_by_reason("unreadable", self.unreadable, shown),
        )
        return [*self.notes, *summaries]

    def facts(self) -> list[str]:
        """Formats and sizes, a line each."""
        lines = []
        if self.formats:
            counts = sorted(self.formats.items(), key=lambda item: (-item[1], item[0]))
            lines.append("formats: " + ", ".join(f"{name} {count}" for name, count in counts))
        if self.sizes:
            lines.append(_told_sizes(self.sizes))
        return lines


def _told_sizes(sizes: Mapping[tuple[int, int], int]) -> str:
    """``sizes: 8x8 60``, or where there are many the commonest, the smallest and the largest."""
    common = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    told = ", ".join(f"{width}x{height} {count}" for (width, height), count in common[:SHOWN])
    if len(common) <= SHOWN:
        return f"sizes: {told}"
    widths, heights = zip(*sizes, strict=True)
    return (
        f"sizes: {told} and {len(common) - SHOWN} other sizes; {min(widths)} to {max(widths)} "
        f"wide, {min(heights)} to {max(heights)} high"
    )


def _by_reason(what: str, reasons: Mapping[str, str], shown: int) -> list[str]:
    """``left out: 12 (a.txt, b.txt, c.txt and 9 more): not an image``, a line for each reason."""
    names: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        names.setdefault(reason, []).append(name)
    lines = []
    for reason, own in sorted(names.items(), key=lambda item: -len(item[1])):
        more = f" and {len(own) - shown} more" if len(own) > shown else ""
        lines.append(f"{what}: {len(own)} ({', '.join(own[:shown])}{more}): {reason}")
    return lines
