"""A few runs in one figure."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import doubts, figures, runs
from bgadl_tf.study.report.arms import dataset, split
from bgadl_tf.study.runs import Run

logger = logging.getLogger(__name__)


def compare(folders: Sequence[Path], path: Path) -> None:
    """Draw the learning curves of a few runs, finished or not, into one figure.

    Runs of one arm with different seeds become one line with an interval; if two runs cannot
    be told apart by arm and seed, every run is a line of its own, named after its folder.

    Raises:
        RunFolderError: A folder is not that of a run, or has no finished round.
    """
    found = [runs.read(folder) for folder in folders]
    for run in found:
        if changed := run.other_test_sets:
            logger.warning("%s", doubts.of_other_test_sets(run, changed))
    # Whole paths would leave no room for the curves.
    common = os.path.commonpath([run.folder.resolve().parent for run in found])
    names = {(run.arm, run.seed) for run in found}
    groups = (
        runs.by_arm(found)
        if len(names) == len(found) and not _repeat_with_other_settings(found)
        else {str(run.folder.resolve().relative_to(common)): [run] for run in found}
    )
    curves, references = split(groups)
    if not curves:
        raise RunFolderError("only runs on the whole training set were given; add one that learns")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"cannot make {path.parent}: {error.strerror or error}") from None
    figures.learning_curve(curves, path, references=references, title=dataset(found))


def _repeat_with_other_settings(found: Sequence[Run]) -> bool:
    """Whether runs of one arm differ in more than the seed."""
    return any(
        runs.differing_settings(group) or len({str(run.config.get("options")) for run in group}) > 1
        for group in runs.by_arm(found).values()
    )
