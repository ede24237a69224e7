"""What a process may take before it is stopped."""

from __future__ import annotations

import contextlib
import math
import select
import subprocess
import time
from dataclasses import dataclass

from scripts.benchmarks.memory import PAUSE, anonymous


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Attributes:
    seconds: From the moment that a process is asked.
    mib: Resident memory that no file backs, of the whole process. A limit of address space
        would count what TensorFlow reserves and never touches.
    """

    seconds: float = math.inf
    mib: float = math.inf


class Stopped(Exception):  # noqa: N818  not an error: a finding
    """A process went over a limit and was ended.

    Args:
        what: ``time`` or ``memory``.
        seconds: After which it was.
        peak: Largest memory until then, MiB.
    """

    def __init__(self, what: str, seconds: float, peak: float) -> None:
        super().__init__(f"{what} after {seconds:.0f} s with {peak:.0f} MiB")
        self.what, self.seconds, self.peak = what, seconds, peak


def wait(process: subprocess.Popen[str], limits: Limits) -> float:
    """Wait until a process says something, or has ended; ends it where it goes over a limit.

    Looks every few milliseconds, so memory that grows fast may pass the limit by what is written
    in these.

    Returns:
        The largest memory seen, MiB.

    Raises:
        Stopped: It went over a limit.
    """
    start, peak, answered = time.monotonic(), 0.0, False
    while not answered:
        answered = bool(select.select([process.stdout], [], [], PAUSE)[0])
        with contextlib.suppress(OSError):  # it has just ended
            peak = max(peak, anonymous(process.pid))
        seconds = time.monotonic() - start
        if peak > limits.mib or (seconds > limits.seconds and not answered):
            process.kill()
            process.wait()
            raise Stopped("memory" if peak > limits.mib else "time", seconds, peak)
    return peak
