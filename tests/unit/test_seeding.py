from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bgadl_tf import seeding

SPLIT_PAIR = (714794150, 427107680)
TIES = [146, 652, 189]


@given(st.integers(0, 2**40), st.integers(0, 1000), st.text(max_size=20))
def test_seed_pairs_fit_int32_and_repeat(root: int, round_: int, detail: str) -> None:
    pair = seeding.seed_pair(root, round_, "noise", detail)
    assert pair == seeding.seed_pair(root, round_, "noise", detail)
    assert all(0 <= half < 2**31 for half in pair)


def test_a_stream_is_the_same_in_every_version() -> None:
    """Changing these constants changes every published run."""
    assert seeding.seed_pair(0, 0, "split") == SPLIT_PAIR
    assert seeding.generator(7, 3, "query", "ties").integers(1000, size=3).tolist() == TIES


def test_every_part_of_the_name_matters() -> None:
    purposes: tuple[seeding.Purpose, ...] = ("order", "noise")
    pairs = {
        seeding.seed_pair(root, round_, purpose, detail)
        for root, round_, purpose, detail in itertools.product(
            (0, 1, 11), (0, 1, 11), purposes, ("", "a")
        )
    }
    assert len(pairs) == 3 * 3 * 2 * 2


def test_generators_of_one_name_draw_the_same() -> None:
    first, second = (seeding.generator(1, 2, "weights").random(5) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, seeding.generator(1, 3, "weights").random(5))
