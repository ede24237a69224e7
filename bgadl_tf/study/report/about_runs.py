"""Sections on what runs noted of themselves: what was bought, calibration, x' beside x*."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from bgadl_tf.study import class_balance, generated, plots, reliability
from bgadl_tf.study.report.document import Block, Picture, Plot
from bgadl_tf.study.runs import Run

MOST_PICTURES = 3
"""Arms whose x* and x' are shown, those first that are on at first."""

PAIRS = "queried_and_generated_round_*.png"
"""In a run's ``figures/``: x* beside x', round by round."""

Arms = Mapping[str, Sequence[Run]]


def sections(arms: Arms, shown: Collection[str], prefix: str) -> Iterator[Block]:
    """Every section that the runs have something for.

    Args:
        arms: Finished runs by arm, each with a learning curve.
        shown: Arms that are on at first.
        prefix: Of the names of figures.
    """
    yield from class_section(arms, prefix)
    yield from calibration_section(arms, shown, prefix)
    yield from generated_section(arms, prefix)
    made = [arm for arm, group in arms.items() if pairs(group[0])]
    for arm in sorted(made, key=lambda arm: arm not in shown)[:MOST_PICTURES]:
        run = arms[arm][0]
        yield pictured(run, pairs(run)[-1])


def class_section(arms: Arms, prefix: str) -> Iterator[Block]:
    """Classes of what was bought."""
    found = {
        arm: [own for run in group if (own := class_balance.bought(run)) is not None]
        for arm, group in arms.items()
    }
    found = {arm: bought for arm, bought in found.items() if bought}
    if len({own.names for bought in found.values() for own in bought}) != 1:
        return
    without = sum(own.without for bought in found.values() for own in bought)
    yield "## Classes of what was bought\n"
    yield (
        "Labels that rounds asked for, those of the initial set left out. Evenness is the entropy "
        "of the classes' shares over that of equal shares: 1 where every class was bought equally "
        "often. Random selection shows how even the pool itself is."
        + (f" {without} ids asked about have no label." if without else "")
        + "\n"
    )
    yield class_balance.balance_table(found)
    names = next(iter(found.values()))[0].names
    shares = {
        arm: [float(v) for v in np.mean([own.shares for own in bought], axis=0)]
        for arm, bought in found.items()
    }
    yield Plot(f"{prefix}classes", plots.class_shares(names, shares))


def calibration_section(arms: Arms, shown: Collection[str], prefix: str) -> Iterator[Block]:
    """NLL, ECE and reliability of the last round; of older runs, which noted no bins, nothing."""
    bins = {arm: found for arm, group in arms.items() if (found := reliability.pooled(group))}
    if not bins:
        return
    yield "## Calibration after the last round\n"
    yield (
        "The ECE is the mean distance of confidence from accuracy over 15 equal bins of "
        "confidence; of few test images chance alone makes some. Confidence above accuracy is "
        "overconfidence. Probabilities are those without dropout.\n"
    )
    yield reliability.calibration_table(arms)
    yield Plot(f"{prefix}reliability", plots.reliability(bins, shown))


def generated_section(arms: Arms, prefix: str) -> Iterator[Block]:
    """x' beside x* in numbers."""
    made = {arm: [run for run in group if generated.makes_examples(run)]
            for arm, group in arms.items()}  # fmt: skip
    made = {arm: group for arm, group in made.items() if group}
    if not made:
        return
    yield "## x' beside x\\*\n"
    yield (
        "x' = G(E(x\\*), y\\*) is made of what was asked about. a is the score, in nats: the "
        "proposition behind the method takes a(x') for about a(x\\*) where ‖x' - x\\*‖ is small.\n"
    )
    yield generated.generated_table(made)
    rounds = {arm: [run.rounds for run in group] for arm, group in made.items()}
    distance = plots.facts(rounds, {"": generated.DISTANCE}, "‖x' - x*‖")
    yield Plot(f"{prefix}distance", distance)
    scores = {": a(x*)": generated.QUERIED, ": a(x')": generated.GENERATED}
    yield Plot(f"{prefix}information", plots.facts(rounds, scores, "a (nats)"))


def pairs(run: Run) -> list[Path]:
    """Pictures of x* beside x', in the order of the rounds."""
    return sorted((run.folder / "figures").glob(PAIRS))


def pictured(run: Run, path: Path) -> Picture:
    """One of them."""
    number = int(path.stem.rpartition("_")[2])
    return Picture(path, f"{run.arm}, seed {run.seed}, round {number}: x* beside x'")
