"""A journal in a folder.

::

    plan.json                  the protocol
    labels.jsonl               the ledger
    dataset.jsonl              what the dataset was at first, and what changed at later starts
    rounds.jsonl               one finished round a line
    queries/round_NN.json      what each round asked, with scores and the seed of its MC masks
    arrays/NAME/round_NN.npz   arrays kept by name, e.g. ``further``, the x' of a round
    checkpoints/               weights, optimizer states and the moment they are of
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core import durable, lock
from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.core.lock import LOCK
from bgadl_tf.core.types import Id, Json
from bgadl_tf.learners.learner import Learner
from bgadl_tf.loop.checkpoints import Checkpoints, reporting_write_errors
from bgadl_tf.loop.journal import Moment, Named
from bgadl_tf.loop.ledger import Ledger
from bgadl_tf.loop.plan import Plan, refuse_other
from bgadl_tf.loop.round import Round

_SYNTHESISED = "synthesised"


class FolderJournal:
    """The memory of one run; a ``journal.Journal``.

    Args:
        path: The folder, which exists.
    """

    subfolders = ("queries", "arrays", "checkpoints")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None
        self._rounds: list[Json] = []
        self._checkpoints: Checkpoints | None = None

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the folder, so that no other process works in it, and clear up after a crash.

        Raises:
            RunFolderError: Another process holds it, or it cannot be written.
        """
        self.open()
        try:
            yield
        finally:
            self.close()

    def open(self) -> None:
        """Hold the folder until ``close``, or until the process ends; see ``opened``.

        The process that holds it may open it again, as a notebook does that runs a cell twice.
        """
        with reporting_write_errors(self.path):
            self._lock = lock.hold(self.path / LOCK)
            if self._lock is None:
                raise RunFolderError(
                    f"another process is working in {self.path}; wait for it or use another --out"
                )
            for name in self.subfolders:
                (self.path / name).mkdir(exist_ok=True)
            own = [self.path / name for name in self.subfolders]
            folders = (self.path, *own, *(self.path / "arrays").glob("*/"))
            for left_behind in (file for f in folders for file in durable.temporaries(f)):
                left_behind.unlink()
        self._rounds = list(durable.read_json_lines(self.path / "rounds.jsonl").records)
        durable.read_json_lines(self._dataset_file)  # drops what a crash has cut short
        self._ledger = Ledger(self.path / "labels.jsonl")

    def close(self) -> None:
        """Let the folder go."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def ledger(self) -> Ledger:
        return self._ledger

    def labelled(self) -> Sequence[tuple[int, Id]]:
        lines = durable.read_json_lines(self.path / "labels.jsonl", mend=False).records
        return [(n, line["id"]) for n, line in enumerate(lines) if line.get("label") is not None]

    def begin(self, plan: Plan) -> None:
        file = self.path / "plan.json"
        if file.exists():
            refuse_other(json.loads(file.read_text()), plan)
        else:
            self._write_plan(plan)

    def go_on(self, plan: Plan) -> None:
        if json.loads((self.path / "plan.json").read_text()) != dataclasses.asdict(plan):
            self._write_plan(plan)

    def _write_plan(self, plan: Plan) -> None:
        text = json.dumps(dataclasses.asdict(plan)) + "\n"
        durable.atomic_write_text(self.path / "plan.json", text)

    def dataset_starts(self) -> Sequence[Json]:
        with reporting_write_errors(self.path):
            if not self._dataset_file.exists():
                return ()
        return durable.read_json_lines(self._dataset_file, mend=False).records

    def begin_dataset(self, start: Json) -> None:
        durable.append_json_line(self._dataset_file, start)

    def track(self, learner: Learner) -> None:
        """Say whose weights and optimizer states the checkpoints are to hold."""
        self._checkpoints = Checkpoints(self.path / "checkpoints", learner)

    def finished(self) -> Sequence[Json]:
        return tuple(self._rounds)

    def finished_rounds(self) -> Sequence[Json]:
        """``finished``, of a folder that is not open."""
        return durable.read_json_lines(self.path / "rounds.jsonl", mend=False).records

    def query(self, round_: int) -> Query | None:
        file = self._query_file(round_)
        if not file.exists():
            return None
        saved = json.loads(file.read_text())
        synthesised = self.kept(round_, _SYNTHESISED) if saved.get("synthesised") else None
        return Query(
            tuple(saved["ids"]),
            tuple(saved["scores"]),
            None if synthesised is None else synthesised["examples"],
            saved.get("facts", {}),
        )

    def starts_before_query(self, round_: int) -> int:
        return int(json.loads(self._query_file(round_).read_text()).get("starts", 0))

    def save_query(self, round_: int, query: Query, mask_seed: int) -> None:
        if query.examples is not None:
            self.keep(round_, _SYNTHESISED, {"examples": query.examples})
        content = {
            "round": round_,
            "mask_seed": mask_seed,
            "ids": list(query.ids),
            "scores": list(query.scores),
            "facts": dict(query.facts),
            "synthesised": query.examples is not None,
            "starts": len(self.dataset_starts()),
        }
        durable.atomic_write_text(self._query_file(round_), json.dumps(content) + "\n")

    def kept(self, round_: int, name: str) -> Named | None:
        file = self._arrays_file(round_, name)
        if not file.exists():
            return None
        try:
            with np.load(file, allow_pickle=False) as saved:
                return dict(saved)
        except (OSError, ValueError, EOFError) as error:
            raise RunFolderError(
                f"{file} cannot be read: {error}; restore it from a copy, or use another --out"
            ) from None

    def keep(self, round_: int, name: str, arrays: Named) -> None:
        file = self._arrays_file(round_, name)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        with reporting_write_errors(self.path):
            file.parent.mkdir(exist_ok=True)
        durable.atomic_write_bytes(file, buffer.getvalue())

    def restore(self) -> Moment | None:
        return self._tracked().restore()

    def save_weights(self, moment: Moment, now: bool) -> None:
        self._tracked().save(moment, now)

    def finish(self, record: Round) -> None:
        durable.append_json_line(self.path / "rounds.jsonl", record.to_json())
        self._rounds.append(record.to_json())

    def _tracked(self) -> Checkpoints:
        if self._checkpoints is None:
            raise RunFolderError(f"no learner is tracked in {self.path}: call track() first")
        return self._checkpoints

    @property
    def _dataset_file(self) -> Path:
        return self.path / "dataset.jsonl"

    def _query_file(self, round_: int) -> Path:
        return self.path / "queries" / f"round_{round_:02d}.json"

    def _arrays_file(self, round_: int, name: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            raise ValueError(f"arrays cannot be kept as {name!r}: use letters, digits, _ - .")
        return self.path / "arrays" / name / f"round_{round_:02d}.npz"


def unopened(path: Path | str | None) -> FolderJournal:
    """A journal to look at what a folder holds of its dataset, if anything."""
    return FolderJournal(Path(os.devnull) if path is None else Path(path))


def held(path: Path | str | None) -> FolderJournal:
    """A journal that is open until it is closed or the process ends.

    Args:
        path: The folder, made if need be; None for one that vanishes with the journal.

    Raises:
        RunFolderError: Another process holds it, or it cannot be written.
    """
    folder = Path(tempfile.mkdtemp(prefix="bgadl_tf_") if path is None else path)
    with reporting_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        others = {file.name for file in folder.iterdir()} - {LOCK}
    journal = FolderJournal(folder)
    if others and not others & {*journal.subfolders}:
        raise RunFolderError(
            f"{folder} holds {min(others)!r} and nothing of a run; use an empty or new folder"
        )
    if path is None:
        weakref.finalize(journal, shutil.rmtree, folder, ignore_errors=True)
    journal.open()
    return journal
