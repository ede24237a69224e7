"""Where harvested images come from: a line each, in ``harvest.jsonl`` of the run folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bgadl_tf.core import durable
from bgadl_tf.core.types import Id

FILE = "harvest.jsonl"


@dataclass(frozen=True)
class Origin:
    """Where an image of the pool was met, and why it was taken.

    Attributes:
        id: In the pool.
        traffic: Folder that it was copied from, and
        image: its path there.
        bald: Its score, nats.
        model: Name of the model that scored it.
        model_version: Which version of that.
        seed: Of the dropout masks.
        round: The first round that may ask about it.
    """

    id: Id
    traffic: str
    image: str
    bald: float
    model: str
    model_version: int
    seed: int
    round: int


def read(run: Path) -> list[Origin]:
    """All of a run's.

    Raises:
        RunFolderError: It cannot be read.
    """
    file = run / FILE
    if not file.exists():
        return []
    return [Origin(**line) for line in durable.read_json_lines(file).records]


def extend(run: Path, origins: Sequence[Origin]) -> None:
    """Add some; on disk when this returns.

    Raises:
        RunFolderError: They cannot be written.
    """
    if origins:
        durable.append_json_lines(run / FILE, [asdict(origin) for origin in origins])
