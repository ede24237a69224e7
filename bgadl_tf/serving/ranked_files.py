"""What a ranking leaves behind: a table of scores, a list of failures, the images on top."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from bgadl_tf.core import durable
from bgadl_tf.core.errors import ConfigError, RunFolderError
from bgadl_tf.core.types import Json
from bgadl_tf.serving.client.pool import Failed, Scored
from bgadl_tf.serving.sources import Source

COLUMNS = (
    "rank", "id", "bald", "predictive_entropy", "expected_entropy", "label", "class_name",
    "probability", "model_version", "seed",
)  # fmt: skip
SUFFIXES = (".csv", ".jsonl")


def ranked(scored: Iterable[Scored]) -> list[Scored]:
    """The most informative first; ties in the order of ids."""
    return sorted(scored, key=lambda row: (-row.bald, row.id))


def records(
    rows: Sequence[Scored], *, class_names: Sequence[str] | None, model_version: int, seed: int
) -> list[Json]:
    """One object a row, with the entries ``COLUMNS``; entropies in nats.

    Args:
        rows: Ranked.
        class_names: Name of every class; None where they are not known: then the index stands
            for the name.
        model_version: Which version scored.
        seed: Of the dropout masks.
    """
    names = class_names or ()
    return [
        {
            "rank": rank,
            **row._asdict(),
            "class_name": names[row.label] if row.label < len(names) else str(row.label),
            "model_version": model_version,
            "seed": seed,
        }
        for rank, row in enumerate(rows, start=1)
    ]


def write(path: Path, columns: Sequence[str], rows: Sequence[Json]) -> None:
    """Writes a table at once, as CSV or as JSON lines, as its name says.

    Raises:
        RunFolderError: It cannot be written.
    """
    if path.suffix.lower() == ".jsonl":
        lines = (json.dumps({name: row[name] for name in columns}) + "\n" for row in rows)
        durable.atomic_write_text(path, "".join(lines))
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    durable.atomic_write_text(path, text.getvalue())


def failures_path(out: Path) -> Path:
    """Where images without a score are listed: ``scores.failed.csv`` beside ``scores.csv``."""
    return out.with_name(f"{out.stem}.failed{out.suffix}")


def write_failures(path: Path, failed: Iterable[Failed]) -> None:
    """Lists images without a score; where there are none, no file is left.

    Raises:
        RunFolderError: It cannot be written.
    """
    rows = [row._asdict() for row in sorted(failed)]
    if rows:
        write(path, ("id", "error"), rows)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise RunFolderError(f"cannot remove {path}: {error.strerror}") from error


def check_copy_folder(folder: Path, source: Source, *, resumed: bool) -> None:
    """Refuses a folder for copies that would mix them with something else.

    Raises:
        ConfigError: It lies in the source, or holds something already.
    """
    if source.folder is not None and folder.resolve().is_relative_to(source.folder.resolve()):
        raise ConfigError(
            f"--copy-to {folder} lies in the folder that is scored, where the copies would be "
            "scored the next time; use one outside"
        )
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--copy-to {folder} is not a folder")
    if not resumed and folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(f"--copy-to {folder} is not empty; use a new folder")


def copy_images(source: Source, rows: Sequence[Scored], folder: Path) -> list[str]:
    """Copies images under their ids, sub-folders included.

    Returns:
        What could not be copied, since it was scored but is gone by now: id and reason.

    Raises:
        RunFolderError: The folder cannot be written.
    """
    failures = []
    for row in rows:
        target = folder / f"{row.id}{source.suffix}"
        try:
            content = source.copy_of(row.id)
        except OSError as error:
            failures.append(f"{row.id}: {error.strerror or error}")
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunFolderError(f"cannot write {target.parent}: {error.strerror}") from error
        durable.atomic_write_bytes(target, content)
    return failures
