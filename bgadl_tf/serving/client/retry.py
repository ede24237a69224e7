"""Asking a busy server again, ever more slowly, until patience runs out."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bgadl_tf.core.errors import BusyError

T = TypeVar("T")


def ignore(_: str) -> None:
    """Does nothing."""


@dataclass(frozen=True)
class Retry:
    """When to ask again.

    The n-th pause lasts ``first * 2**n`` seconds, at most ``longest``, times a random share
    between a half and one, so that many clients do not come back at the same moment.

    Attributes:
        patience: Seconds from the first failure of a request to the last try of it.
        first: Longest first pause, in seconds.
        longest: Longest pause, in seconds.
        clock: Seconds that only grow.
        sleep: Waits that many seconds; true when waiting is no use any more.
        jitter: Draws from [0, 1).
        notify: Told why there is a pause.
    """

    patience: float = 120.0
    first: float = 0.2
    longest: float = 5.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], bool | None] = time.sleep
    jitter: Callable[[], float] = random.random
    notify: Callable[[str], None] = ignore

    def call(self, request: Callable[[], T]) -> T:
        """The answer to ``request``, made again for as long as it raises ``BusyError``.

        Raises:
            BusyError: The last one, when patience has run out.
        """
        failed_at: float | None = None
        tries = 0
        while True:
            try:
                return request()
            except BusyError as error:
                now = self.clock()
                failed_at = now if failed_at is None else failed_at
                tries += 1
                waited = now - failed_at
                if waited >= self.patience:
                    times = "1 try" if tries == 1 else f"{tries} tries in {waited:.0f} s"
                    raise BusyError(
                        f"{error}; gave up after {times}: is the server running there?"
                    ) from error
                self.notify(str(error))
                if self.sleep(min(self._pause(tries - 1), self.patience - waited)):
                    raise

    def _pause(self, number: int) -> float:
        # The exponent is bounded because 2.0**1024 overflows.
        longest = min(self.longest, self.first * 2.0 ** min(number, 30))
        return longest * (0.5 + 0.5 * self.jitter())
