"""Label noise: which training labels are wrong and as what follows from the seed and the ids."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.label_noise import LabelNoise
from bgadl_tf.data.load import load_dataset


def confusions(kind: str, rate: float, classes: int = 4, count: int = 20_000) -> np.ndarray:
    """How often each class is labelled as each, as shares ``[C, C]``."""
    noise = LabelNoise(kind, rate)
    found = np.zeros((classes, classes))
    for number in range(count):
        label = number % classes
        found[label, noise.answer(f"image {number}", label, classes, seed=3)] += 1
    return found / found.sum(axis=1, keepdims=True)


def test_uniform_noise_takes_every_other_class_alike() -> None:
    expected = np.full((4, 4), 0.1)
    np.fill_diagonal(expected, 0.7)
    np.testing.assert_allclose(confusions("uniform", 0.3), expected, atol=0.02)


def test_confused_classes_are_taken_for_the_next_one() -> None:
    expected = 0.7 * np.eye(4) + 0.3 * np.roll(np.eye(4), 1, axis=1)
    np.testing.assert_allclose(confusions("confused", 0.3), expected, atol=0.02)


def test_the_same_seed_gives_the_same_answers_in_any_order_and_part() -> None:
    whole = LabelNoise("uniform").of(load_dataset("digits"), seed=1).train
    half = load_dataset("digits", part="1/2", label_noise="uniform", seed=1).train
    assert [whole.labels_of(half.ids).tolist()] == [half.labels.tolist()]
    other = LabelNoise("uniform").of(load_dataset("digits"), seed=2).train
    assert (whole.labels != other.labels).mean() > 0.2


def test_the_test_set_and_everything_else_stay() -> None:
    right, wrong = (load_dataset("digits", label_noise=kind) for kind in ("none", "confused"))
    np.testing.assert_array_equal(right.test.labels, wrong.test.labels)
    np.testing.assert_array_equal(right.train.examples[:], wrong.train.examples[:])
    assert right.train.ids == wrong.train.ids
    differ = right.train.labels != wrong.train.labels
    assert 0.15 < differ.mean() < 0.25
    np.testing.assert_array_equal(wrong.train.labels[differ], (right.train.labels[differ] + 1) % 10)
    (note,) = wrong.intake.notes
    assert note.startswith(f"label noise, confused at a rate of 0.2: {differ.sum()} of ")


def test_an_image_that_is_repeated_is_labelled_anew() -> None:
    train = load_dataset("digits", repeated=2, label_noise="uniform", label_noise_rate=0.5).train
    first, second = train.labels[: len(train) // 2], train.labels[len(train) // 2 :]
    assert (first != second).mean() > 0.4


def test_examples_without_a_label_are_refused() -> None:
    data = load_dataset("digits")
    labels = np.where(np.arange(len(data.train)) < 3, -1, data.train.labels).astype(np.int32)
    data = dataclasses.replace(data, train=dataclasses.replace(data.train, labels=labels))
    with pytest.raises(ConfigError, match=r"3 of the \d+ training examples .* have no label"):
        LabelNoise("uniform").of(data, 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"label_noise": "some"}, "--label-noise is 'some'; choose from none, uniform, confused"),
        ({"label_noise": "uniform", "label_noise_rate": 1.0}, "--label-noise-rate is 1; expected"),
        ({"label_noise": "uniform", "label_noise_rate": float("nan")}, "-rate is nan; expected"),
        ({"label_noise_rate": 0.1}, "--label-noise-rate is 0.1, but --label-noise is none"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_dataset("folder:/nowhere", **settings)  # type: ignore[arg-type]
