"""EPIG: the worked example, the sum over labels written out, its targets, and the loop."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bgadl_tf.acquisition import cover, epig
from bgadl_tf.acquisition.acquisition import create
from bgadl_tf.acquisition.epig import EPIG, gains
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.data.load import load_dataset
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from tests.support.learners import small_learner
from tests.support.pool_view import GivenEvidence, GivenView

# P(class 0) in two passes.
WORKED = {"a": (0.9, 0.1), "b": (0.2, 0.6), "c": (0.5, 0.5)}


def binary(first: Mapping[str, Sequence[float]]) -> NDArray[Any]:
    """Log-probabilities ``[K, n, 2]``."""
    probs = np.array([*first.values()], np.float32).T
    with np.errstate(divide="ignore"):
        return np.log(np.stack([probs, 1 - probs], axis=2))


def view_of(passes: NDArray[Any], ids: str, rows: Sequence[int] | None = None) -> GivenView:
    evidence = GivenEvidence.of_tables(passes, np.zeros((len(ids), 1), np.float32))
    return GivenView(evidence, ids, range(len(ids)) if rows is None else rows, at_once=2)


def ask(view: GivenView, size: int, seed: int = 0, targets: int = 0) -> Query:
    return EPIG(targets).query(view, size, np.random.default_rng(seed))


def some(count: int, classes: int = 3, passes: int = 5, seed: int = 0) -> NDArray[Any]:
    logits = np.random.default_rng(seed).normal(size=(passes, count, classes)) * 2
    logs: NDArray[Any] = logits - np.log(np.exp(logits).sum(2, keepdims=True))
    return logs.astype(np.float32)


def slow(passes: NDArray[Any], targets: Sequence[int]) -> list[float]:
    """Example by example, target by target, label by label."""
    K, N, C = passes.shape
    probs = np.exp(passes.astype(np.float64))
    found = []
    for one in range(N):
        total = 0.0
        for other in targets:
            for y, z in itertools.product(range(C), repeat=2):
                joint = sum(probs[k, one, y] * probs[k, other, z] for k in range(K)) / K
                alone = probs[:, one, y].mean() * probs[:, other, z].mean()
                total += joint * np.log(joint / alone) if joint > 0 else 0.0
        found.append(total / len(targets))
    return found


@pytest.mark.parametrize(
    ("towards", "expected"),
    [
        ("a", [0.221754, 0.054507, 0]),
        ("b", [0.054507, 0.013844, 0]),
        ("abc", [0.092087, 0.022784, 0]),
    ],
)
def test_the_worked_example(towards: str, expected: list[float]) -> None:
    passes = binary(WORKED).transpose(1, 0, 2)
    targets = passes[["abc".index(id_) for id_ in towards]]
    np.testing.assert_allclose(gains(passes, targets), expected, atol=1e-6)


def test_the_worked_example_as_a_query() -> None:
    query = ask(view_of(binary(WORKED), "abc"), 3)
    assert query.ids == ("a", "b", "c")
    np.testing.assert_allclose(query.scores, [0.092087, 0.022784, 0], atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("block", [2**20, 60, 1])
def test_as_the_sum_written_out(block: int, classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epig, "BLOCK_VALUES", block)
    passes = some(8, classes)
    query = ask(view_of(passes, "abcdefgh"), 8)
    found = dict(zip(query.ids, query.scores, strict=True))
    expected = dict(zip("abcdefgh", slow(passes, range(8)), strict=True))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_it_is_no_more_than_either_entropy_and_0_where_passes_agree() -> None:
    passes = some(9)
    passes[:, 4] = passes[0, 4]
    found = gains(passes.transpose(1, 0, 2), passes.transpose(1, 0, 2))
    mean = np.exp(passes).mean(0)
    assert (found <= -(mean * np.log(mean)).sum(1)).all()
    assert found[4] == pytest.approx(0, abs=1e-9)


def test_masks_are_shared() -> None:
    # The passes of one target in another order: how it goes with the candidate is lost.
    passes = binary({"a": (0.99, 0.99, 0.01, 0.01), "b": (0.99, 0.01, 0.99, 0.01)})
    one, other = passes.transpose(1, 0, 2)
    assert gains(one[None], one[None])[0] > 0.5
    assert gains(one[None], other[None])[0] == pytest.approx(0, abs=1e-9)


def test_probabilities_of_0_and_1() -> None:
    probs = {"a": (1, 0), "b": (0, 1), "c": (1, 1), "d": (0.5, 0.5)}
    query = ask(view_of(binary(probs), "abcd"), 4)
    found = dict(zip(query.ids, query.scores, strict=True))
    assert found == pytest.approx({"a": np.log(2) / 2, "b": np.log(2) / 2, "c": 0, "d": 0})


def drawn_targets(seed: int, count: int, targets: int) -> list[int]:
    rng = np.random.default_rng(seed)
    rng.bytes(16)  # which of equal candidates come first
    rows: list[int] = rng.choice(count, targets, replace=False).tolist()
    return rows


def test_targets_are_a_sample_that_every_candidate_shares() -> None:
    passes, ids = some(12), "abcdefghijkl"
    asked = ask(view_of(passes, ids), 12, seed=3, targets=4)
    targets = sorted(drawn_targets(3, 12, 4))
    expected = dict(zip(ids, slow(passes, targets), strict=True))
    assert dict(zip(asked.ids, asked.scores, strict=True)) == pytest.approx(expected, rel=1e-5)
    assert ask(view_of(passes, ids), 12, seed=4, targets=4).scores != asked.scores
    for enough in (12, 13, 500):
        assert ask(view_of(passes, ids), 12, 3, enough) == ask(view_of(passes, ids), 12, 4, 0)


def test_the_order_of_the_pool_does_not_matter() -> None:
    passes, ids = some(12), "abcdefghijkl"
    shuffled = np.random.default_rng(1).permutation(12).tolist()
    assert ask(view_of(passes, ids), 12, 0, 5) == ask(view_of(passes, ids, shuffled), 12, 0, 5)


def test_targets_in_a_file_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    view = view_of(some(12), "abcdefghijkl")
    in_memory = ask(view, 5)
    monkeypatch.setattr(cover, "IN_MEMORY", 100)
    assert ask(view, 5) == in_memory


def test_a_pool_of_one_and_what_cannot_be() -> None:
    assert ask(view_of(some(1), "a"), 1, targets=5).ids == ("a",)
    with pytest.raises(PoolError, match="only 3 candidates"):
        ask(view_of(some(3), "abc"), 4)
    with pytest.raises(ConfigError, match=r"epig\.targets is -1; it must be positive, or 0"):
        create("epig", lambda name, owner: {"targets": -1})
    broken = some(4)
    broken[2, 1, 0] = np.nan
    with pytest.raises(ScoreError, match=r"1 targets are not finite, the first those of 'b'"):
        ask(view_of(broken, "abcd"), 2)
    # A seed of which the only target is another one.
    seed = next(s for s in range(9) if drawn_targets(s, 4, 1) != [1])
    with pytest.raises(ScoreError, match="the first that of 'b'"):
        ask(view_of(broken, "abcd"), 2, seed, targets=1)


def test_targets_may_be_named(tmp_path: Path) -> None:
    passes, ids, file = some(12), "abcdefghijkl", tmp_path / "targets.txt"
    file.write_text("k\n\nb\r\nk\n")
    named = create("epig", lambda name, owner: {"target_ids": str(file)})
    asked = named.query(view_of(passes, ids), 12, np.random.default_rng(3))
    expected = dict(zip(ids, slow(passes, [1, 10]), strict=True))
    assert dict(zip(asked.ids, asked.scores, strict=True)) == pytest.approx(expected, rel=1e-5)
    for content, problem in ((b"\n", "names no id"), (b"\xff", "it is not UTF-8")):
        file.write_bytes(content)
        with pytest.raises(ConfigError, match=f"epig.target_ids .*{problem}"):
            create("epig", lambda name, owner: {"target_ids": str(file)})
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        create("epig", lambda name, owner: {"target_ids": str(tmp_path / "none")})


def test_its_scores_can_be_wrapped() -> None:
    view = view_of(some(12), "abcdefghijkl")
    asked = create("power:epig").query(view, 3, np.random.default_rng(0))
    assert len({*asked.ids}) == 3


def test_in_the_loop_it_is_traced_once() -> None:
    plan = Plan(rounds=2, query_size=4, initial_size=20, candidates=50, steps=3, batch_size=6)
    active = ActiveLearner(small_learner("plain"), EPIG(10), load_dataset("digits"), plan=plan)
    assert active.run()
    records = active.journal.finished()
    assert [record["labelled"] for record in records] == [20, 24, 28]
    # Once for the number of targets that a chunk holds and once for that of candidates, at most.
    assert active.scorer.score_traces <= 2
