"""Runs as reports show them: arms in their order, curves and references apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bgadl_tf.study import figures, runs
from bgadl_tf.study.learning_curve import Curve
from bgadl_tf.study.runs import Run

Named = Mapping[str, Mapping[str, Sequence[Run]]]
"""Runs by what their study calls their dataset, empty where it names none, and by arm."""


def named(found: Sequence[Run]) -> dict[str, dict[str, list[Run]]]:
    """Runs as ``Named``, datasets in order of appearance, arms in that of ``in_order``.

    Raises:
        RunFolderError: Two runs of one arm on one dataset have the same seed.
    """
    names = dict.fromkeys(run.dataset_name for run in found)
    return {
        name: in_order(runs.by_arm(run for run in found if run.dataset_name == name))
        for name in names
    }


def by_dataset(groups: Named) -> dict[str, dict[str, list[Run]]]:
    """Runs by what they are on, and by arm; runs of a study that names no dataset are told apart by
    their settings.
    """
    found: dict[str, dict[str, list[Run]]] = {}
    for arms in groups.values():
        for arm, group in arms.items():
            for run in group:
                found.setdefault(run.dataset, {}).setdefault(arm, []).append(run)
    return found


def in_order(groups: Mapping[str, list[Run]]) -> dict[str, list[Run]]:
    """Arms with the paper's methods first, in the paper's order, references last."""
    paper = [name for name in figures.ARM_STYLES if name in groups]
    others = [name for name in groups if name not in paper and not groups[name][0].is_reference]
    references = [name for name in groups if groups[name][0].is_reference]
    return {name: groups[name] for name in (*paper, *others, *references)}


def split(
    groups: Mapping[str, Sequence[Run]],
) -> tuple[dict[str, list[Curve]], dict[str, list[Curve]]]:
    """Arms with a learning curve, and references."""
    curves: dict[str, list[Curve]] = {}
    references: dict[str, list[Curve]] = {}
    for name, group in groups.items():
        kind = references if group[0].is_reference else curves
        kind[name] = [run.curve for run in group]
    return curves, references


def dataset(found: Sequence[Run]) -> str:
    """What all runs are on; empty where they are on several."""
    names = {run.dataset for run in found}
    return names.pop() if len(names) == 1 else ""
