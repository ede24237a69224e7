"""Memory that a process has at most while something runs."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

PAUSE = 0.005


def anonymous(process: int | str = "self") -> float:
    """Resident memory that no file backs, MiB: what is mapped from a file can be dropped.

    Args:
        process: Its number; this one's without.
    """
    status = Path(f"/proc/{process}/status")
    for line in status.read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"{status} has no line RssAnon")


class Peak:
    """Looks every few milliseconds; ``mib`` is the largest of what it saw."""

    def __init__(self) -> None:
        self.mib = 0.0
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._ended.wait(PAUSE):
            self.mib = max(self.mib, anonymous())

    def __enter__(self) -> Self:
        self.mib = anonymous()
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._watch.join()
        self.mib = max(self.mib, anonymous())
