"""The sections of a report on arms x seeds of one dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bgadl_tf.runs import drawing
from bgadl_tf.study import (
    answer,
    cost,
    facts,
    labels_saved,
    non_inferiority,
    paper,
    phases,
    plots,
    tables,
    two_sample,
)
from bgadl_tf.study.report import about_runs
from bgadl_tf.study.report.arms import split
from bgadl_tf.study.report.document import Block, Plot
from bgadl_tf.study.runs import Run


@dataclass(frozen=True)
class Asked:
    """What a study is asked.

    Attributes:
        baselines: Arms with which every other one is compared seed by seed.
        margin: Of non-inferiority, in points.
        spoken: The arm that the answer is about; None without one.
    """

    baselines: tuple[str, ...]
    margin: float
    spoken: str | None


AT_FIRST = len(drawing.COLOURS)
"""Arms that an interactive figure shows at first."""


def learning(groups: Mapping[str, Sequence[Run]]) -> dict[str, Sequence[Run]]:
    """Arms with a learning curve."""
    return {arm: group for arm, group in groups.items() if not group[0].is_reference}


def sections(
    groups: Mapping[str, Sequence[Run]],
    asked: Asked,
    picture: str,
    prefix: str,
    rng: np.random.Generator,
) -> Iterator[Block]:
    """Everything behind the answer.

    Args:
        groups: Finished runs by arm, references included, all on one dataset.
        asked: What they are to tell.
        picture: The learning curves' PNG, for Markdown.
        prefix: Of the names of figures.
        rng: Draws the bootstraps' resamples.
    """
    arms, baselines = learning(groups), asked.baselines
    shown = _at_first(arms, asked)
    curves, references = split(groups)
    if curves:
        yield "## Learning curves\n"
        some = (
            ""
            if len(shown) == len(arms)
            else f" {len(shown)} of {len(arms)} arms are on at first: the answer's own, "
            "those compared with, and the highest AUBC."
        )
        yield (
            "Mean test accuracy over runs, with 95 % t-intervals of the mean as bands. In the "
            "HTML, a click on a name switches an arm, a double click leaves it alone; hover for "
            f"numbers.{some}\n"
        )
        plot = plots.learning_curves(curves, references, shown)
        yield Plot(f"{prefix}curves", plot, f"![Learning curves]({picture})\n")
    yield "## Test accuracy (%), mean ± sd over runs\n"
    yield tables.accuracy_table(groups)
    if (found := paper.paper_table(arms)) is not None:
        yield "## Final accuracy in the paper's form\n"
        yield found
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
        if baseline in arms and len(arms) > 1:
            # Of its own, lest it shift what the tables of differences draw.
            yield from _beside(arms, baseline, asked.margin, np.random.default_rng(0))
    yield from _two_sample(arms, asked.spoken)
    yield "## Pairwise penalties\n"
    yield (
        "The share of labelled counts at which the row's arm beats the column's by a paired "
        "t-test (p < 0.05, uncorrected).\n"
    )
    yield tables.penalty_table(groups)
    yield from about_runs.sections(arms, shown, prefix)
    yield "## Time per phase\n"
    yield (
        "Seconds of whole runs, mean ± sd over runs, as measured: runs that share cores wait for "
        "each other, and the first round also compiles.\n"
    )
    yield phases.phase_table(groups)
    if (found := facts.facts_table(arms)) is not None:
        yield "## Facts of the rounds, mean ± sd over runs\n"
        yield found


def _at_first(arms: Mapping[str, Sequence[Run]], asked: Asked) -> list[str]:
    """Arms that are on at first: all that can be told apart by colour alone."""
    if len(arms) <= AT_FIRST:
        return [*arms]
    named = [arm for arm in arms if arm in asked.baselines or arm == asked.spoken]
    aubc = {
        arm: float(np.nan_to_num(np.mean([answer.AUBC.of(run.curve) for run in group]), nan=-1.0))
        for arm, group in arms.items()
        if arm not in named
    }
    highest = sorted(aubc, key=lambda arm: -aubc[arm])[: max(0, AT_FIRST - len(named))]
    return [arm for arm in arms if arm in (*named, *highest)]


def _beside(
    arms: Mapping[str, Sequence[Run]], baseline: str, margin: float, rng: np.random.Generator
) -> Iterator[str]:
    """What arms save, cost and may harm beside one of them."""
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
    yield f"### Not lower than `{baseline}`\n"
    yield (
        "Non-inferiority on the AUBC: that an arm is less than the margin below is shown where the "
        "lower end of the paired 95 % t-interval is above minus the margin (one-sided at 2.5 %, "
        "each arm for itself). Not shown does not mean that it is lower.\n"
    )
    yield non_inferiority.non_inferiority_table(arms, baseline, margin, rng)


def _two_sample(arms: Mapping[str, Sequence[Run]], spoken: str | None) -> Iterator[str]:
    ours = [arm for arm in dict.fromkeys(("bgadl", spoken)) if arm is not None and arm in arms]
    if len(arms) < 2 or not ours:
        return
    yield "## The paper's two-sample t-test\n"
    yield (
        "Final accuracies as if the runs of two arms had nothing to do with each other, two-sided, "
        "as Tran et al. compare them (pooled variance), and after Welch, who does not take both to "
        "vary alike. Uncorrected, and blind to the shared initial sets: it is shown for comparison "
        "with the paper and decides nothing.\n"
    )
    yield two_sample.two_sample_table(arms, ours)
