"""What a study found: report.html, report.md, results.json, curves.csv and learning_curves.png."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import answer, claims, fairness, figures, runs, study_folder
from bgadl_tf.study.claims import Claims
from bgadl_tf.study.protocol import BASELINES
from bgadl_tf.study.report import hparams, sections
from bgadl_tf.study.report.arms import dataset, dataset_of, in_order, split, told
from bgadl_tf.study.report.document import Block, Contents
from bgadl_tf.study.report.files import write_all
from bgadl_tf.study.runs import Run


def write(out: Path, baselines: Sequence[str] = BASELINES, *, bootstrap_seed: int = 0) -> Path:
    """Write the report over the finished runs of ``out``, all its files, and its ``hparams/``.

    Args:
        out: Folder of the study.
        baselines: Arms with which every other one is compared seed by seed.
        bootstrap_seed: Of the resamples behind the bootstrap intervals.

    Returns:
        report.md.

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
    groups = in_order(runs.by_arm(finished))
    left_out = [run for run in found if not run.finished]
    rng = np.random.default_rng(bootstrap_seed)
    blocks = [*_blocks(out, groups, left_out, baselines, rng)]
    title = f"{dataset(finished) or 'Study'}: {len(groups)} arms"
    path = write_all(out, title, blocks, groups, groups)
    hparams.write(out, groups)
    return path


def _blocks(
    out: Path,
    groups: Mapping[str, Sequence[Run]],
    left_out: Sequence[Run],
    baselines: Sequence[str],
    rng: np.random.Generator,
) -> Iterator[Block]:
    """The report."""
    finished = [run for group in groups.values() for run in group]
    claimed = _claims(out)
    by_dataset: dict[str, dict[str, list[Run]]] = {}
    for arm, group in groups.items():
        for run in group:
            by_dataset.setdefault(dataset_of(run), {}).setdefault(arm, []).append(run)
    yield f"# {dataset(finished) or 'Study'}: {len(groups)} arms, {len(finished)} runs\n"
    recommended = None if claimed is None else claimed.recommended
    for name, own in by_dataset.items():
        yield from answer.sentences(name, sections.learning(own), baselines, recommended)
    yield _protocol(next((r for r in finished if not r.is_reference), finished[0]))
    yield from _warnings(finished, left_out)
    yield Contents()
    margin = claims.MARGIN if claimed is None else claimed.margin
    for place, (name, own) in enumerate(by_dataset.items()):
        picture = f"learning_curves_{place + 1}.png" if place else "learning_curves.png"
        if len(by_dataset) > 1:
            yield f"# {name}\n"
        curves, references = split(own)
        if curves:
            figures.learning_curve(curves, out / picture, references=references, title=name)
        spoken = answer.spoken_of(sections.learning(own), baselines, recommended)
        asked = sections.Asked(tuple(baselines), margin, spoken)
        yield from sections.sections(own, asked, picture, f"d{place}-", rng)


def _warnings(finished: Sequence[Run], left_out: Sequence[Run]) -> Iterator[str]:
    """What is not as it should be."""
    for key, values in runs.differing_settings(finished).items():
        yield f"**Not one protocol:** `{key}` is {' and '.join(map(str, values))}.\n"
    for seed in runs.seeds_on_several_datasets(finished):
        yield f"**Not one dataset:** the runs of seed {seed} are not on the same examples.\n"
    for run in finished:
        if changed := run.other_test_sets:
            yield f"**Not one test set:** {told(run, changed)}.\n"
    for doubt in fairness.doubts(finished):
        yield f"**Not alike:** {doubt}.\n"
    for run in left_out:
        yield (
            f"Left out: {run.arm} seed {run.seed}, with {len(run.rounds)} of "
            f"{run.planned_rounds} rounds finished.\n"
        )


def _claims(out: Path) -> Claims | None:
    """What the study was to show; None where it claims nothing or its protocol cannot be read."""
    try:
        protocol = study_folder.saved(out)
    except RunFolderError:
        # Of an older version, or damaged; the runs can be read all the same.
        return None
    return None if protocol is None else protocol.claims


def _protocol(run: Run) -> str:
    settings = [
        f"{key} {value}" for key, value in run.config.items()
        if key not in runs.NOT_PROTOCOL and value is not None and not isinstance(value, dict | list)
    ]  # fmt: skip
    return f"Protocol: {', '.join(settings)}.\n"
