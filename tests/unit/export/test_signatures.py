"""No served function sees rows that are missing, of the wrong shape, or unequal in number."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.export import by_seed
from bgadl_tf.export.signatures import LABEL, SEED, Signature, examples_spec
from bgadl_tf.models import noise
from bgadl_tf.models.predictive import Predictive
from bgadl_tf.models.spaces import space_of

ECHO = Signature(
    (examples_spec(space_of((8, 8, 1))), SEED), lambda images, seed: {"seed": seed + 1}
)


def images(*shape: int) -> tf.Tensor:
    return tf.zeros(shape, tf.uint8)


def test_good_inputs_pass() -> None:
    assert ECHO(images(2, 8, 8, 1), tf.constant([1, 2], tf.int64))["seed"].numpy().tolist() == [
        2,
        3,
    ]


@pytest.mark.parametrize(
    "shape", [(2, 8, 8, 3), (2, 9, 8, 1), (2, 64), (2, 8, 8), (), (2, 8, 8, 1, 1)]
)
def test_a_wrong_shape_is_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="shape"):
        ECHO(images(*shape), tf.constant([1, 2], tf.int64))


@pytest.mark.parametrize(("rows", "seeds"), [(2, 3), (2, 1), (0, 0), (0, 1), (1, 0)])
def test_as_many_rows_in_every_input_and_at_least_one(rows: int, seeds: int) -> None:
    run = tf.function(ECHO, input_signature=[*ECHO.inputs], autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        run(images(rows, 8, 8, 1), tf.zeros([seeds], tf.int64))
    assert f"expected as many rows, at least 1, in images, seed; got] [{rows} {seeds}]" in str(
        caught.value
    )


def test_names_of_the_inputs_are_those_of_the_contract() -> None:
    assert [spec.name for spec in (*ECHO.inputs, LABEL)] == ["images", "seed", "label"]


def test_every_row_meets_the_masks_of_its_own_seed_and_each_seed_is_drawn_once() -> None:
    features = tf.constant([[1.0], [2.0], [3.0], [4.0]])
    seeds = tf.constant([7, -1, 7, 2**53 - 1], tf.int64)
    calls = []

    def score(some: tf.Tensor, seed: tf.Tensor) -> Predictive:
        calls.append(int(seed))
        product = some[:, 0] * tf.cast(seed, tf.float32)
        table = tf.stack([product, product + 1], 1)
        return Predictive(table, table, product, table)

    moments = by_seed.predict(score, features, seeds, 2)
    assert sorted(calls) == [-1, 7, 2**53 - 1]
    np.testing.assert_allclose(moments.expected_entropy, [7, -2, 21, 4 * 2.0**53])
    np.testing.assert_allclose(moments.mean_probs[:, 1], [8, -1, 22, 4 * 2.0**53])


def test_normal_noise_of_a_row_is_that_of_its_seed_alone() -> None:
    together = by_seed.normal(tf.constant([3, 4, 3], tf.int64), 5)
    alone = tf.random.stateless_normal([1, 5], noise.pair(4), alg="philox")
    np.testing.assert_array_equal(together[1:2], alone)
    np.testing.assert_array_equal(together[0], together[2])
    assert not np.array_equal(together[0], together[1])


def test_fresh_seeds_are_one_a_call_and_survive_json() -> None:
    tf.random.set_seed(1)
    first, second = (by_seed.fresh(3).numpy() for _ in range(2))
    assert len({*first}) == len({*second}) == 1
    assert first[0] != second[0]
    seeds = [int(by_seed.fresh(1)[0]) for _ in range(200)]
    assert len({*seeds}) == 200
    assert all(0 <= seed < 2**53 for seed in seeds)
    assert max(seeds) > 2**52
