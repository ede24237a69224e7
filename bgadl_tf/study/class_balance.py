"""Which classes the labels that a run asked for turned out to be of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core import durable
from bgadl_tf.core.errors import BgadlError, RunFolderError
from bgadl_tf.loop.ledger import Record, labels_in
from bgadl_tf.study.intervals import interval
from bgadl_tf.study.markdown import spread, table
from bgadl_tf.study.runs import Run

MOST_COLUMNS = 12
"""Classes whose shares are shown one by one."""


@dataclass(frozen=True, eq=False)
class Bought:
    """Labels of one run that its rounds asked for; those of the initial set are not among them.

    Attributes:
        names: Of the classes.
        counts: Labels of each class, int64 ``[C]``.
        without: Ids asked about that have no label: declined, or of an example that has gone.
    """

    names: tuple[str, ...]
    counts: NDArray[np.int64]
    without: int

    @property
    def shares(self) -> NDArray[np.float64]:
        """Of each class, float64 ``[C]``."""
        shares: NDArray[np.float64] = self.counts / self.counts.sum()
        return shares

    @property
    def evenness(self) -> float:
        """Entropy of the shares over that of equal ones, in [0, 1]; 1 where all are equal."""
        some = self.shares[self.counts > 0]
        return float(-np.sum(some * np.log(some)) / np.log(len(self.counts)))


def bought(run: Run) -> Bought | None:
    """What a run asked for, by class, with corrections; None where nothing can be counted.

    Raises:
        RunFolderError: Its ledger is damaged.
    """
    path = run.folder / "labels.jsonl"
    names = tuple(str(name) for name in run.config.get("class_names") or ())
    if not path.exists() or len(names) < 2:
        return None
    try:
        lines = durable.read_json_lines(path, mend=False).records
        records = [Record.from_json(line) for line in lines]
    except BgadlError as error:
        raise RunFolderError(f"{path}: {error}") from None
    last = max((int(record["round"]) for record in run.rounds), default=0)
    labels = labels_in(records, last)
    asked = {id_ for record in run.rounds if record["round"] for id_ in record.get("queried", ())}
    found = [labels[id_] for id_ in asked if labels.get(id_, len(names)) < len(names)]
    if not found:
        return None
    counts = np.bincount(found, minlength=len(names)).astype(np.int64)
    return Bought(names, counts, len(asked) - len(found))


def balance_table(arms: Mapping[str, Sequence[Bought]]) -> str:
    """Evenness of what was bought, mean ± sd over runs, and the mean share of each class (%).

    Args:
        arms: One of every run, by arm, all of the same classes.
    """
    names = next(iter(arms.values()))[0].names
    few = len(names) <= MOST_COLUMNS
    rows = []
    for arm, runs in arms.items():
        shares = 100 * np.mean([run.shares for run in runs], axis=0)
        most, least = int(np.argmax(shares)), int(np.argmin(shares))
        cells = [spread(interval([run.evenness for run in runs]), 1, 3)]
        if few:
            cells += [f"{share:.1f}" for share in shares]
        else:
            cells += [f"{names[place]} ({shares[place]:.1f} %)" for place in (most, least)]
        rows.append([arm, f"{np.mean([run.counts.sum() for run in runs]):,.0f}", *cells])
    of_classes = list(names) if few else ["most", "fewest"]
    return table(["arm", "labels", "evenness", *of_classes], rows)
