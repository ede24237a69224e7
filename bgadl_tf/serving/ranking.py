"""From a pool and a server to a ranked table: streamed, resumable, one version, one seed."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

from tqdm import tqdm

from bgadl_tf.core.errors import (
    BusyError,
    ConfigError,
    NotServedError,
    RunFolderError,
    ServerError,
)
from bgadl_tf.core.seeding import SEEDS
from bgadl_tf.core.types import Json
from bgadl_tf.serving import ranked_files
from bgadl_tf.serving.client.client import Client, check_seed
from bgadl_tf.serving.client.pool import SIGNATURE, Failed, Scored, score_pool
from bgadl_tf.serving.client.retry import Retry
from bgadl_tf.serving.local.model import LocalModel
from bgadl_tf.serving.sources import Source
from bgadl_tf.serving.work_file import WorkFile


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a pool is scored.

    Attributes:
        server: Address of the server.
        model: Name of the classifier on it.
        version: Its version; None for the highest that is available.
        label: Label of the version, instead of ``version``.
        seed: Of the dropout masks; None to draw one.
        batch_size: Most images of a request.
        in_flight: Requests at a time.
        timeout: Seconds a single request may last.
        patience: Seconds for which a server that is busy or away is asked again.
        top: How many of the most informative images to tell apart; None for none.
        copy_to: Folder to copy these to; None to leave them where they are.
        restart: Forget the scores of an interrupted ranking.

    Raises:
        ConfigError: A value is out of range or two contradict each other.
    """

    server: str = "http://127.0.0.1:8501"
    model: str = "classifier"
    version: int | None = None
    label: str | None = None
    seed: int | None = None
    batch_size: int = 32
    in_flight: int = 2
    timeout: float = 30.0
    patience: float = 120.0
    top: int | None = None
    copy_to: Path | None = None
    restart: bool = False

    def __post_init__(self) -> None:
        for name in ("batch_size", "in_flight", "top"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"--{name.replace('_', '-')} is {value}; it must be at least 1")
        if self.patience < 0:
            raise ConfigError(f"--patience is {self.patience:g} s; it must not be negative")
        if self.copy_to is not None and self.top is None:
            raise ConfigError("--copy-to needs --top, the number of images to copy")
        if self.seed is not None:
            check_seed(self.seed)


class Ranking(NamedTuple):
    """What was done.

    Attributes:
        scored: Images in the ranked table.
        failures: Where images without a score are listed; None where there are none.
        failed: How many these are.
        top: Records of the images on top, as many as were asked for.
        not_copied: Images on top that could not be copied, with the reason.
        model_version: Which version scored.
        seed: Of the dropout masks.
    """

    scored: int
    failures: Path | None
    failed: int
    top: Sequence[Json]
    not_copied: Sequence[str]
    model_version: int
    seed: int


def rank(source: Source, out: Path, settings: Settings, local: LocalModel | None = None) -> Ranking:
    """Scores every image of a source once and writes them to a file, the best first.

    Scores are on disk as they come, in ``OUT.partial``; the same call goes on where an earlier
    one was stopped, with the same seed and the same version of the model. ``out`` is written at
    once when all are there, over one that is there already.

    Args:
        source: The pool.
        out: A ``.csv`` or ``.jsonl`` file.
        settings: How.
        local: What scores, instead of a model on a server.

    Raises:
        ConfigError: The settings cannot work, or are not those of the ranking to go on with.
        ServerError: The server cannot do it. Scores so far are kept.
        RunFolderError: A file cannot be written.
    """
    if out.suffix.lower() not in ranked_files.SUFFIXES:
        raise ConfigError(f"--out is {out}; expected a file ending in .csv or .jsonl")
    if out.is_dir():
        raise ConfigError(f"--out is {out}, which is a folder; expected a file")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"cannot write {out.parent}: {error.strerror}") from error
    partial = out.with_name(out.name + ".partial")
    with WorkFile.opened(partial, restart=settings.restart) as work:
        if work.header is not None:
            _check(work, source, settings, local)
        if settings.copy_to is not None:
            resumed = work.header is not None
            ranked_files.check_copy_folder(settings.copy_to, source, resumed=resumed)
        _score(work, source, settings, local)
        ranking = _finish(work, source, out, settings)
        work.remove()
    return ranking


def _check(work: WorkFile, source: Source, settings: Settings, local: LocalModel | None) -> None:
    given = {"version": settings.version, "label": settings.label, "seed": settings.seed}
    work.check(
        {
            "source": source.name,
            "model": settings.model,
            **{name: value for name, value in given.items() if value is not None},
        }
    )
    if local is not None:
        local.check(work)


