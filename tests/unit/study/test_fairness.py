"""Runs of one seed begin alike, or it is said how they do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bgadl_tf.study import fairness, runs
from tests.support.study.folders import write_run

SETS = {0: ("a", "b"), 1: ("b", "c")}
"""Initial sets by seed."""


def made(folder: Path, arm: str, seed: int, first: float, **settings: Any) -> runs.Run:
    initial = settings.pop("initial", SETS[seed])
    settings = {"method": None, "learner": "plain", "acquisition": arm, **settings}
    path = folder / arm / f"seed_{seed}"
    write_run(path, [first, 0.9], seed=seed, initial=initial, **settings)
    return runs.read(path, arm)


def test_equal_beginnings_raise_no_doubt(tmp_path: Path) -> None:
    found = [
        made(tmp_path, arm, seed, 0.5 + 0.1 * seed) for arm in ("random", "bald") for seed in SETS
    ]
    # Another learner, another setting: other numbers are no wonder.
    found += [made(tmp_path, "bgadl", 0, 0.7, learner="vaeacgan")]
    found += [made(tmp_path, "long", 0, 0.8, steps=900)]
    found += [made(tmp_path, "rare", 0, 0.5, acquisition_options={"a": 1}, query_size=3)]
    assert [*fairness.doubts(found)] == []


def test_another_round_0_of_the_same_run_is_named(tmp_path: Path) -> None:
    found = [made(tmp_path, arm, 1, 0.5) for arm in ("random", "bald")]
    found += [made(tmp_path, "margin", 1, 0.5000001)]
    (doubt,) = fairness.doubts(found)
    assert doubt.startswith("seed 1: `random`, `bald` and `margin` are the same run until they")


def test_another_initial_set_is_named_and_its_round_0_is_no_wonder(tmp_path: Path) -> None:
    found = [made(tmp_path, arm, 0, 0.5) for arm in ("random", "bald")]
    found += [made(tmp_path, "typiclust", 0, 0.6, initial=("x", "y"))]
    (doubt,) = fairness.doubts(found)
    assert doubt.startswith(
        "seed 0: `typiclust` began with another initial set than `random` and `bald`"
    )


def test_other_numbers_of_labels_are_named(tmp_path: Path) -> None:
    found = [made(tmp_path, arm, 0, 0.5) for arm in ("random", "bald")]
    found += [made(tmp_path, "bgadl", 0, 0.7, learner="vaeacgan", initial_size=30)]
    (doubt,) = fairness.doubts(found)
    assert doubt.startswith(
        "seed 0: `bgadl` measured at other numbers of labels than `random` and `bald`; diff"
    )


def test_what_holds_for_many_arms_and_seeds_is_said_once(tmp_path: Path) -> None:
    usual = ("random", "bald", "margin", "epig", "base", "mase", "badge")
    found = [made(tmp_path, arm, seed, 0.5) for seed in SETS for arm in usual]
    found += [
        made(tmp_path, arm, seed, 0.6, initial=(arm, str(seed)))
        for seed in SETS
        for arm in ("typiclust", "probcover")
    ]
    (doubt,) = fairness.doubts(found)
    assert doubt.startswith(
        "seeds 0 and 1: `typiclust` and `probcover` began with another initial set than the other "
        "7 arms"
    )


def test_nothing_is_said_of_runs_without_a_ledger(tmp_path: Path) -> None:
    found = [made(tmp_path, arm, 0, n / 10, initial=()) for n, arm in enumerate(("random", "bald"))]
    (tmp_path / "bald/seed_0/labels.jsonl").write_text("{broken")
    assert [*fairness.doubts(found)] == []


def test_another_share_of_further_examples_is_named(tmp_path: Path) -> None:
    counts = {"bgadl": 2.0, "al-acgan": 2.0, "al-noise": 2.0, "ten": 10.0, "bald": None}
    found = [
        made(tmp_path, arm, 0, 0.5, learner=arm, facts=count and {"further_per_real": count})
        for arm, count in counts.items()
    ]
    assert [*fairness.doubts(found[:3])] == []
    (doubt,) = fairness.doubts(found)
    assert "2 of `bgadl`, `al-acgan` and `al-noise` and 10 of `ten`" in doubt
