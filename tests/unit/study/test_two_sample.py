from __future__ import annotations

import math
from pathlib import Path

import pytest
from scipy import stats

from bgadl_tf.study import paper, runs, two_sample
from bgadl_tf.study.intervals import Interval, interval
from tests.support.study.folders import write_run


def published(dataset: str, classifier: str, method: str) -> Interval:
    mean, sd = paper.published(dataset, classifier)[method]
    return Interval(mean, sd, math.nan, math.nan, paper.RUNS)


@pytest.mark.parametrize(
    ("dataset", "pooled", "welch"),
    [
        ("cifar10", (0.036, 0.046), (0.078, 0.074)),
        ("cifar100", (0.015, 0.013), (0.043, 0.046)),
        ("mnist", (0.06, 0.15), None),
    ],
)
def test_the_papers_own_p_come_out_of_its_table(
    dataset: str, pooled: tuple[float, float], welch: tuple[float, float] | None
) -> None:
    # VAE-ACGAN against ACGAN, ResNet18 and ResNet18pa: recomputed from Table 1.
    for place, classifier in enumerate(("resnet18", "resnet18pa")):
        found = two_sample.two_sample(
            published(dataset, classifier, "bgadl"), published(dataset, classifier, "al-acgan")
        )
        digits = 2 if welch is None else 3
        assert round(found.p, digits) == pooled[place]
        if welch is not None:
            assert round(found.welch_p, digits) == welch[place]


def test_against_partial_bda_every_p_is_below_what_the_paper_says() -> None:
    for dataset, classifier in paper.TABLE_1:
        found = two_sample.two_sample(
            published(dataset, classifier, "bgadl"), published(dataset, classifier, "bda")
        )
        assert found.p < 0.007


def test_it_is_scipys_of_the_runs_themselves() -> None:
    ours, theirs = [0.9, 0.91, 0.93, 0.9], [0.88, 0.91, 0.85]
    found = two_sample.two_sample(interval(ours), interval(theirs))
    pooled, welch = (stats.ttest_ind(ours, theirs, equal_var=equal) for equal in (True, False))
    assert (found.t, found.p) == pytest.approx((pooled.statistic, pooled.pvalue))
    assert (found.welch_t, found.welch_p) == pytest.approx((welch.statistic, welch.pvalue))


def test_of_one_run_or_without_spread_there_is_no_p() -> None:
    two, one, same = interval([0.9, 0.8]), interval([0.9]), interval([0.9, 0.9])
    for ours, theirs in ((two, one), (same, same)):
        assert math.isnan(two_sample.two_sample(ours, theirs).p)
    assert math.isfinite(two_sample.two_sample(two, same).p)


def test_table_has_every_pair_once(tmp_path: Path) -> None:
    arms = {
        arm: [
            runs.read(write_run(tmp_path / arm / str(s), [0.5, top + s / 100], method=arm, seed=s))
            for s in range(3)
        ]
        for arm, top in (("bgadl", 0.8), ("bald", 0.7), ("random", 0.6))
    }
    table = two_sample.two_sample_table(arms, ["bgadl", "bald"])
    cells = [[cell.strip() for cell in line.split("|")[1:3]] for line in table.splitlines()[2:]]
    assert cells == [["bgadl", "bald"], ["bgadl", "random"], ["bald", "random"]]
    assert "| +10.00 " in table
