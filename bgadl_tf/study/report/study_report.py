"""What a study found: report.html, report.md, results.json, curves.csv and learning_curves.png."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import answer, claims, fairness, figures, runs, study_folder
from bgadl_tf.study.claims import Claims
from bgadl_tf.study.protocol import BASELINES
from bgadl_tf.study.report import arms, hparams, sections
from bgadl_tf.study.report.arms import Named
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
    protocol = study_folder.readable(out)
    datasets = () if protocol is None else protocol.datasets
    claimed = None if protocol is None else protocol.claims
    found = runs.read_study(out, datasets)
    finished = [run for run in found if run.finished]
    if not finished:
        raise RunFolderError(
            f"{out} holds {len(found)} runs, none of them finished; make some with "
            "bgadl study FILE.yaml"
        )
    groups = arms.named(finished)
    names = {arm for own in groups.values() for arm in own}
    title = f"{arms.dataset(finished) or 'Study'}: {len(names)} arms"
    rng = np.random.default_rng(bootstrap_seed)
    blocks = [
        f"# {title}, {len(finished)} runs\n",
        *_answers(groups, baselines, claimed),
        *(f"> **{name}**: no run is finished yet.\n" for name in datasets if name not in groups),
        *_about(found, groups),
        Contents(),
        *_chapters(out, groups, baselines, claimed, rng),
    ]
    path = write_all(out, title, blocks, groups, groups)
    hparams.write(out, finished)
    return path


def _answers(groups: Named, baselines: Sequence[str], claimed: Claims | None) -> Iterator[str]:
    """What was found, a paragraph a dataset."""
    recommended = None if claimed is None else claimed.recommended
    for name, own in arms.by_dataset(groups).items():
        yield from answer.sentences(name, sections.learning(own), baselines, recommended)


def _chapters(
    out: Path,
    groups: Named,
    baselines: Sequence[str],
    claimed: Claims | None,
    rng: np.random.Generator,
) -> Iterator[Block]:
    """Everything behind the answers, a chapter a dataset."""
    by_dataset = arms.by_dataset(groups)
    recommended = None if claimed is None else claimed.recommended
    margin = claims.MARGIN if claimed is None else claimed.margin
    for place, (name, own) in enumerate(by_dataset.items()):
        picture = f"learning_curves_{place + 1}.png" if place else "learning_curves.png"
        if len(by_dataset) > 1:
            yield f"# {name}\n"
        curves, references = arms.split(own)
        if curves:
            figures.learning_curve(curves, out / picture, references=references, title=name)
        spoken = answer.spoken_of(sections.learning(own), baselines, recommended)
        asked = sections.Asked(tuple(baselines), margin, spoken)
        yield from sections.sections(own, asked, picture, f"d{place}-", rng)


def _about(found: Sequence[Run], groups: Named) -> Iterator[str]:
    """Protocol and warnings, for each dataset that the study names."""
    for name in dict.fromkeys(run.dataset_name for run in found):
        on = f" on `{name}`" if name else ""
        finished = [run for group in groups.get(name, {}).values() for run in group]
        if finished:
            run = next((r for r in finished if not r.is_reference), finished[0])
            yield f"Protocol{on}: {_settings(run)}.\n"
        yield from _warnings(finished, on)
        for run in found:
            if run.dataset_name == name and not run.finished:
                yield (
                    f"Left out{on}: {run.arm} seed {run.seed}, with {len(run.rounds)} of "
                    f"{run.planned_rounds} rounds finished.\n"
                )


def _warnings(finished: Sequence[Run], on: str) -> Iterator[str]:
    """What is not as it should be with runs on one dataset."""
    for key, values in runs.differing_settings(finished).items():
        yield f"**Not one protocol{on}:** `{key}` is {' and '.join(map(str, values))}.\n"
    for seed in runs.seeds_on_several_datasets(finished):
        yield f"**Not one dataset{on}:** the runs of seed {seed} are not on the same examples.\n"
    for run in finished:
        if changed := run.other_test_sets:
            yield f"**Not one test set{on}:** {arms.told(run, changed)}.\n"
    for doubt in fairness.doubts(finished):
        yield f"**Not alike{on}:** {doubt}.\n"


def _settings(run: Run) -> str:
    settings = [
        f"{key} {value}" for key, value in run.config.items()
        if key not in runs.NOT_PROTOCOL and value is not None and not isinstance(value, dict | list)
    ]  # fmt: skip
    return ", ".join(settings)
