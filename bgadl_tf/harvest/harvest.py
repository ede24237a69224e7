"""Images that a served model was asked about join the pool of a run, where they are informative."""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bgadl_tf.core import durable, seeding
from bgadl_tf.core.errors import ConfigError, RunFolderError
from bgadl_tf.core.types import Id, Json
from bgadl_tf.harvest import exported, ledger
from bgadl_tf.harvest.deciding import DECISIONS, JOINS, KNOWN, POOL, Deciding
from bgadl_tf.harvest.ledger import Origin
from bgadl_tf.labelling.taken_up import taken_up
from bgadl_tf.runs.open_run import OpenRun
from bgadl_tf.serving import ranked_files
from bgadl_tf.serving.ranking import Settings as RankSettings
from bgadl_tf.serving.ranking import rank
from bgadl_tf.serving.sources import Source, folder_source

FOLDER = "harvest"
"""Of the run folder: the ranking of the traffic, and what became of each image."""

COLUMNS = (*ranked_files.COLUMNS, "decision", "of", "distance", "pool_id")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is harvested.

    Attributes:
        quantile: Of the scores of the traffic; images above it are candidates.
        most: How many join at most; None for all.
        distance: Two images are near-duplicates where they are nearer than so many usual distances
            from an image of the pool to its nearest neighbour.
        dry_run: Say what would join, and copy nothing.
        server: Whether a server scores, and not the newest export of the run.
        rank: How the traffic is scored; the seed is the run's.

    Raises:
        ConfigError: A value is out of range.
    """

    quantile: float = 0.9
    most: int | None = None
    distance: float = 0.5
    dry_run: bool = False
    server: bool = False
    rank: RankSettings = dataclasses.field(default_factory=RankSettings)

    def __post_init__(self) -> None:
        if not 0.0 <= self.quantile < 1.0:
            raise ConfigError(f"--quantile is {self.quantile:g}; expected one from 0 to below 1")
        if self.most is not None and self.most < 1:
            raise ConfigError(f"--most is {self.most}; it must be at least 1")
        if not (math.isfinite(self.distance) and self.distance >= 0.0):
            raise ConfigError(f"--distance is {self.distance:g}; it must not be negative")


class Harvest(NamedTuple):
    """What was done.

    Fields:
        decisions: How many images met each.
        threshold: BALD that candidates are above, nats; None where all are.
        model_version: Which version of the model scored.
        joined: Ids in the pool of what joined now, the most informative first.
        table: Where every image of the traffic is listed with what became of it.
        failed: How many have no score.
    """

    decisions: Mapping[str, int]
    threshold: float | None
    model_version: int
    joined: Sequence[Id]
    table: Path
    failed: int


def harvest(run: Path, traffic: Path, settings: Settings) -> Harvest:
    """Score the traffic of a served model, and add what is informative and new to a run's pool.

    All scores of a call are of one version of the model and one seed, that of the round which asks
    next; another version scores all anew. Images are copied into ``unlabelled/`` of the dataset's
    folder under the digest of their content, so that a call that was stopped is simply given
    again; where each comes from stands in ``harvest.jsonl`` of the run folder. The run finds them
    when it is taken up.

    Args:
        run: The run folder; nobody else may work in it meanwhile.
        traffic: Folder of images, such as a server's ``--request_log_dir``.
        settings: What is harvested.

    Raises:
        ConfigError: The run does not learn from a folder, or has exported no model.
        DataError: The traffic is not there, or holds no images.
        ServerError: The server cannot score.
        RunFolderError: Another process works in the run, or a file cannot be written.
    """
    with taken_up(run) as opened:
        root = _root_of(opened, traffic)
        local = None if settings.server else exported.newest(run)
        source = folder_source(traffic)
        round_ = _next_round(opened)
        seed = seeding.mask_seed(opened.setup.config.seed, round_)
        how = dataclasses.replace(settings.rank, seed=seed)
        ranking = rank(source, run / FOLDER / "ranking.jsonl", how, local)
        rows = durable.read_json_lines(run / FOLDER / "ranking.jsonl", mend=False).records
        threshold = None
        if settings.quantile and rows:
            threshold = float(np.quantile([row["bald"] for row in rows], settings.quantile))
        deciding = Deciding(opened, source, settings.distance, settings.most)
        decisions = deciding.of(rows, threshold)
        for row, decision in zip(rows, decisions, strict=True):
            row |= decision._asdict()
        joined = [row for row in rows if row["decision"] == JOINS]
        if not settings.dry_run:
            _copy(source, joined, root)
            _note(run, rows, traffic, how.model, round_)
        table = run / FOLDER / "harvest.csv"
        ranked_files.write(table, COLUMNS, rows)
    counts = collections.Counter(one.decision for one in decisions)
    return Harvest(
        decisions={what: counts[what] for what in DECISIONS},
        threshold=threshold,
        model_version=ranking.model_version,
        joined=[row["pool_id"] for row in joined],
        table=table,
        failed=ranking.failed,
    )


def _next_round(run: OpenRun) -> int:
    """The first that may ask about what joins now."""
    return run.loop.round + (run.loop.journal.query(run.loop.round) is not None)


def _root_of(run: OpenRun, traffic: Path) -> Path:
    """Folder of the images that the run learns from."""
    dataset = run.setup.config.dataset
    kind, _, path = dataset.partition(":")
    if kind != "folder":
        raise ConfigError(
            f"the run learns from {dataset!r}, which takes no new images; a run on folder:PATH does"
        )
    root = Path(path).expanduser()
    if traffic.resolve().is_relative_to(root.resolve()):
        raise ConfigError(
            f"{traffic} lies in {root}, whose images are the run's own already; expected images "
            "from elsewhere"
        )
    return root


def _copy(source: Source, joined: Sequence[Json], root: Path) -> None:
    """Copy files into the pool, each whole or not at all.

    Raises:
        RunFolderError: One cannot be read or written; those before it are there.
    """
    assert source.file is not None
    for row in joined:
        try:
            (root / POOL).mkdir(exist_ok=True)
            durable.atomic_write_bytes(root / row["pool_id"], source.file(row["id"]))
        except OSError as error:
            raise RunFolderError(
                f"{row['id']} cannot be copied into {root / POOL}: {error.strerror or error}; "
                "mend that and give the same command again"
            ) from error


def _note(run: Path, rows: Sequence[Json], traffic: Path, model: str, round_: int) -> None:
    """Note where images come from; also of those that a call copied which was then stopped."""
    noted = {origin.id for origin in ledger.read(run)}
    origins = {
        row["pool_id"]: Origin(
            id=row["pool_id"],
            traffic=str(traffic.resolve()),
            image=row["id"],
            bald=row["bald"],
            model=model,
            model_version=row["model_version"],
            seed=row["seed"],
            round=round_,
        )
        for row in rows
        if row["decision"] in (JOINS, KNOWN)
    }
    ledger.extend(run, [origin for id_, origin in origins.items() if id_ not in noted])
