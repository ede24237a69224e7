"""How close x' = G(E(x*), y*) comes to x*, in distance and in what a label of it would tell.

Proposition 2.1 of Tran et al. (2019) takes a(x') for about a(x*) where x' is near x*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bgadl_tf.core.types import Json
from bgadl_tf.runs import records
from bgadl_tf.study.intervals import interval
from bgadl_tf.study.markdown import NONE, spread, table
from bgadl_tf.study.runs import Run

DISTANCE, QUERIED, GENERATED = records.GENERATIVE


def makes_examples(run: Run) -> bool:
    """Whether any round tells of x'."""
    return any(records.fact(record, DISTANCE) is not None for record in run.rounds)


def generated_table(arms: Mapping[str, Sequence[Run]]) -> str:
    """The first and the last round with x' of every run, mean ± sd over the runs of an arm."""
    rows = []
    for arm, group in arms.items():
        for which, place in (("first", 0), ("last", -1)):
            found = [_with_examples(run)[place] for run in group if makes_examples(run)]
            cells = [
                _cell([records.fact(record, name) for record in found])
                for name in (DISTANCE, QUERIED, GENERATED)
            ]
            rows.append([arm, which, *cells, _cell([_share(record) for record in found])])
    return table(["arm", "round", "‖x' - x\\*‖", "a(x\\*)", "a(x')", "a(x') / a(x\\*)"], rows)


def _with_examples(run: Run) -> list[Json]:
    return [record for record in run.rounds if records.fact(record, DISTANCE) is not None]


def _share(record: Json) -> float | None:
    queried, made = (records.fact(record, name) for name in (QUERIED, GENERATED))
    return None if made is None or not queried else made / queried


def _cell(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None and np.isfinite(value)]
    return spread(interval(known), 1, 3) if known else NONE
