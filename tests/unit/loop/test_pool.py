from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgadl_tf.core.errors import PoolError
from bgadl_tf.loop.pool import Pool

IDS = tuple("abcdefgh")


def make() -> Pool:
    pool = Pool(IDS)
    pool.label({"c": 1, "a": 0}, 0)
    pool.label({"b": 2}, 1)
    pool.skip(["h"], 1)
    return pool


def state(pool: Pool) -> tuple[object, ...]:
    return pool.labelled_ids, dict(pool.labels), pool.unlabelled_ids, pool.skipped


def test_ids_move_from_the_pool_to_the_labelled_set() -> None:
    pool = make()
    assert pool.labelled_ids == ("c", "a", "b")
    assert dict(pool.labels) == {"c": 1, "a": 0, "b": 2}
    assert pool.unlabelled_ids == ("d", "e", "f", "g")
    assert pool.skipped == ("h",)
    assert (pool.labelled_count, pool.unlabelled_count) == (3, 4)
    assert [pool.round_of(id_) for id_ in pool.labelled_ids] == [0, 0, 1]
    assert pool.ids == IDS
    pool.check()


def test_labels_are_a_read_only_view_of_plain_integers() -> None:
    pool = Pool(IDS)
    pool.label({"a": np.int32(3)}, 0)  # type: ignore[dict-item]
    assert type(pool.labels["a"]) is int
    with pytest.raises(TypeError):
        pool.labels["b"] = 1  # type: ignore[index]


def test_repeated_ids_are_refused() -> None:
    with pytest.raises(PoolError, match="'a' occurs twice"):
        Pool(["a", "b", "a"])


@pytest.mark.parametrize(
    ("answers", "round_", "message"),
    [
        ({"d": 0, "z": 1}, 1, "no example of the pool is called 'z'"),
        ({"d": 0, "b": 1}, 1, "'b' was labelled in round 1 already"),
        ({"d": 0, "h": 1}, 1, "'h' was skipped already"),
        ({"d": 0, "e": -1}, 1, "label of 'e' is -1; expected"),
        ({"d": 0, "e": True}, 1, "label of 'e' is True"),
        ({"d": 0, "e": 1.0}, 1, r"label of 'e' is 1\.0"),
    ],
)
def test_a_refused_answer_changes_nothing(
    answers: dict[str, int], round_: int, message: str
) -> None:
    pool = make()
    before = state(pool)
    with pytest.raises(PoolError, match=message):
        pool.label(answers, round_)
    assert state(pool) == before
    pool.check()


@pytest.mark.parametrize(
    ("ids", "message"),
    [(["d", "d"], "occurs twice"), (["d", "z"], "called 'z'"), (["d", "a"], "labelled"),
     (["d", "h"], "skipped")],
)  # fmt: skip
def test_a_refused_skip_changes_nothing(ids: list[str], message: str) -> None:
    pool = make()
    before = state(pool)
    with pytest.raises(PoolError, match=message):
        pool.skip(ids, 1)
    assert state(pool) == before


def test_an_answer_that_was_lost_may_come_late() -> None:
    pool = make()
    pool.label({"d": 2}, 0)
    assert pool.round_of("d") == 0
    pool.check()


@pytest.mark.parametrize("id_", ["d", "h", "z"])
def test_only_labelled_ids_have_a_round(id_: str) -> None:
    with pytest.raises(PoolError, match="is not labelled"):
        make().round_of(id_)


def test_candidates_are_a_seeded_subset_in_dataset_order() -> None:
    pool = Pool([f"{i:03d}" for i in range(200)])
    pool.label({"005": 1}, 0)
    first, again = (pool.candidates(20, np.random.default_rng(3)) for _ in range(2))
    assert first == again == tuple(sorted(set(first)))
    assert len(first) == 20
    assert set(first) <= set(pool.unlabelled_ids)
    assert first != pool.candidates(20, np.random.default_rng(4))


@pytest.mark.parametrize("count", [0, 4, 5])
def test_candidates_may_be_the_whole_pool(count: int) -> None:
    assert make().candidates(count, np.random.default_rng(0)) == ("d", "e", "f", "g")


def test_a_negative_number_of_candidates_is_refused() -> None:
    with pytest.raises(PoolError, match="-1 candidates"):
        make().candidates(-1, np.random.default_rng(0))


def test_check_notices_a_broken_invariant() -> None:
    pool = make()
    pool._skipped["a"] = 1
    with pytest.raises(PoolError, match="an id is labelled and skipped"):
        pool.check()


moves = st.tuples(
    st.booleans(), st.lists(st.sampled_from((*IDS, "?")), max_size=4), st.integers(0, 3)
)


@given(st.lists(moves, max_size=8))
def test_invariants_hold_after_any_moves(made: list[tuple[bool, list[str], int]]) -> None:
    pool = Pool(IDS)
    for skip, ids, round_ in made:
        before = state(pool)
        try:
            if skip:
                pool.skip(ids, round_)
            else:
                pool.label(dict.fromkeys(ids, 1), round_)
        except PoolError:
            assert state(pool) == before
        pool.check()
