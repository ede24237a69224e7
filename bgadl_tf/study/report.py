"""What a study found, in one report, and a few runs in one figure."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from bgadl_tf.core import durable
from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.core.types import Json
from bgadl_tf.runs import records
from bgadl_tf.study import cost, facts, figures, labels_saved, learning_curve, runs, tables
from bgadl_tf.study.learning_curve import Curve
from bgadl_tf.study.protocol import BASELINES
from bgadl_tf.study.runs import Run

logger = logging.getLogger(__name__)


def write(out: Path, baselines: Sequence[str] = BASELINES, *, bootstrap_seed: int = 0) -> Path:
    """Write report.md, results.json and learning_curves.png over the finished runs of ``out``.

    Args:
        out: Folder of the study.
        baselines: Arms with which every other one is compared seed by seed.
        bootstrap_seed: Of the resamples behind the bootstrap intervals.

    Returns:
        The report.

    Raises:
        RunFolderError: There is no finished run, or a folder is damaged.
    """
    found = runs.read_study(out)
    finished = [run for run in found if run.finished]
    if not finished:
        raise RunFolderError(
            f"{out} holds {len(found)} runs, none of them finished; make some with "
            "bgadl study FILE.yaml"
        )
    groups = _in_order(runs.by_arm(finished))
    curves, references = _split(groups)
    if curves:
        figures.learning_curve(
            curves, out / "learning_curves.png", references=references, title=_dataset(finished)
        )
    left_out = [run for run in found if not run.finished]
    rng = np.random.default_rng(bootstrap_seed)
    results = json.dumps(_results(groups), indent=1, allow_nan=False) + "\n"
    durable.atomic_write_text(out / "results.json", results)
    sections = _sections(groups, left_out, baselines, rng, bool(curves))
    durable.atomic_write_text(out / "report.md", "\n".join(sections))
    return out / "report.md"


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
            logger.warning("%s", _told(run, changed))
    # Whole paths would leave no room for the curves.
    common = os.path.commonpath([run.folder.resolve().parent for run in found])
    names = {(run.arm, run.seed) for run in found}
    groups = (
        runs.by_arm(found)
        if len(names) == len(found) and not _repeat_with_other_settings(found)
        else {str(run.folder.resolve().relative_to(common)): [run] for run in found}
    )
    curves, references = _split(groups)
    if not curves:
        raise RunFolderError("only runs on the whole training set were given; add one that learns")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"cannot make {path.parent}: {error.strerror or error}") from None
    figures.learning_curve(curves, path, references=references, title=_dataset(found))


def _told(run: Run, changed: Sequence[int]) -> str:
    """That accuracies of one curve are of different test sets."""
    rounds = ", ".join(map(str, changed))
    return (
        f"from round {rounds} on the accuracies of {run.folder} are of another test set than before"
    )


def _in_order(groups: Mapping[str, list[Run]]) -> dict[str, list[Run]]:
    """Arms with the paper's methods first, in the paper's order, references last."""
    paper = [name for name in figures.ARM_STYLES if name in groups]
    others = [name for name in groups if name not in paper and not groups[name][0].is_reference]
    references = [name for name in groups if groups[name][0].is_reference]
    return {name: groups[name] for name in (*paper, *others, *references)}


def _split(
    groups: Mapping[str, Sequence[Run]],
) -> tuple[dict[str, list[Curve]], dict[str, list[Curve]]]:
    """Arms with a learning curve, and references."""
    curves: dict[str, list[Curve]] = {}
    references: dict[str, list[Curve]] = {}
    for name, group in groups.items():
        kind = references if group[0].is_reference else curves
        kind[name] = [run.curve for run in group]
    return curves, references


def _repeat_with_other_settings(found: Sequence[Run]) -> bool:
    """Whether runs of one arm differ in more than the seed."""
    return any(
        runs.differing_settings(group) or len({str(run.config.get("options")) for run in group}) > 1
        for group in runs.by_arm(found).values()
    )


def _dataset(found: Sequence[Run]) -> str:
    names = {str(run.config.get("dataset", "")) for run in found}
    return names.pop() if len(names) == 1 else ""


def _results(groups: Mapping[str, Sequence[Run]]) -> Json:
    """Every curve and what the tables take from it; a number that does not exist is null."""
    return {
        arm: {
            str(run.seed): {
                "labelled": run.curve.labelled.tolist(),
                "test_accuracy": run.curve.accuracy.tolist(),
                "test_nll": run.measured.column("test_nll").tolist(),
                "aubc": _or_null(learning_curve.aubc(run.curve)),
                "labels_to_reach": {
                    f"{target:.2f}": _or_null(learning_curve.labels_to_reach(run.curve, target))
                    for target in tables.TARGETS
                },
                "facts": {
                    name: [_or_null(records.fact(record, name)) for record in run.rounds]
                    for name in records.fact_names(run.rounds)
                },
                "seconds": sum(sum(record.get("seconds", {}).values()) for record in run.rounds),
            }
            for run in group
        }
        for arm, group in groups.items()
    }


def _or_null(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _sections(
    groups: Mapping[str, Sequence[Run]],
    left_out: Sequence[Run],
    baselines: Sequence[str],
    rng: np.random.Generator,
    has_curves: bool,
) -> Iterator[str]:
    """The report's paragraphs."""
    finished = [run for group in groups.values() for run in group]
    learning = {arm: group for arm, group in groups.items() if not group[0].is_reference}
    yield f"# {_dataset(finished) or 'Study'}: {len(groups)} arms, {len(finished)} runs\n"
    yield _protocol(next((r for r in finished if not r.is_reference), finished[0]))
    for key, values in runs.differing_settings(finished).items():
        yield f"**Not one protocol:** `{key}` is {' and '.join(map(str, values))}.\n"
    for seed in runs.seeds_on_several_datasets(finished):
        yield f"**Not one dataset:** the runs of seed {seed} are not on the same examples.\n"
    for run in finished:
        if changed := run.other_test_sets:
            yield f"**Not one test set:** {_told(run, changed)}.\n"
    for run in left_out:
        yield (
            f"Left out: {run.arm} seed {run.seed}, with {len(run.rounds)} of "
            f"{run.planned_rounds} rounds finished.\n"
        )
    if has_curves:
        yield "![Learning curves](learning_curves.png)\n"
    yield "## Test accuracy (%), mean ± sd over runs\n"
    yield tables.accuracy_table(groups)
    yield "## Label efficiency, mean ± sd over runs\n"
    yield (
        "AUBC is the area under the accuracy–labels curve over its label range: a mean accuracy. "
        "Labels to reach an accuracy are interpolated between rounds.\n"
    )
    yield tables.summary_table(groups)
    for baseline in baselines:
        yield f"## Against `{baseline}`\n"
        if baseline == baselines[0]:
            yield (
                "Differences are paired on seeds, which share their initial set. A difference "
                f"counts as found when the paired t-test's p is below {tables.SIGNIFICANT} after "
                "Holm's correction over the table. The sign-flip test is exact and cannot go "
                "below 2^(1 - seeds); it is shown as a check and decides nothing.\n"
            )
        yield tables.paired_table(groups, baseline, rng)
        if baseline in learning:
            # Of its own, lest it shift what the tables of differences draw.
            yield from _efficiency(learning, baseline, np.random.default_rng(0))
    yield "## Pairwise penalties\n"
    yield (
        "The share of labelled counts at which the row's arm beats the column's by a paired "
        "t-test (p < 0.05, uncorrected).\n"
    )
    yield tables.penalty_table(groups)
    if (found := facts.facts_table(learning)) is not None:
        yield "## Facts of the rounds, mean ± sd over runs\n"
        yield found


