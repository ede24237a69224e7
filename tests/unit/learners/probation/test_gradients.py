"""What is made of gradients that agree with the real one, and of those that oppose it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.learners.probation.gradients import combined

REAL = (np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([2.0]))
AGREEING = (np.array([[2.0, 0.0], [1.0, 0.0]]), np.array([1.0]))
OPPOSING = (np.array([[0.0, -3.0], [1.0, 0.0]]), np.array([0.5]))
Parts = tuple[np.ndarray, np.ndarray]


def flat(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.ravel(part) for part in parts])


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def groups(*parts: Parts) -> dict[str, list[tf.Tensor]]:
    names = ("real", "agreeing", "opposing")
    return {
        name: [tf.constant(part, tf.float32) for part in of]
        for name, of in zip(names, parts, strict=True)
    }


def expected(similarity: str) -> tuple[np.ndarray, dict[str, float]]:
    g, h, k = flat(REAL), flat(AGREEING), flat(OPPOSING)
    assert cosine(g, h) > 0 > cosine(g, k)
    if similarity == "gated":
        return g + h, {"agreeing": 1.0, "opposing": 0.0}
    if similarity == "weighted":
        return g + cosine(g, h) * h, {"agreeing": cosine(g, h), "opposing": 0.0}
    left = k - (k @ g) / (g @ g) * g
    assert left @ g == pytest.approx(0.0, abs=1e-9)
    share = float(np.linalg.norm(left) / np.linalg.norm(k))
    return g + h + left, {"agreeing": 1.0, "opposing": share}


@pytest.mark.parametrize("similarity", ["gated", "weighted", "projected"])
def test_what_opposes_is_left_out(similarity: str) -> None:
    total, shares = combined(groups(REAL, AGREEING, OPPOSING), similarity)
    wanted, wanted_shares = expected(similarity)
    assert [part.shape for part in total] == [(2, 2), (1,)]
    np.testing.assert_allclose(flat([part.numpy() for part in total]), wanted, rtol=1e-5)
    assert {name: float(share) for name, share in shares.items()} == pytest.approx(
        wanted_shares, rel=1e-5
    )


@pytest.mark.parametrize("similarity", ["gated", "weighted", "projected"])
def test_replicas_ask_how_their_sums_agree(
    similarity: str, mirrored: tf.distribute.Strategy
) -> None:
    # Seen alone, the second replica would find that the first group opposes and the other agrees.
    away: dict[str, Parts] = {
        "real": (np.array([[3.0, 0.0], [1.0, 0.0]]), np.array([1.0])),
        "agreeing": (np.array([[-2.0, 0.0], [0.0, 0.0]]), np.array([0.0])),
        "opposing": (np.array([[3.0, 0.0], [0.0, 0.0]]), np.array([0.0])),
    }
    whole = {"real": REAL, "agreeing": AGREEING, "opposing": OPPOSING}
    first = {name: (a - b for a, b in zip(whole[name], away[name], strict=True)) for name in whole}
    shares_of: list[Mapping[str, Sequence[np.ndarray]]] = [
        {name: [*parts] for name, parts in first.items()}, away
    ]  # fmt: skip

    def values(name: str, number: int) -> tf.Tensor:
        return mirrored.experimental_distribute_values_from_function(
            lambda context: tf.constant(
                shares_of[context.replica_id_in_sync_group][name][number], tf.float32
            )
        )

    given = {name: [values(name, 0), values(name, 1)] for name in whole}
    found, shares = mirrored.run(tf.function(lambda of: combined(of, similarity)), args=(given,))
    wanted, wanted_shares = expected(similarity)
    total = [mirrored.reduce("SUM", part, axis=None).numpy() for part in found]
    np.testing.assert_allclose(flat(total), wanted, rtol=1e-5, atol=1e-6)
    for name, share in shares.items():
        for one in mirrored.experimental_local_results(share):
            assert float(one) == pytest.approx(wanted_shares[name], rel=1e-5)


@pytest.mark.parametrize("similarity", ["gated", "weighted", "projected"])
def test_of_nothing_nothing_is_left(similarity: str) -> None:
    none = tuple(0 * part for part in REAL)
    for given in ((REAL, none, none), (none, AGREEING, AGREEING)):
        total, shares = combined(groups(*given), similarity)
        assert np.isfinite(flat([part.numpy() for part in total])).all()
        assert all(0.0 <= float(share) <= 1.0 for share in shares.values())
