"""Several forms of each labelled example in a step (Hoffer et al. 2020)."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.batch import Batch
from tests.support.examples import some_images, some_labels, some_vectors
from tests.support.learners import every_learner, small_learner, weights_of

SEED = tf.constant([3, 4])


def a_batch(shape: tuple[int, ...]) -> Batch:
    images = len(shape) == 3
    examples = some_images(12) if images else some_vectors(12)
    pool = some_images(12, seed=1) if images else some_vectors(12, seed=1)
    return Batch(tf.constant(examples), tf.constant(some_labels(12)), tf.constant(pool))


@pytest.mark.parametrize(("classifier", "shape"), [("lenet", (8, 8, 1)), ("mlp", (12,))])
@pytest.mark.parametrize("name", every_learner())
def test_forms_that_are_all_alike_change_nothing(
    name: str, classifier: str, shape: tuple[int, ...]
) -> None:
    if name in ("simsiam", "self_taught") and len(shape) == 1:
        pytest.skip(f"{name} does not take vectors, or not this classifier of them")
    still: dict[str, object] = dict.fromkeys(("shift", "zoom", "rotation"), 0.0)
    still["transforms"] = "standard" if name == "two_views" else "none"
    after = []
    for forms in (1, 3):
        learner = small_learner(name, classifier, shape, 0.0, batch_augmentation=forms, **still)
        learner.compile({key: keras.optimizers.SGD(0.1) for key in learner.networks})
        learner.train_step(a_batch(shape))
        after.append(weights_of(learner))
    for key, value in after[0].items():
        np.testing.assert_allclose(after[1][key], value, rtol=0, atol=1e-6, err_msg=key)


def test_every_form_is_transformed_anew_and_the_first_is_that_of_one_form_alone() -> None:
    batch = small_learner("plain").unpack(a_batch((8, 8, 1)))
    one, three = (
        small_learner("plain", transforms="shift", shift=0.3, batch_augmentation=forms)
        .prepared(batch, SEED)
        for forms in (1, 3)
    )  # fmt: skip
    assert one.forms == ()
    np.testing.assert_array_equal(three.examples, one.examples)
    np.testing.assert_array_equal(three.forms[-1], batch.examples)  # the image itself
    every = [three.examples, *three.forms]
    assert len(every) == 3
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert not np.allclose(every[first], every[second])


def test_of_vectors_every_form_is_the_example_or_one_of_its_views() -> None:
    learner = small_learner("pmda", "mlp", (12,), batch_augmentation=3)
    examples = some_vectors(40)
    views = np.stack([examples + 10, examples + 20], axis=1)
    batch = Batch(tf.constant(examples), tf.constant(some_labels(40)), views=tf.constant(views))
    changed = learner.prepared(learner.unpack(batch), SEED)
    moved = [np.round((form - examples)[:, 0]) for form in (changed.examples, *changed.forms)]
    assert len(moved) == 3
    for own in moved:
        assert {*own.tolist()} == {0, 10, 20}
    assert not np.array_equal(moved[1], moved[2])


def test_the_loss_is_the_mean_over_the_forms() -> None:
    learner = small_learner(
        "plain", dropout=0.0, transforms="shift", shift=0.3, batch_augmentation=2
    )
    learner.compile(keras.optimizers.SGD(0.0))
    batch = learner.unpack(a_batch((8, 8, 1)))
    forms = learner.prepared(batch, learner.step_seed())
    terms = [
        -np.take_along_axis(learner.classifier(x).numpy(), batch.labels.numpy()[:, None], 1).mean()
        for x in (forms.examples, *forms.forms)
    ]
    assert float(learner.train_step(batch)["loss"]) == pytest.approx(np.mean(terms), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"batch_augmentation": 0}, "batch_augmentation is 0; must be at least 1"),
        (
            {"batch_augmentation": 2, "transforms": "shift", "transforms_on_probation": True},
            "batch_augmentation is 2; must be 1 with transforms_on_probation=true",
        ),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        small_learner("plain", **options)
