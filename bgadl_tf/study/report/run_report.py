"""What one run has come to, and whether its questions helped, as far as that can be known."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import doubts, facts, one_run, plots, replay, runs
from bgadl_tf.study.report import about_runs
from bgadl_tf.study.report.document import Block, Contents, Plot
from bgadl_tf.study.report.files import write_all
from bgadl_tf.study.runs import Run


def write_run(folder: Path, against: Path | None = None) -> Path:
    """Write report.html, report.md, results.json and curves.csv of a run into its folder.

    Args:
        folder: The run folder; the run may be going on.
        against: Folder of a run of random selection to compare with.

    Returns:
        report.md.

    Raises:
        RunFolderError: A folder is not that of a run, is damaged, has no finished round, or
            cannot be written.
    """
    run = runs.read(folder)
    other = None if against is None else runs.read(against)
    for one in (run, other):
        if one is not None and not one.rounds:
            raise RunFolderError(
                f"{one.folder} has no finished round; report on it once it has one"
            )
    shown = {run.method: [run]}
    if other is not None:
        own = other.method if other.method != run.method else f"{other.method} ({against})"
        shown[own] = [other]
    # A run without a test set has rounds and facts, and no curve.
    measured = {name: group for name, group in shown.items() if group[0].measured.rounds}
    blocks = [*_blocks(run, other, measured)]
    title = f"{run.dataset}: {run.method}, seed {run.seed}"
    return write_all(folder, title, blocks, {"": measured}, {"": shown})


def _blocks(run: Run, other: Run | None, measured: Mapping[str, Sequence[Run]]) -> Iterator[Block]:
    """The report."""
    number = len(run.rounds)
    state = "finished" if run.finished else f"{number} of {run.planned_rounds} rounds finished"
    yield f"# {run.dataset}: {run.method}, seed {run.seed}, {state}\n"
    yield "## Is active learning helping here?\n"
    yield from _helping(run, other)
    yield Contents()
    if changed := run.other_test_sets:
        yield f"**Not one test set:** {doubts.of_other_test_sets(run, changed)}.\n"
    if measured:
        yield "## Learning curve\n"
        if (words := one_run.test_set_words(run)) is not None:
            yield words
        figure = plots.learning_curves(
            {name: [one.curve for one in group] for name, group in measured.items()},
            {}, [*measured],
        )  # fmt: skip
        curve = run.folder / "figures" / "learning_curve.png"
        picture = "![Learning curve](figures/learning_curve.png)\n" if curve.exists() else ""
        yield Plot("curves", figure, picture)
    yield "## Rounds\n"
    yield "Seconds as measured: the first round also compiles.\n"
    yield one_run.rounds_table(run)
    yield from about_runs.class_section(measured, "")
    yield from about_runs.calibration_section(measured, [*measured], "")
    yield from about_runs.generated_section({run.method: [run]}, "")
    pairs = about_runs.pairs(run)
    for path in [*pairs[:1], *pairs[1:][-1:]]:
        yield about_runs.pictured(run, path)
    if (found := facts.facts_table({run.method: [run]})) is not None:
        yield "## Facts of the rounds, mean over rounds\n"
        yield found


def _helping(run: Run, other: Run | None) -> Iterator[str]:
    if other is not None:
        if not (run.measured.rounds and other.measured.rounds):
            yield "> **It cannot be known:** one of the two runs has no test set.\n"
            return
        yield from one_run.beside(run, other)
        return
    found = replay.replay(run)
    yield f"> {found.words}\n"
    if found.command is not None:
        words = ["bgadl", "report", str(run.folder), "--against", str(replay.beside(run))]
        yield f"```console\n{found.command}\n{shlex.join(words)}\n```\n"
