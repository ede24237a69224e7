from __future__ import annotations

import numpy as np

from bgadl_tf.data.dataset import Dataset
from bgadl_tf.runs import duplicates


def lines(train: list[int], labels: list[int], test: list[int], shown: int = 3) -> list[str]:
    """Of images that are the same where their numbers are."""
    pixels = [np.full((len(part), 8, 8), np.reshape(part, (-1, 1, 1)), np.uint8)
              for part in (train, test)]  # fmt: skip
    dataset = Dataset.from_arrays(
        pixels[0], labels, test_examples=pixels[1], test_labels=[0] * len(test),
        class_names=("cat", "dog"),
    )  # fmt: skip
    told = duplicates.find(dataset).lines(shown)
    heads = ("in the training set", "in the test set", "between training and test set",
             "with different labels")  # fmt: skip
    return [
        line.removeprefix(f"duplicates {head}: ") for head, line in zip(heads, told, strict=True)
    ]


def test_no_duplicates() -> None:
    assert lines([1, 2, 3], [0, 1, 1], [4, 5]) == ["none"] * 4


def test_duplicates_in_each_set_and_between_them() -> None:
    found = lines([1, 2, 1, 3], [0, 0, 0, 1], [4, 4, 2])
    assert found[0] == "1 group: train-0 = train-2"
    assert found[1] == "1 group: test-0 = test-1"
    assert found[2] == (
        "a leak: 1 of the images to test on can also be trained on, so that accuracy says too "
        "much: 1 group: train-1 = test-2"
    )
    assert found[3] == "none"


def test_duplicates_with_different_labels_but_not_of_unknown_ones() -> None:
    assert lines([1, 1, 2, 2, 3], [0, 1, 0, -1, 1], [4, 3])[3] == (
        "2 groups: train-0 (cat) = train-1 (dog); train-4 (dog) = test-1 (cat)"
    )


def test_the_first_few_of_many_are_named() -> None:
    many = [number for number in range(5) for _ in range(2)]
    found = lines(many, [0] * 9 + [1], [9], shown=2)
    assert found[0] == "5 groups: train-0 = train-1; train-2 = train-3; and 3 more"
    assert lines(many, [0] * 10, [9], shown=99)[0].count("=") == 5
