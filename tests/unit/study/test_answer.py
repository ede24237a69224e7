"""The first sentence says what was found, and no more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from bgadl_tf.study import answer, runs
from bgadl_tf.study.runs import Run
from tests.support.study.folders import write_run

NOISE = [0.004, -0.003, 0.001, -0.002, 0.0, 0.002]


def arm(folder: Path, gain: float, seeds: int = 6, turn: int = 0) -> list[Run]:
    """Runs that gain over 0.5, 0.6, 0.7, each seed in its own way."""
    found = []
    for seed in range(seeds):
        noise = NOISE[(seed + turn) % len(NOISE)]
        curve = [0.5 + noise, 0.6 + gain + noise, 0.7 + gain + noise]
        found.append(runs.read(write_run(folder / f"seed_{seed}", curve, seed=seed), folder.name))
    return found


def said(arms: dict[str, Sequence[Run]], recommended: str | None = None) -> list[str]:
    return [*answer.sentences("digits", arms, ("random", "bald"), recommended)]


def test_found_with_labels_saved_and_not_found(tmp_path: Path) -> None:
    arms: dict[str, Sequence[Run]] = {
        "ours": arm(tmp_path / "ours", 0.06),
        "bald": arm(tmp_path / "bald", 0.06, turn=2),
        "random": arm(tmp_path / "random", 0.0, turn=3),
    }
    first, about, of_random, of_bald = [line for text in said(arms) for line in text.splitlines()
                                        if line]  # fmt: skip
    assert first.startswith("> **digits**: with 40 labels `ours` is right on 76.0 % of the test")
    # 0.7 lies between 0.66 at 30 labels and 0.76 at 40: 34 labels of 40.
    assert "needs 15 % fewer labels than `random`" in first
    assert "is higher than `random` (+4.50 points of AUBC, 95 % t +" in first
    assert re.search(
        r"against `bald` no difference was found \(.* of AUBC, 95 % t .*, p = [01]\.\d+, over",
        first,
    )
    assert "not settled before the runs" in about
    assert of_random == (
        "- Of 2 arms, beside `random` by AUBC: higher: `ours` and `bald`; lower: none; "
        "no difference found: 0."
    )
    assert "no difference found: 1" in of_bald


def test_a_recommended_arm_is_spoken_of_though_it_loses(tmp_path: Path) -> None:
    arms: dict[str, Sequence[Run]] = {
        "ours": arm(tmp_path / "ours", -0.05),
        "best": arm(tmp_path / "best", 0.1),
        "random": arm(tmp_path / "random", 0.0, turn=3),
    }
    first, about, *_ = said(arms, "ours")
    assert "it is lower than `random` (-" in first
    assert "fewer" not in first
    assert "which the study file recommends" in about


@pytest.mark.parametrize(("seeds", "word"), [(1, "too few seeds to tell (1 shared"), (3, "Few")])
def test_few_seeds_are_said(tmp_path: Path, seeds: int, word: str) -> None:
    arms: dict[str, Sequence[Run]] = {
        "ours": arm(tmp_path / "ours", 0.05, seeds),
        "random": arm(tmp_path / "random", 0.0, seeds, turn=3),
    }
    assert word in "".join(said(arms))


def test_differences_without_spread_and_nothing_to_compare(tmp_path: Path) -> None:
    ours = arm(tmp_path / "ours", 0.05)
    arms: dict[str, Sequence[Run]] = {"ours": ours, "random": arm(tmp_path / "random", 0.0)}
    assert "nothing can be tested, as every difference is the same" in said(arms)[0]
    (only,) = said({"ours": ours})
    assert "cannot be told: that needs finished runs of `random` and `bald`" in only
    (only,) = said({"ours": ours, "other": ours})
    assert "cannot be told" in only


def test_a_study_that_compares_with_no_arm_says_so(tmp_path: Path) -> None:
    arms = {name: arm(tmp_path / name, 0.05) for name in ("ours", "other")}
    (only,) = answer.sentences("digits", arms, (), None)
    assert "compares its arms with none. `against`" in only


def test_savings_that_cannot_be_told_from_none_are_not_claimed(tmp_path: Path) -> None:
    # Higher in the middle by far, and the same in the end.
    early = []
    for seed, noise in enumerate(NOISE):
        curve = [0.5, 0.65 + noise, 0.7 - 1e-3 * (-1) ** seed]
        folder = tmp_path / f"ours/seed_{seed}"
        early.append(runs.read(write_run(folder, curve, seed=seed), "ours"))
    arms: dict[str, Sequence[Run]] = {"ours": early, "random": arm(tmp_path / "random", 0.0)}
    (first, *_) = said(arms)
    assert "higher than `random`" in first
    assert "saves no number of labels that can be told from none" in first
