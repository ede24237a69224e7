"""The two-sample t-test of Tran et al. (2019), from means and standard deviations.

It takes the runs of two arms as independent, though they share initial sets by seed: the paired
test (``paired``) is the sharper one, and no correction for many comparisons is made here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from bgadl_tf.study.intervals import Interval, interval
from bgadl_tf.study.markdown import NONE, p_value, table
from bgadl_tf.study.runs import Run


@dataclass(frozen=True)
class TwoSample:
    """Two-sided tests that two arms have one mean; NaN with fewer than two runs of either.

    Attributes:
        t: Statistic with the pooled variance, Student's.
        p: Its p, with ``n + m - 2`` degrees of freedom.
        welch_t: Statistic without the assumption that both vary alike, Welch's.
        welch_p: Its p.
    """

    t: float
    p: float
    welch_t: float
    welch_p: float


def two_sample(ours: Interval, theirs: Interval) -> TwoSample:
    """Both tests, from mean, sd and runs of two arms. Without any spread there is no p."""
    if min(ours.n, theirs.n) < 2 or not ours.sd**2 + theirs.sd**2 > 0:
        return TwoSample(*(float("nan"),) * 4)
    found: list[float] = []
    for pooled in (True, False):
        result = stats.ttest_ind_from_stats(
            ours.mean, ours.sd, ours.n, theirs.mean, theirs.sd, theirs.n, equal_var=pooled
        )
        found += [float(result.statistic), float(result.pvalue)]
    return TwoSample(*found)


def two_sample_table(arms: Mapping[str, Sequence[Run]], ours: Sequence[str]) -> str:
    """Final accuracies of some arms against every other one.

    Args:
        arms: Finished runs by arm, each with a learning curve.
        ours: Arms that the others are compared with.
    """
    finals = {
        arm: interval([run.curve.accuracy[-1] for run in group]) for arm, group in arms.items()
    }
    rows = []
    for arm in ours:
        for other, theirs in finals.items():
            if other == arm or (other in ours and ours.index(other) < ours.index(arm)):
                continue
            found = two_sample(finals[arm], theirs)
            difference = 100 * (finals[arm].mean - theirs.mean)
            rows.append([
                arm, other, f"{finals[arm].n} and {theirs.n}", f"{difference:+.2f}",
                _statistic(found.t), p_value(found.p),
                _statistic(found.welch_t), p_value(found.welch_p),
            ])  # fmt: skip
    head = [
        "arm", "other", "runs", "difference (points)", "t (pooled)", "p (pooled)", "t (Welch)",
        "p (Welch)",
    ]  # fmt: skip
    return table(head, rows)


def _statistic(t: float) -> str:
    return f"{t:+.2f}" if np.isfinite(t) else NONE
