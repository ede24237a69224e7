"""``claims`` of a study file.

::

    claims:
      recommended: bgadl
      never_harms: {margin: 0.5, pairs: [[bgadl, bald], [bgadl, random]]}    # points of AUBC
      wins: {pairs: [[bgadl, bald]]}
"""

from __future__ import annotations

from typing import Any

from bgadl_tf.runs import file_values as values
from bgadl_tf.runs.file_settings import refuse_unknown
from bgadl_tf.study.claims import MARGIN, Claims, Pair

_KEYS = ("recommended", "never_harms", "wins")


def claims_of(given: object) -> Claims | None:
    """The claims; None where the file makes none.

    Raises:
        ConfigError: A key is unknown, or a value is of another shape or cannot be.
    """
    if given is None:
        return None
    top = _mapping(given, "claims", _KEYS)
    harms = _mapping(top.get("never_harms"), "claims.never_harms", ("margin", "pairs"))
    wins = _mapping(top.get("wins"), "claims.wins", ("pairs",))
    recommended, margin = top.get("recommended"), harms.get("margin", MARGIN)
    if recommended is not None and not isinstance(recommended, str):
        raise values.wrong("claims.recommended", f"is {recommended!r}; expected the name of an arm")
    if type(margin) not in (int, float):
        raise values.wrong("claims.never_harms.margin", f"is {margin!r}; expected points, e.g. 0.5")
    return Claims(
        recommended,
        _pairs(harms.get("pairs", []), "claims.never_harms.pairs"),
        float(margin),
        _pairs(wins.get("pairs", []), "claims.wins.pairs"),
    )


def _mapping(given: object, where: str, keys: tuple[str, ...]) -> dict[str, Any]:
    found = values.mapping(given, where, f"a mapping with the keys {', '.join(keys)}")
    for key in found:
        refuse_unknown(key, f"{where}.", keys)
    return found


def _pairs(given: object, where: str) -> tuple[Pair, ...]:
    wanted = "expected a list of pairs of arms, e.g. [[bgadl, bald]]"
    if not isinstance(given, list):
        raise values.wrong(where, f"is {given!r}; {wanted}")
    found = []
    for place, pair in enumerate(given):
        names = values.texts(pair, f"{where}[{place}]")
        if len(names) != 2:
            raise values.wrong(f"{where}[{place}]", f"is {pair!r}; {wanted}")
        found.append((names[0], names[1]))
    return tuple(found)
