"""What a study found: report.html, report.md, results.json, curves.csv and learning_curves.png."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import answer, claims, doubts, figures, own_runs, runs, study_folder
from bgadl_tf.study.claims import Claims
from bgadl_tf.study.markdown import listed
from bgadl_tf.study.own_runs import OwnRuns
from bgadl_tf.study.protocol import BASELINES
from bgadl_tf.study.report import arms, hparams, sections
from bgadl_tf.study.report.arms import Named
from bgadl_tf.study.report.document import Block, Contents
from bgadl_tf.study.report.files import write_all
from bgadl_tf.study.runs import Run
from bgadl_tf.study.tuning.tuning_file import FIRST_SEED


def write(out: Path, baselines: Sequence[str] = BASELINES, *, bootstrap_seed: int = 0) -> Path:
    """Write the report over the finished runs of ``out``, all its files, and its ``hparams/``.

    Runs that are damaged, or of another protocol than the folder's, are named and left out.

    Args:
        out: Folder of the study.
        baselines: Arms with which every other one is compared seed by seed.
        bootstrap_seed: Of the resamples behind the bootstrap intervals.

    Returns:
        report.md.

    Raises:
        RunFolderError: There is no finished run that can be read, or a file cannot be written.
    """
    protocol = study_folder.readable(out)
    datasets = () if protocol is None else protocol.datasets
    claimed = None if protocol is None else protocol.claims
    found = own_runs.find(out, protocol)
    finished = [run for run in found.runs if run.finished]
    if not finished:
        without = f" (left out: {'; '.join(map(str, found.left_out))})" if found.left_out else ""
        raise RunFolderError(
            f"{out} holds {len(found.runs)} runs, none of them finished{without}; make some with "
            "bgadl study FILE.yaml"
        )
    groups = arms.named(finished)
    names = {arm for own in groups.values() for arm in own}
    title = f"{arms.dataset(finished) or 'Study'}: {len(names)} arms"
    rng = np.random.default_rng(bootstrap_seed)
    blocks = [
        f"# {title}, {len(finished)} runs\n",
        *_answers(groups, baselines, claimed),
        *_late(claimed, finished),
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


def _late(claimed: Claims | None, finished: Sequence[Run]) -> Iterator[str]:
    """What of the study may have followed from results."""
    if claimed is not None and claimed.made_late is not None:
        yield f"**Claimed late:** {claimed.made_late}.\n"
    tuned = sorted({run.seed for run in finished if run.seed >= FIRST_SEED})
    if tuned:
        yield (
            f"**Seeds of tuning:** {listed([str(seed) for seed in tuned])}. From {FIRST_SEED} on "
            "`bgadl tune` takes its seeds: on those, what was tuned may look better than it is.\n"
        )


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


def _about(found: OwnRuns, groups: Named) -> Iterator[str]:
    """Protocol and warnings, for each dataset that the study names."""
    on_datasets = [run.dataset_name for run in found.runs] + [one.dataset for one in found.left_out]
    for name in dict.fromkeys(on_datasets):
        on = f" on `{name}`" if name else ""
        finished = [run for group in groups.get(name, {}).values() for run in group]
        if finished:
            run = next((r for r in finished if not r.is_reference), finished[0])
            yield f"Protocol{on}: {_settings(run)}.\n"
        yield from doubts.doubts(finished, on)
        for left_out in found.left_out:
            if left_out.dataset == name:
                yield f"Left out{on}: {left_out}.\n"
        for run in found.runs:
            if run.dataset_name == name and not run.finished:
                yield (
                    f"Left out{on}: {run.arm} seed {run.seed}, with {len(run.rounds)} of "
                    f"{run.planned_rounds} rounds finished.\n"
                )


def _settings(run: Run) -> str:
    settings = [
        f"{key} {value}" for key, value in run.config.items()
        if key not in runs.NOT_PROTOCOL and value is not None and not isinstance(value, dict | list)
    ]  # fmt: skip
    return ", ".join(settings)
