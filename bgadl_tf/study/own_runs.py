"""The runs in a study's folder that are the study's, and what is left out of it, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import class_balance, configurations, runs
from bgadl_tf.study.protocol import Protocol, path_of
from bgadl_tf.study.runs import Run


class LeftOut(NamedTuple):
    """A run folder that no comparison is made of."""

    dataset: str
    name: str
    reason: str

    def __str__(self) -> str:
        """As a report says it."""
        return f"{self.name}: {self.reason}"


class OwnRuns(NamedTuple):
    """The runs of a study, finished or not, and the other folders."""

    runs: list[Run]
    left_out: list[LeftOut]


def find(out: Path, protocol: Protocol | None) -> OwnRuns:
    """Read the runs of a study.

    Args:
        out: Folder of the study.
        protocol: What it runs; None where that is not known, and every run that can be read is its.
    """
    found = OwnRuns([], [])
    for dataset in (protocol.datasets if protocol else ()) or ("",):
        for folder in runs.folders(out, dataset):
            reasons = []
            try:
                run = _read(folder, dataset)
                if protocol is not None:
                    reasons = [*_not_of(protocol, run)]
            except RunFolderError as error:
                reasons = [str(error)]
            if reasons:
                name = f"{path_of(dataset, folder.parent.name)}/{folder.name}"
                found.left_out.append(LeftOut(dataset, name, "; ".join(reasons)))
            else:
                found.runs.append(run)
    return found


def _read(folder: Path, dataset: str) -> Run:
    """A run that a report can be made of.

    Raises:
        RunFolderError: It is damaged.
    """
    run = runs.read(folder, folder.parent.name, dataset)
    if run.finished:
        # What a report reads of every finished run: one that lacks it is no reason for no report.
        _ = run.curve, run.measured.column("test_nll"), class_balance.bought(run)
    return run


def _not_of(protocol: Protocol, run: Run) -> Iterator[str]:
    """Why a run is none of the protocol's."""
    arm = {arm.path: arm for arm in protocol.arms}.get(path_of(run.dataset_name, run.arm))
    if arm is None:
        yield "the study has no such arm"
        return
    seeds = [seed for seed in arm.seeds if run.folder.name == f"seed_{seed}"]
    if not seeds:
        yield "the study has no such seed"
        return
    yield from configurations.differences(run, dataclasses.replace(arm.config, seed=seeds[0]))
