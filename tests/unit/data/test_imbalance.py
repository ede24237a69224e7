"""Classes of unequal sizes: the sizes of the papers, the same examples everywhere."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.imbalance import Imbalance
from bgadl_tf.data.load import load_dataset


def of_sizes(*sizes: int, classes: int | None = None) -> Dataset:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    vectors = np.arange(3 * len(labels), dtype=np.float32).reshape(-1, 3)
    names = [f"class {label}" for label in range(classes or len(sizes))]
    return Dataset.from_arrays(
        vectors, labels, test_examples=vectors[:2], test_labels=[0, 1], class_names=names
    )


@pytest.mark.parametrize(
    ("profile", "ratio", "counts", "expected"),
    [
        # 100 * 10^(-c/4): 100, 56.2, 31.6, 17.8, 10.
        ("long_tailed", 10, [100] * 5, [100, 56, 32, 18, 10]),
        ("long_tailed", 1, [100, 90], [100, 90]),
        ("long_tailed", 100, [50, 50], [50, 1]),
        ("long_tailed", 4, [90, 100, 10, 0], [90, 63, 10, 0]),
        ("step", 10, [100] * 5, [100, 100, 100, 10, 10]),
        ("step", 5, [40, 50, 60, 70], [40, 50, 14, 14]),
    ],
)
def test_sizes(profile: str, ratio: float, counts: list[int], expected: list[int]) -> None:
    assert Imbalance(profile, ratio).sizes(np.array(counts)).tolist() == expected


def test_of_digits_the_training_set_alone_is_changed() -> None:
    whole, unequal = load_dataset("digits"), load_dataset("digits", imbalance="long_tailed")
    counts, before = (np.bincount(each.train.labels) for each in (unequal, whole))
    np.testing.assert_array_equal(counts, Imbalance("long_tailed").sizes(before))
    assert counts[0] / counts[9] == pytest.approx(10, rel=0.05)
    ids = unequal.train.ids
    assert [*ids] == [id_ for id_ in whole.train.ids if id_ in unequal.train]
    np.testing.assert_array_equal(unequal.train.examples[:], whole.train.examples_of(ids))
    np.testing.assert_array_equal(unequal.train.labels, whole.train.labels_of(ids))
    assert unequal.test.ids == whole.test.ids
    assert unequal.name == "digits (long_tailed 10)"
    assert any("of 1300 training examples are used" in note for note in unequal.intake.notes)


def test_which_are_left_depends_on_ids_alone() -> None:
    data = of_sizes(50, 50, 50)
    shuffled = np.random.default_rng(0).permutation(150)
    other = dataclasses.replace(data, train=data.train.part(shuffled))
    left, again = (Imbalance("step", 5).of(each).train for each in (data, other))
    assert {*left.ids} == {*again.ids}
    # Those that are left of fewer are left of more: a smaller ratio takes the same and others.
    assert {*left.ids} < {*Imbalance("step", 2).of(data).train.ids}


def test_a_part_is_taken_first_and_its_hash_is_another() -> None:
    half = load_dataset("digits", part="1/2")
    both = load_dataset("digits", part="1/2", imbalance="step", imbalance_ratio=4)
    assert {*both.train.ids} < {*half.train.ids}
    counts, before = (np.bincount(each.train.labels) for each in (both, half))
    np.testing.assert_array_equal(counts, Imbalance("step", 4).sizes(before))


def test_rare_classes_stay_when_the_order_of_a_run_is_another() -> None:
    order = tuple("9876543210")
    data = load_dataset("digits", imbalance="long_tailed", classes_before=order)
    assert data.class_names == order
    counts = np.bincount(data.train.labels)
    assert counts[0] > 9 * counts[9]


def test_views_go_with_their_examples() -> None:
    data = of_sizes(20, 20)
    views = np.stack([data.train.examples[:]] * 2, 1)
    data = dataclasses.replace(data, train=dataclasses.replace(data.train, views=views))
    left = Imbalance("step", 4).of(data).train
    assert left.views is not None
    np.testing.assert_array_equal(left.views[:][:, 1], left.examples[:])


def test_examples_without_a_label_are_refused() -> None:
    data = of_sizes(10, 10)
    labels = np.where(np.arange(20) < 3, -1, data.train.labels).astype(np.int32)
    data = dataclasses.replace(data, train=dataclasses.replace(data.train, labels=labels))
    with pytest.raises(ConfigError, match=r"3 of the 20 training examples .* have no label"):
        Imbalance("step").of(data)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"imbalance": "steep"}, "--imbalance is 'steep'; choose from none, long_tailed, step"),
        ({"imbalance": "step", "imbalance_ratio": 0.5}, "--imbalance-ratio is 0.5; it must be"),
        ({"imbalance": "step", "imbalance_ratio": float("nan")}, "--imbalance-ratio is nan"),
        ({"imbalance_ratio": 5.0}, "--imbalance-ratio is 5, but --imbalance is none"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_dataset("folder:/nowhere", **settings)  # type: ignore[arg-type]
