"""What a study found, in a few sentences, from the paired tests with Holm and the labels saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bgadl_tf.study import intervals, labels_saved, tables
from bgadl_tf.study.markdown import bounds, listed, p_value
from bgadl_tf.study.tables import MEASURES, Arms, Compared

FEW_SEEDS = 5
"""Initial sets below which a finding is called one of few."""

FINAL, AUBC = MEASURES


class Versus(NamedTuple):
    """The arm that is spoken of, beside a baseline."""

    baseline: str
    aubc: Compared
    saved: tuple[labels_saved.Saving, ...]


def spoken_of(arms: Arms, baselines: Sequence[str], recommended: str | None) -> str | None:
    """The arm that the answer is about.

    Args:
        arms: Finished runs by arm, each with a learning curve.
        baselines: What the others are compared with.
        recommended: By the study file, before the runs were made.

    Returns:
        The recommended arm; else that with the highest mean AUBC, baselines left out where others
        are there; None with fewer than two arms.
    """
    if len(arms) < 2:
        return None
    if recommended in arms:
        return recommended
    others = [arm for arm in arms if arm not in baselines]
    others = others or [arm for arm in arms if arm != baselines[0]]
    means = {arm: np.mean([AUBC.of(run.curve) for run in arms[arm]]) for arm in others}
    return max(means, key=lambda arm: (np.nan_to_num(means[arm], nan=-1.0), arm))


def against(arms: Arms, arm: str, baselines: Sequence[str]) -> list[Versus]:
    """An arm beside each baseline that has finished runs."""
    found = []
    for baseline in baselines:
        if baseline == arm or baseline not in arms:
            continue
        ours, theirs = ({run.seed: run.curve for run in arms[name]} for name in (arm, baseline))
        results = tables.compared(arms, baseline, np.random.default_rng(0))
        (aubc,) = (one for one in results if (one.arm, one.measure) == (arm, AUBC))
        saved = tuple(
            labels_saved.saving(ours[seed], theirs[seed]) for seed in sorted({*ours} & {*theirs})
        )
        found.append(Versus(baseline, aubc, saved))
    return found


def sentences(
    dataset: str, arms: Arms, baselines: Sequence[str], recommended: str | None
) -> Iterator[str]:
    """The answer for one dataset, as a Markdown quotation and what to know of it.

    Args:
        dataset: Its name.
        arms: Finished runs by arm, each with a learning curve.
        baselines: What the others are compared with.
        recommended: By the study file, before the runs were made.
    """
    if not baselines:
        yield (
            f"> **{dataset}**: whether anything helps is not asked: this study compares its arms "
            "with none. `against` in a study file names arms to compare with.\n"
        )
        return
    arm = spoken_of(arms, baselines, recommended)
    found = [] if arm is None else against(arms, arm, baselines)
    if arm is None or not found:
        named = listed([f"`{name}`" for name in baselines])
        yield (
            f"> **{dataset}**: whether anything helps cannot be told: that needs finished runs of "
            f"{named} and of another arm, on shared seeds.\n"
        )
        return
    final = intervals.interval([FINAL.of(run.curve) for run in arms[arm]])
    labels = max(float(run.curve.labelled[-1]) for run in arms[arm])
    parts = "; ".join(_versus(one) for one in found)
    yield (
        f"> **{dataset}**: with {labels:,.0f} labels `{arm}` is right on {100 * final.mean:.1f} % "
        f"of the test set; {parts}.\n"
    )
    how = (
        "which the study file recommends"
        if arm == recommended
        else "the one with the highest AUBC here, which was not settled before the runs"
    )
    yield (
        f"This is about `{arm}`, {how}. A difference is called found where p of the paired t-test "
        f"on the AUBC is below {tables.SIGNIFICANT} after Holm's correction over all comparisons "
        "with that baseline (intervals are not corrected); where none was found there may still "
        "be one, as large as its interval allows.\n"
    )
    most = max(one.aubc.result.n for one in found)
    if 2 <= most < FEW_SEEDS:
        yield (
            f"**Few seeds:** {most} initial sets are shared. Of so few a t-test finds only large "
            "differences, and bootstrap intervals are too narrow.\n"
        )
    lines = []
    for baseline in (one.baseline for one in found):
        results = tables.compared(arms, baseline, np.random.default_rng(0))
        lines.append(f"- {_all_arms(results, baseline)}\n")
    yield "".join(lines)


def _all_arms(results: Sequence[Compared], baseline: str) -> str:
    """What was found of every arm against a baseline; what was not found is counted."""
    found = [one for one in results if one.measure == AUBC]
    parts = []
    for word in ("higher", "lower"):
        if names := [f"`{one.arm}`" for one in found if one.verdict == word]:
            parts.append(f"{word}: {listed(names)}")
        else:
            parts.append(f"{word}: none")
    rest = [one for one in found if one.verdict not in ("higher", "lower")]
    untested = sum(one.verdict != "no difference found" for one in rest)
    parts.append(f"no difference found: {len(rest) - untested}")
    if untested:
        parts.append(f"not testable: {untested}")
    others = "arm" if len(found) == 1 else "arms"
    return f"Of {len(found)} {others}, beside `{baseline}` by AUBC: {'; '.join(parts)}."


def _versus(one: Versus) -> str:
    """What was found against one baseline."""
    result, name = one.aubc.result, f"`{one.baseline}`"
    if result.n < 2:
        return f"against {name} there are too few seeds to tell ({result.n} shared, 2 needed)"
    if not result.testable:
        return f"against {name} nothing can be tested, as every difference is the same"
    p = f"p = {p_value(one.aubc.p_holm)}".replace("= <", "<")
    interval = f"95 % t {bounds(*result.t_interval())}"
    numbers = f"{100 * result.mean:+.2f} points of AUBC, {interval}, {p}"
    if one.aubc.verdict == "no difference found":
        return f"against {name} no difference was found ({numbers}, over {result.n} initial sets)"
    found = f"{one.aubc.verdict} than {name} ({numbers})"
    if one.aubc.verdict == "lower":
        return f"it is {found}"
    return f"it {_saved(one)}, and is {found}"


def _saved(one: Versus) -> str:
    """Labels saved to the baseline's last accuracy, no more certain than they are."""
    shares = [saving.share for saving in one.saved]
    low, high = intervals.bootstrap_interval(shares, np.random.default_rng(0))
    missed = sum(not saving.reached for saving in one.saved)
    mean, name = float(np.mean(shares)), f"`{one.baseline}`"
    interval = f"95 % bootstrap {100 * low:+.0f} to {100 * high:+.0f} %"
    if not low > 0:
        return f"saves no number of labels that can be told from none beside {name} ({interval})"
    most = f"; at most, as {missed} of {len(shares)} runs never get there" if missed else ""
    return (
        f"needs {100 * mean:.0f} % fewer labels than {name} to the accuracy that that ends with "
        f"({interval}{most})"
    )
