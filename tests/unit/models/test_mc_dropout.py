"""The stochastic head: the fast MC path equals the plain one, masks are consistent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.models import masked_products, mc_dropout, predictive
from bgadl_tf.models.mc_dropout import StochasticHead

SEED = (3, 4)


def head(
    hidden: tuple[int, ...] = (7, 6), rates: tuple[float, ...] = (0.25, 0.5, 0.5)
) -> StochasticHead:
    made = StochasticHead(4, hidden, rates)
    made.build((None, 9))
    return made


@pytest.mark.parametrize("images", [1, 3, 4, 6, 7, 20])
@pytest.mark.parametrize(
    ("hidden", "rates"), [((), (0.5,)), ((7,), (0.25, 0.5)), ((7, 6), (0.25, 0.5, 0.5))]
)
def test_all_passes_at_once_equal_passes_one_by_one(
    hidden: tuple[int, ...], rates: tuple[float, ...], images: int
) -> None:
    """With fewer images than the first layer has outputs (4 or 7) and with more."""
    made = head(hidden, rates)
    features = tf.random.stateless_normal((images, 9), SEED)
    masks = made.mc_masks(tf.constant(SEED), 6)
    plain = [made(features, masks=[mask[k : k + 1] for mask in masks]) for k in range(6)]
    unknown = tf.function(
        made.mc_log_probs,
        input_signature=[tf.TensorSpec((None, 9)), [tf.TensorSpec(mask.shape) for mask in masks]],
        autograph=False,
    )
    for run in (made.mc_log_probs, unknown):
        np.testing.assert_allclose(run(features, masks), tf.stack(plain), 1e-5, 1e-5)


@pytest.mark.parametrize(
    ("images", "rate", "policy", "form"),
    [
        (6, 0.25, "float32", "from_masked_features"),
        (7, 0.25, "float32", "without_dropped"),
        (7, 0.5, "float32", "from_masked_kernels"),
        (7, 0.25, "mixed_bfloat16", "from_masked_kernels"),
    ],
)
def test_the_cheapest_form_of_the_product_is_taken(
    images: int, rate: float, policy: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    def watched(form: str) -> Callable[..., tf.Tensor]:
        product = getattr(masked_products, form)
        return lambda *factors: (taken.append(form), product(*factors))[1]

    for name in ("from_masked_features", "from_masked_kernels", "without_dropped"):
        monkeypatch.setattr(masked_products, name, watched(name))
    made = StochasticHead(4, (7,), (rate, 0.5), dtype=policy)
    made.build((None, 9))
    features = tf.ones((images, 9), made.compute_dtype)
    made.mc_log_probs(features, [tf.ones((2, width)) for width in (9, 7)])
    assert taken == [form]


def test_kernels_that_were_masked_before_give_the_same_passes() -> None:
    made = head((7, 6), (0.5, 0.5, 0.5))
    features = tf.random.stateless_normal((20, 9), SEED)
    masks = made.mc_masks(tf.constant(SEED), 23)
    kernels = made.masked_kernels(masks)
    assert kernels is not None
    assert kernels.shape == (23, 9, 7)
    np.testing.assert_allclose(
        made.mc_log_probs(features, masks, kernels), made.mc_log_probs(features, masks), 1e-5, 1e-5
    )
    moments = (predictive.predict(made, features, masks, own) for own in (kernels, None))
    for prepared, plain in zip(*moments, strict=True):
        np.testing.assert_allclose(prepared, plain, 1e-5, 1e-5)


def test_kernels_are_masked_before_only_where_that_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    subtracting = head((7, 6), (0.25, 0.5, 0.5))
    masks = subtracting.mc_masks(tf.constant(SEED), 4)
    assert subtracting.masked_kernels(masks) is None
    multiplying = head((7, 6), (0.5, 0.5, 0.5))
    assert multiplying.masked_kernels(masks) is not None
    monkeypatch.setattr(mc_dropout, "LARGEST_COPIES", 4 * 9 * 7 * 4 - 1)
    assert multiplying.masked_kernels(masks) is None


def test_masks_keep_the_expectation_and_the_rate() -> None:
    made = StochasticHead(2, (), (0.25,))
    made.build((None, 1000))
    (mask,) = made.mc_masks(tf.constant(SEED), 200)
    assert np.unique(np.round(mask, 5)).tolist() == [0.0, pytest.approx(1 / 0.75, abs=1e-4)]
    assert np.mean(mask) == pytest.approx(1.0, abs=0.01)


def test_masks_of_a_seed_are_the_same_and_of_stages_and_passes_different() -> None:
    made = head((9,), (0.5, 0.5))
    first, again = (made.mc_masks(tf.constant(SEED), 3) for _ in range(2))
    other = made.mc_masks(tf.constant((3, 5)), 3)
    for stage in range(2):
        np.testing.assert_array_equal(first[stage], again[stage])
        assert not np.array_equal(first[stage], other[stage])
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0][0], first[0][1])


def test_without_dropout_every_pass_is_the_deterministic_one() -> None:
    made = head((7,), (0.0, 0.0))
    features = tf.random.stateless_normal((5, 9), SEED)
    assert not made.is_stochastic
    passes = made.mc_log_probs(features, made.mc_masks(tf.constant(SEED), 4))
    for one in passes:
        np.testing.assert_allclose(one, made(features), atol=1e-6)


@pytest.mark.parametrize("count", [2, 19, 20, 21, 45])
def test_streamed_moments_equal_those_of_all_passes_at_once(count: int) -> None:
    made = head()
    features = 3.0 * tf.random.stateless_normal((5, 9), SEED)
    masks = made.mc_masks(tf.constant(SEED), count)
    streamed = predictive.predict(made, features, masks)
    probs = np.exp(np.asarray(made.mc_log_probs(features, masks), np.float64))
    np.testing.assert_allclose(streamed.mean_probs, probs.mean(0), atol=1e-5)
    np.testing.assert_allclose(streamed.std_probs, probs.std(0), atol=1e-4)
    entropies = -np.sum(probs * np.log(probs), axis=2)
    np.testing.assert_allclose(streamed.expected_entropy, entropies.mean(0), atol=1e-5)
    votes = np.eye(4)[probs.argmax(2)].mean(0)
    np.testing.assert_allclose(streamed.votes, votes, atol=1e-6)


def test_each_example_of_a_batch_has_its_own_mask_on_any_number_of_replicas(
    mirrored: tf.distribute.Strategy,
) -> None:
    made = head((), (0.5,))
    whole = made.example_masks(tf.constant(SEED), tf.constant(8))[0].numpy()
    assert len(np.unique(whole, axis=0)) == 8
    parts = mirrored.run(lambda: made.example_masks(tf.constant(SEED), tf.constant(4))[0])
    joined = np.concatenate(mirrored.experimental_local_results(parts))
    np.testing.assert_array_equal(joined, whole)
