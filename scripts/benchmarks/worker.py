"""A program in a process of its own that does its work again whenever it is asked."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scripts.benchmarks import limits as limit
from scripts.benchmarks.limits import Limits
from scripts.benchmarks.memory import anonymous

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


class Worker:
    """One of the programs in ``children``, from start to end of a ``with`` block.

    Args:
        program: Name of its module.
        **arguments: What it is to do.
    """

    def __init__(self, program: str, **arguments: Any) -> None:
        self._program = program
        self.peak = 0.0
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed at the end of the block
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", f"scripts.benchmarks.children.{program}",
                json.dumps(arguments),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=REPOSITORY,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    @property
    def memory(self) -> float:
        """Resident memory that no file backs, MiB, now."""
        return anonymous(self._process.pid)

    def ask(self, limits: Limits | None = None) -> dict[str, Any]:
        """Have it do its work once; what it says of that.

        Args:
            limits: Watch it; ``peak`` is then the largest memory, MiB.

        Raises:
            RuntimeError: It has ended; the message closes with what it said last.
            Stopped: It went over a limit and is ended.
        """
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
            if limits is not None:
                self.peak = limit.wait(self._process, limits)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            status = self._process.wait()
            self._log.seek(0)
            raise RuntimeError(
                f"{self._program} ended with status {status}: {self._log.read()[-2000:]}"
            )
        return dict(json.loads(line))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()


def arguments() -> dict[str, Any]:
    """What the program that calls this was started with."""
    return dict(json.loads(sys.argv[1]))


def serve(work: Callable[[], dict[str, Any]]) -> None:
    """The program's side: do the work whenever asked, until nobody asks any more."""
    for _ in sys.stdin:
        # What the work itself prints is no answer.
        with contextlib.redirect_stdout(sys.stderr):
            answer = work()
        print(json.dumps(answer), flush=True)