def _score(work: WorkFile, source: Source, settings: Settings, local: LocalModel | None) -> None:
    """Scores what the work file lacks."""
    known = work.outcomes
    todo = [id_ for id_ in source.ids if id_ not in known]
    if not todo and work.header is not None:
        return
    header = work.header
    server = settings.server if local is None else local.open()
    with (
        _bar(len(source.ids), len(source.ids) - len(todo)) as bar,
        _saying_how_to_go_on(work, local),
        Client(
            server,
            settings.model,
            version=settings.version if header is None else header["version"],
            label=settings.label if header is None else None,
            timeout=settings.timeout,
            retry=Retry(
                patience=settings.patience,
                notify=lambda why: bar.set_postfix_str(f"waiting: {why}"),
            ),
            connections=settings.in_flight,
            batch_size=settings.batch_size,
        ) as client,
    ):
        seed = _begin(work, source, settings, client, {} if local is None else local.header)
        items = (source.item(id_) for id_ in todo)
        failed = sum(isinstance(outcome, Failed) for outcome in known.values())
        for outcomes in score_pool(client, items, seed, in_flight=settings.in_flight):
            work.add(outcomes)
            failed += sum(isinstance(outcome, Failed) for outcome in outcomes)
            bar.set_postfix_str(f"{failed} failed" if failed else "", refresh=False)
            bar.update(len(outcomes))


def _begin(
    work: WorkFile, source: Source, settings: Settings, client: Client, scored_by: Json
) -> int:
    """Writes the header of a new work file, or checks that of an old one; returns the seed."""
    header = work.header
    if header is None:
        _ = client.signature(SIGNATURE)
    fingerprint = hashlib.sha256(json.dumps(client.metadata, sort_keys=True).encode()).hexdigest()
    if header is None:
        seed = secrets.randbelow(SEEDS) if settings.seed is None else settings.seed
        work.begin(
            {
                "source": source.name,
                "model": settings.model,
                "version": client.version,
                "label": settings.label,
                "seed": seed,
                "class_names": client.class_names,
                "fingerprint": fingerprint,
                **scored_by,
            }
        )
        return seed
    if header["fingerprint"] != fingerprint:
        raise NotServedError(
            f"{client}, version {client.version}, is another model than the one with this number "
            f"that the scores in {work.path} are from"
        )
    return int(header["seed"])


def _finish(work: WorkFile, source: Source, out: Path, settings: Settings) -> Ranking:
    assert work.header is not None
    version, seed = int(work.header["version"]), int(work.header["seed"])
    # Images that have been removed since they were scored are no longer to be ranked.
    outcomes = [work.outcomes[id_] for id_ in source.ids]
    rows = ranked_files.ranked(row for row in outcomes if isinstance(row, Scored))
    failed = [row for row in outcomes if isinstance(row, Failed)]
    records = ranked_files.records(
        rows, class_names=work.header["class_names"], model_version=version, seed=seed
    )
    failures = ranked_files.failures_path(out)
    ranked_files.write_failures(failures, failed)
    ranked_files.write(out, ranked_files.COLUMNS, records)
    top = settings.top or 0
    not_copied: list[str] = []
    if settings.copy_to is not None:
        not_copied = ranked_files.copy_images(source, rows[:top], settings.copy_to)
    return Ranking(
        scored=len(rows),
        failures=failures if failed else None,
        failed=len(failed),
        top=records[:top],
        not_copied=not_copied,
        model_version=version,
        seed=seed,
    )


def _bar(total: int, done: int) -> tqdm[NoReturn]:
    return tqdm(
        total=total,
        initial=done,
        unit="image",
        file=sys.stderr,
        dynamic_ncols=True,
        mininterval=1.0,
    )


@contextmanager
def _saying_how_to_go_on(work: WorkFile, local: LocalModel | None) -> Iterator[None]:
    """Adds to a server's failure what becomes of the scores so far, if there are any."""
    try:
        yield
    except ServerError as error:
        if work.header is None or not work.outcomes:
            raise
        count = len(work.outcomes)
        kept = f"the {count} scores so far are" if count > 1 else "the only score so far is"
        version = work.header["version"]
        how = "run the same command again to go on"
        if local is not None and isinstance(error, NotServedError):
            how = "add --restart to begin anew"
        elif isinstance(error, NotServedError):
            how = (
                f"a ranking mixes no versions: serve version {version} again and run the same "
                "command to go on, or add --restart to begin anew with what is served now"
            )
        elif not isinstance(error, BusyError):
            how = f"when {'the server' if local is None else 'that'} is mended, {how}"
        raise type(error)(f"{error}; {kept} kept in {work.path}: {how}") from error
