"""Which image is before whom, so that nobody is asked what somebody else is looking at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bgadl_tf.core.types import Id

LEASE_SECONDS = 30.0
"""How long an image stays before a tab that says nothing any more."""


@dataclass(frozen=True)
class Lease:
    """An image that is before a tab.

    Args:
        id: The image.
        until: When it goes to the next one who asks, by the clock of ``Leases``.
    """

    id: Id
    until: float


class Leases:
    """One image a tab, renewed whenever the tab asks; not for several threads at once.

    Args:
        seconds: Until an image is free again that no tab asks about.
        clock: In seconds.
    """

    def __init__(
        self, seconds: float = LEASE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds, self._clock = seconds, clock
        self._of: dict[str, Lease] = {}

    def take(self, tab: str, unanswered: Sequence[Id]) -> Id | None:
        """The image that a tab shows: the one before it, or else the first that nobody has.

        Args:
            tab: Which one.
            unanswered: What there is to show, the most informative first.

        Returns:
            None where all of them are before other tabs.
        """
        others = self._others(tab)
        own = self._of.get(tab)
        mine = own is not None and own.id in unanswered and own.id not in others
        found = own.id if own is not None and mine else self._first(unanswered, others)
        if found is None:
            self._of.pop(tab, None)
        else:
            self.give(tab, found)
        return found

    def give(self, tab: str, id_: Id) -> None:
        """Put an image before a tab, instead of the one before it."""
        self._of[tab] = Lease(id_, self._clock() + self._seconds)

    def release(self, tab: str) -> None:
        """Let others have what is before a tab."""
        self._of.pop(tab, None)

    def is_with_another(self, tab: str, id_: Id) -> bool:
        """Whether an image is before another tab."""
        return id_ in self._others(tab)

    def others(self, tab: str, unanswered: Sequence[Id]) -> tuple[Id, ...]:
        """Those images that are before other tabs."""
        held = self._others(tab)
        return tuple(id_ for id_ in unanswered if id_ in held)

    def _others(self, tab: str) -> set[Id]:
        now = self._clock()
        self._of = {holder: lease for holder, lease in self._of.items() if lease.until > now}
        return {lease.id for holder, lease in self._of.items() if holder != tab}

    def _first(self, unanswered: Sequence[Id], others: set[Id]) -> Id | None:
        return next((id_ for id_ in unanswered if id_ not in others), None)
