"""Draws that follow from the content of an example and the number of its view."""

from __future__ import annotations

import numpy as np

from bgadl_tf.learners.view_draws import draws_of

DIGESTS = np.random.default_rng(0).integers(0, 2**64, 4000, np.uint64)


def test_draws_are_uniform_and_unrelated() -> None:
    draws = np.concatenate([draws_of(DIGESTS, view, 3) for view in (0, 1)], axis=1)
    assert draws.shape == (4000, 6)
    assert draws.min() >= 0.0
    assert draws.max() < 1.0
    np.testing.assert_allclose(draws.mean(0), 0.5, atol=0.02)
    np.testing.assert_allclose(draws.std(0), 12**-0.5, atol=0.01)
    np.testing.assert_allclose(np.corrcoef(draws.T), np.eye(6), atol=0.06)


def test_draws_follow_from_content_and_view_alone() -> None:
    draws = draws_of(DIGESTS, 1, 3)
    np.testing.assert_array_equal(draws_of(DIGESTS[::-7], 1, 3), draws[::-7])
    np.testing.assert_array_equal(draws_of(DIGESTS, 1, 2), draws[:, :2])
    assert not np.isclose(draws, draws_of(DIGESTS, 2, 3)).all(1).any()


def test_draws_are_the_same_on_every_machine() -> None:
    found = draws_of(np.array([0, 1, 2**64 - 1], np.uint64), 0, 2)
    # SplitMix64 seeded by 0 begins with 0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4.
    np.testing.assert_array_equal(found[0], np.float32([0xE220A8, 0x6E789E]) * 2.0**-24)
