from __future__ import annotations

from collections.abc import Callable

import pytest
import tensorflow as tf

from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from scripts.benchmarks import flops
from scripts.benchmarks.rivals.keras_training import Sequential
from tests.support.learners import small_learner


def spec(*shape: int | None) -> tf.TensorSpec:
    return tf.TensorSpec(shape, tf.float32)


@pytest.mark.parametrize(
    ("function", "shapes", "expected"),
    [
        # [2, 3] times [3, 5]: 10 sums of 3 products.
        (tf.matmul, [(2, 3), (3, 5)], 2 * 30),
        (lambda a, b: tf.matmul(a, b, transpose_a=True), [(3, 2), (3, 5)], 2 * 30),
        (lambda a, b: tf.einsum("knf,fw->knw", a, b), [(4, 2, 3), (3, 5)], 2 * 4 * 30),
        (tf.matmul, [(4, 2, 3), (4, 3, 5)], 2 * 4 * 30),
        # 2 images, 3x3 places that a 2x2 kernel from 3 to 5 channels finds on 4x4.
        (
            lambda a, b: tf.nn.conv2d(a, b, 1, "VALID"),
            [(2, 4, 4, 3), (2, 2, 3, 5)],
            2 * (2 * 9) * (4 * 3 * 5),
        ),
        # Each of 4x4 pixels is spread over a 4x4 kernel from 5 to 3 channels.
        (
            lambda a, b: tf.nn.conv2d_transpose(a, b, (2, 8, 8, 3), 2),
            [(2, 4, 4, 5), (4, 4, 3, 5)],
            2 * (2 * 16) * (16 * 3 * 5),
        ),
        (lambda a: tf.nn.relu(a) + 1.0, [(2, 3)], 0),
    ],
)
def test_products_by_hand(
    function: Callable[..., tf.Tensor], shapes: list[tuple[int, ...]], expected: int
) -> None:
    assert flops.count(function, *(spec(*shape) for shape in shapes)) == expected


def test_a_gradient_counts_only_where_it_is_asked_for() -> None:
    kernel = tf.Variable(tf.ones((3, 5)))

    def gradient(inputs: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(tf.square(inputs @ kernel))
        return tape.gradient(loss, kernel)

    # Forwards and to the kernel; the tape also writes down the gradient to the inputs.
    assert flops.count(gradient, spec(2, 3)) == 2 * (2 * 30)


def test_the_small_network_by_hand() -> None:
    network = CLASSIFIERS.get("gal_cnn")((28, 28, 1), 10)
    first = 2 * 25 * 25 * (4 * 4 * 1) * 32
    second = 2 * 22 * 22 * (4 * 4 * 32) * 32
    dense = 2 * (11 * 11 * 32) * 128 + 2 * 128 * 10
    assert flops.count(network, spec(1, 28, 28, 1)) == first + second + dense


def test_a_step_of_the_learner_has_static_shapes() -> None:
    learner = small_learner("vaeacgan", unlabelled=False)
    batch = tf.TensorSpec((4, 8, 8, 1), tf.uint8), tf.TensorSpec((4,), tf.int32)
    one = flops.count(learner.classifier, spec(4, 8, 8, 1))
    # C sees three groups of images, each forwards, backwards to its kernels and to its features.
    assert flops.count(lambda *parts: learner.train_step(parts), *batch) > 6 * one


def test_shared_passes_save_what_the_readme_says() -> None:
    """In turns, our step costs what the same algorithm costs in plain Keras; at once, less."""
    tf.random.set_seed(0)  # another test may have asked for determinism
    shape = (28, 28, 1)
    batch = tf.TensorSpec((100, *shape), tf.uint8), tf.TensorSpec((100,), tf.int32)
    counted = {}
    for name in ("vaeacgan", "vaeacgan-alternating"):
        kind = LEARNERS.get(name)
        classifier = CLASSIFIERS.get("lenet")(shape, 10)
        learner = kind.create(classifier, kind.options_type(unlabelled=False))
        learner.compile()
        counted[name] = flops.count(lambda *parts, own=learner: own.train_step(parts), *batch)
    plain = flops.count(Sequential("lenet", shape, "float32").step, *batch)
    assert counted["vaeacgan-alternating"] == pytest.approx(plain, rel=1e-3)
    assert counted["vaeacgan"] == pytest.approx(50.4e9, rel=1e-3)
    assert plain == pytest.approx(68.9e9, rel=1e-3)


def test_unknown_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="MatMul"):
        flops.count(tf.matmul, spec(None, 3), spec(3, 5))
