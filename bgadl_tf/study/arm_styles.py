"""How arms look in interactive figures: colours told apart by any colour vision, marker, dash."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from bgadl_tf.runs import drawing
from bgadl_tf.study.figures import ARM_STYLES

DASHES = ("solid", "dash", "dot", "dashdot")
"""Of further arms, once every colour is taken."""

_SYMBOLS = {
    "o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down",
    "P": "cross", "X": "x",
}  # fmt: skip


class Style(NamedTuple):
    """How an arm is drawn."""

    colour: str
    symbol: str
    dash: str


def styles(names: Sequence[str], shown: Collection[str]) -> dict[str, Style]:
    """A look of its own for every arm; that of the paper's arms is the same in every figure.

    Args:
        names: Of the arms.
        shown: Those that are on at first, which get colours of their own as far as they go.
    """
    paper = {name: ARM_STYLES[name] for name in names if name in ARM_STYLES}
    seen = {paper[name] for name in shown if name in paper}
    looks = [
        (colour, dash)
        for dash in range(len(DASHES))
        for colour in range(len(drawing.COLOURS))
        if dash or colour not in paper.values()
    ]
    chosen = {name: (colour, 0) for name, colour in paper.items()}
    for name in sorted((n for n in names if n not in paper), key=lambda n: n not in shown):
        free = [look for look in looks if look not in chosen.values()] or looks
        if name in shown:
            free = [look for look in free if look[0] not in seen] or free
        chosen[name] = free[0]
        seen.add(free[0][0])
    return {name: _style(*chosen[name]) for name in names}


def _style(colour: int, dash: int) -> Style:
    marker = drawing.MARKERS[(colour + 2 * dash) % len(drawing.MARKERS)]
    return Style(drawing.COLOURS[colour], _SYMBOLS[marker], DASHES[dash])
