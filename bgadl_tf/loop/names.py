"""By which ids examples were known over the starts of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bgadl_tf.core.types import Id, Json


class Names:
    """Follows examples that were renamed, went, or came back.

    An id may be that of another example later: which one is meant depends on the time.

    Args:
        starts: What changed at each start: ``removed``, and, old to new, ``renamed`` and
            ``returned``.
    """

    def __init__(self, starts: Sequence[Json]) -> None:
        here: dict[Id, Id | None] = {}  # what became of an example that is there
        gone: dict[Id, Id | None] = {}  # and of one that has gone
        self._later: list[Mapping[Id, Id | None]] = [here]
        for start in reversed(starts):
            now = {
                **{id_: gone.get(id_) for id_ in start.get("removed", ())},
                **{old: here.get(new, new) for old, new in start.get("renamed", {}).items()},
            }
            found = {old: here.get(new, new) for old, new in start.get("returned", {}).items()}
            here, gone = ({**here, **now} if now else here), ({**gone, **found} if found else gone)
            self._later.append(here)
        self._later.reverse()

    def now(self, id_: Id, starts: int) -> Id | None:
        """Today's id of what had this one after so many starts; None if it is gone."""
        return self._later[starts].get(id_, id_)
