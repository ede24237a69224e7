"""The thread that asks and trains while people label."""

from __future__ import annotations

import enum
import logging
import threading
import time

from bgadl_tf.core.errors import BgadlError
from bgadl_tf.core.types import Id
from bgadl_tf.labelling.guesses import Guess, guesses
from bgadl_tf.labelling.watching import Step, StoppedError, Watching
from bgadl_tf.runs import export_command, synthesised
from bgadl_tf.runs.open_run import OpenRun

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 3.0
"""Between the last answer of a query and training: time to undo it."""


class Phase(enum.StrEnum):
    """What the run is doing."""

    CHOOSING = "choosing"
    LABELLING = "labelling"
    TRAINING = "training"
    EXPORTING = "exporting"
    FINISHED = "finished"
    FAILED = "failed"


class Worker:
    """Asks, waits for the answers, trains; to the end of the plan, and then exports.

    Args:
        run: Held by this process.
        watching: A callback of its loop.
        pause_seconds: Between the last answer and training.

    Attributes:
        changed: Held while the loop is changed or what is below is read; told of what happens.
        phase: What the run is doing. While people label, and when it is finished or has failed,
            the thread leaves the loop alone.
        problem: Why it has failed.
        guesses: Of the model, about what is asked.
        asked: How many images the query has, answered or not.
    """

    def __init__(
        self, run: OpenRun, watching: Watching, pause_seconds: float = PAUSE_SECONDS
    ) -> None:
        self._run, self._watching, self._pause = run, watching, pause_seconds
        self._thread = threading.Thread(target=self._work, name="rounds", daemon=True)
        self._stopping = False
        self._begins = 0.0
        self.changed = threading.Condition(threading.RLock())
        self.phase = Phase.CHOOSING
        self.problem = ""
        self.guesses: dict[Id, Guess] = {}
        self.asked = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float) -> bool:
        """End as soon as training reports.

        Args:
            seconds: To wait for that.

        Returns:
            Whether it has ended; if not, only the end of the process ends it.
        """
        self._watching.stop()
        self._stopping = True
        if not self.changed.acquire(timeout=seconds):  # a class is being added
            return False
        self.changed.notify_all()
        self.changed.release()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def answered(self) -> None:
        """Answers were given or taken back."""
        with self.changed:
            self._begins = time.monotonic() + self._pause
            self.changed.notify_all()

    @property
    def begins_in(self) -> float | None:
        """Seconds until what is answered is trained on; None while something is asked."""
        if self.phase != Phase.LABELLING or self._unanswered:
            return None
        return max(0.0, self._begins - time.monotonic())

    @property
    def step(self) -> Step | None:
        """How far training is; None before the first report."""
        return self._watching.step

    def retry(self) -> None:
        """Go on after a failure."""
        with self.changed:
            if self.phase == Phase.FAILED:
                # Goes back to the newest checkpoint before another thread may ask about it.
                self._run.loop.tell({})
                self.phase, self.problem = Phase.CHOOSING, ""
                self.changed.notify_all()

    @property
    def _unanswered(self) -> tuple[Id, ...]:
        loop = self._run.loop
        return loop.labelling.open(loop.round).ids

    def _work(self) -> None:
        while not self._stopping and self.phase != Phase.FINISHED:
            try:
                self._advance()
            except StoppedError as error:
                logger.info("%s", error)
            except Exception as error:
                self._fail(error)

    def _advance(self) -> None:
        """Rounds until something is asked or the plan is finished; then what is to be done."""
        loop, query = self._run.loop, None
        with self._run.progress:
            while not loop.finished and not (query := loop.ask()).ids and not self._stopping:
                self._enter(Phase.TRAINING)
                loop.fit()
                self._enter(Phase.CHOOSING)
        if self._stopping:
            return
        if loop.finished or query is None:
            self._enter(Phase.EXPORTING)
            exported = self._run.export()
            self._enter(Phase.FINISHED)
            print(f"finished: {loop.pool.labelled_count} labels", flush=True)
            if exported is not None:
                print(export_command.summary(exported), flush=True)
            return
        synthesised.write(loop, query.ids, self._run.folder.path)
        found = guesses(loop, query.ids)
        whole = loop.journal.query(loop.round)
        with self.changed:
            self.guesses = found
            self.asked = len(query.ids if whole is None else whole.ids)
            self._enter(Phase.LABELLING)
        self._wait_for_answers()

    def _wait_for_answers(self) -> None:
        with self.changed:
            while not self._stopping:
                left = self.begins_in
                if left == 0.0:
                    self._enter(Phase.TRAINING)
                    return
                self.changed.wait(left)

    def _fail(self, error: Exception) -> None:
        text = " ".join(str(error).split())
        if isinstance(error, BgadlError):
            logger.error("%s", text)
        else:
            logger.exception("the round cannot go on")
            text = f"{type(error).__name__}: {text}"
        with self.changed:
            self.problem = text
            self._enter(Phase.FAILED)
            while self.phase == Phase.FAILED and not self._stopping:
                self.changed.wait()

    def _enter(self, phase: Phase) -> None:
        with self.changed:
            self.phase = phase
            self.changed.notify_all()
