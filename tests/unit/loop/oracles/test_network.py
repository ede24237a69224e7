"""The network that stands for a person who is asked about synthesised examples."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Images
from bgadl_tf.data.class_subset import ClassSubset
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset
from bgadl_tf.loop.folder_journal import held
from bgadl_tf.loop.journal import Journal
from bgadl_tf.loop.oracles.network import NAME, NetworkOracle, NetworkSettings
from bgadl_tf.loop.oracles.oracle import Oracle

SETTINGS = NetworkSettings(steps=300)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """The embedded dataset, all classes."""
    return load_dataset("digits")


@pytest.fixture(scope="module")
def fives_and_sevens(digits: Dataset) -> Dataset:
    """A task of two classes."""
    return ClassSubset(("5", "7")).of(digits)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """Keeps what is trained."""
    return held(tmp_path_factory.mktemp("oracle"))


@pytest.fixture(scope="module")
def oracle(fives_and_sevens: Dataset, journal: Journal) -> NetworkOracle:
    """Knows all ten digits."""
    return NetworkOracle(fives_and_sevens, journal, 0, SETTINGS)


def images_of(digits: Dataset, label: int) -> Images:
    images: Images = digits.test.examples[np.flatnonzero(digits.test.labels == label)]
    return images


def asked(images: Images) -> tuple[Query, Images]:
    ids = tuple(f"made-1-{number}" for number in range(len(images)))
    return Query(ids, (0.0,) * len(ids)), images


def test_what_a_task_leaves_out_is_kept_apart(digits: Dataset, fives_and_sevens: Dataset) -> None:
    rest = fives_and_sevens.left_out
    assert rest is not None
    assert not {*rest.ids} & {*fives_and_sevens.train.ids}
    assert {*rest.ids} | {*fives_and_sevens.train.ids} == {*digits.train.ids}
    names = [name for name in digits.class_names if name not in ("5", "7")]
    truth = [digits.class_names[label] for label in digits.train.labels_of(rest.ids)]
    assert [names[label] for label in rest.labels] == truth
    assert ClassSubset(digits.class_names).of(digits).left_out is None
    assert digits.left_out is None


def test_it_labels_what_it_knows(oracle: NetworkOracle, digits: Dataset) -> None:
    assert oracle.classes == 10
    anyone: Oracle = oracle
    for label, digit in ((0, 5), (1, 7)):
        answers = [*anyone.answer(*asked(images_of(digits, digit))).values()]
        assert all(answer is None or type(answer) is int for answer in answers)
        assert answers.count(label) > 0.6 * len(answers)
        assert answers.count(1 - label) < 0.05 * len(answers)


def test_it_declines_what_is_none_of_the_classes(oracle: NetworkOracle, digits: Dataset) -> None:
    # A network of the two classes alone would call everything one of them.
    for digit in (0, 4, 6):
        answers = oracle.answer(*asked(images_of(digits, digit)))
        assert len(answers) == len(images_of(digits, digit))
        assert sum(answer is None for answer in answers.values()) > 0.9 * len(answers)


def test_it_declines_what_is_half_one_and_half_the_other(
    oracle: NetworkOracle, digits: Dataset
) -> None:
    fives, sevens = (images_of(digits, digit)[:20] for digit in (5, 7))
    halves = np.concatenate([fives[:, :, :4], sevens[:, :, 4:]], 2)
    answers = oracle.answer(*asked(halves))
    assert sum(answer is None for answer in answers.values()) > 0.5 * len(answers)


def test_the_examples_of_the_dataset_are_left_to_others(
    oracle: NetworkOracle, fives_and_sevens: Dataset
) -> None:
    ids = (fives_and_sevens.train.ids[0], "made-1-0", fives_and_sevens.train.ids[1])
    images = fives_and_sevens.train.examples[np.arange(3)]
    answers = oracle.answer(Query(ids, (0.0,) * 3), images)
    assert [*answers] == ["made-1-0"]
    alone = oracle.answer(Query(("made-1-0",), (0.0,)), images[1:2])
    assert alone == answers
    assert oracle.answer(Query(ids[:1], (0.0,)), images[:1]) == {}


def test_it_is_trained_once(
    oracle: NetworkOracle,
    journal: Journal,
    fives_and_sevens: Dataset,
    caplog: pytest.LogCaptureFixture,
) -> None:
    images = fives_and_sevens.test.examples[np.arange(40)]
    expected = oracle.log_probs(images)
    assert journal.kept(0, NAME) is not None
    with caplog.at_level(logging.WARNING):
        again = NetworkOracle(fives_and_sevens, journal, 0, SETTINGS)
        np.testing.assert_array_equal(again.log_probs(images), expected)
    assert not caplog.records


def test_it_says_how_good_it_is_and_is_the_same_in_every_run(
    fives_and_sevens: Dataset,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    few = replace(SETTINGS, steps=5)
    found = []
    for name in ("one", "other"):
        oracle = NetworkOracle(fives_and_sevens, held(tmp_path / name), 0, few)
        found.append(oracle.log_probs(fives_and_sevens.test.examples[np.arange(9)]))
    np.testing.assert_array_equal(*found)
    assert "network of 10 classes; of the test set it answers" in caplog.records[0].message


@pytest.mark.parametrize(
    ("setting", "message"),
    [({"steps": 0}, "steps of the oracle network is 0"), ({"sure": 0.0}, "sure of the oracle")],
    ids=str,
)
def test_impossible_settings(setting: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(SETTINGS, **setting)