def _efficiency(
    arms: Mapping[str, Sequence[Run]], baseline: str, rng: np.random.Generator
) -> Iterator[str]:
    """What arms save and cost beside one of them."""
    if len(arms) < 2:
        return
    yield f"### Labels saved beside `{baseline}`\n"
    yield (
        f"Labels to the accuracy that the seed's own run of `{baseline}` ends with, and the share "
        "of that run's labels to it which is saved. A run that never gets there counts with all "
        "its labels, though it needs more: where there are such runs, labels are at least, and "
        "savings at most, what is shown.\n"
    )
    curves = {arm: {run.seed: run.curve for run in group} for arm, group in arms.items()}
    yield labels_saved.saved_table(curves, baseline, rng)
    yield f"### Cost beside `{baseline}`\n"
    yield (
        "Seconds a round, the median over a run's rounds, as measured: runs that share cores wait "
        "for each other. Gains are on shared seeds, and per second that a round takes longer.\n"
    )
    yield cost.cost_table(arms, baseline)


def _protocol(run: Run) -> str:
    settings = [
        f"{key} {value}" for key, value in run.config.items()
        if key not in runs.NOT_PROTOCOL and value is not None and not isinstance(value, dict | list)
    ]  # fmt: skip
    return f"Protocol: {', '.join(settings)}.\n"
