"""A small run on a folder of images that nobody has labelled."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bgadl_tf.labelling.app import make_app
from bgadl_tf.labelling.guard import Guard
from bgadl_tf.labelling.originals import Originals
from bgadl_tf.labelling.serving import listen, serving
from bgadl_tf.labelling.session import Session, Who
from bgadl_tf.labelling.taken_up import taken_up
from bgadl_tf.labelling.watching import Watching
from bgadl_tf.labelling.worker import Phase, Worker
from bgadl_tf.loop.callback import Callback
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.open_run import OpenRun
from bgadl_tf.runs.train import train
from tests.support import photos

CLASSES = (0, 1, 2)
ROWS = photos.rows_of(CLASSES, stop=150)
"""Of the digits that are in the pool."""


def right(id_: str) -> str:
    """The class of an image of the pool."""
    return photos.NAMES[photos.digits()[1][int(Path(id_).stem)]]


def begin(
    folder: Path,
    rows: Iterable[int] = ROWS,
    classes: Iterable[int] = CLASSES,
    **settings: Any,
) -> Path:
    """Write ``folder/photos`` and begin a run on it, which then waits for labels.

    Args:
        folder: Empty.
        rows: Digits of the pool.
        classes: That there are.
        settings: Other than those of a run that takes seconds.

    Returns:
        The run folder.
    """
    photos.save_digits(folder / "photos", rows, "unlabelled")
    config = RunConfig(**{
        "dataset": f"folder:{folder / 'photos'}", "method": "bald", "classifier": "lenet",
        "image_size": 28, "new_classes": [photos.NAMES[c] for c in classes],
        "initial_size": 6, "query_size": 4, "rounds": 2, "steps": 5, "batch_size": 8,
        "mc_samples": 3, **settings,
    })  # fmt: skip
    assert train(config, folder / "run").waiting_for is not None
    return folder / "run"


@dataclass(frozen=True)
class Labelling:
    """A run that is labelled in this process."""

    run: OpenRun
    worker: Worker
    session: Session

    def until(self, *phases: Phase, seconds: float = 120.0) -> Phase:
        """Wait until the run is in one of these phases."""
        with self.worker.changed:
            there = self.worker.changed.wait_for(lambda: self.worker.phase in phases, seconds)
            assert there, f"{self.worker.phase}, not {phases}: {self.worker.problem}"
            return self.worker.phase

    def answer_all(self, who: Who) -> list[str]:
        """Answer rightly what is asked until nothing is; the ids in order."""
        ids = []
        while (current := self.session.show(who)["current"]) is not None:
            ids.append(current["id"])
            index = self.run.loop.dataset.class_names.index(right(current["id"]))
            self.session.answer(who, current["id"], index)
        return ids


@contextlib.contextmanager
def labelling(
    run: Path, *callbacks: Callback, pause: float = 0.0, **others: Any
) -> Iterator[Labelling]:
    """Take a run up as ``bgadl label`` does, without the page.

    Args:
        run: The run folder.
        callbacks: Of its loop.
        pause: Seconds between the last answer and training.
        others: Settings that are other ones by now.
    """
    watching = Watching()
    with taken_up(run, (*callbacks, watching), **others) as opened:
        worker = Worker(opened, watching, pause)
        worker.start()
        try:
            yield Labelling(opened, worker, Session(opened, worker))
        finally:
            assert worker.stop(60.0)


@contextlib.contextmanager
def served(here: Labelling, guard: Guard | None = None, port: int = 0) -> Iterator[str]:
    """The page of a run; its address.

    Args:
        here: The run.
        guard: Another one than that of the loopback.
        port: 0 for a free one.
    """
    with listen("127.0.0.1", port) as address:
        app = make_app(here.session, Originals(here.run), guard or address.guard)
        with serving(app, address.listening):
            yield address.url


def copied(run: Path, folder: Path) -> Path:
    """A run folder of its own, on the same images."""
    shutil.copytree(run, folder / "run")
    return folder / "run"


def ledger(run: Path) -> list[dict[str, Any]]:
    """What is on disk."""
    file = run / "labels.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
