"""A loop that is about to ask: a pool of many examples, a few labels, a classifier of these.

Everything follows from the plan's seed, so two processes make the same one.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bgadl_tf.acquisition import acquisition as acquisitions
from bgadl_tf.acquisition.acquisition import Acquisition
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import UNLABELLED, Labels
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from scripts.benchmarks import images, vectors
from scripts.benchmarks.rivals.acquisition_peers import CLASSES

WIDTH = 64
"""Dimensions of vectors."""

LABELLED = 10 * CLASSES
"""Examples with a label, beside the pool's."""

TEST = 100
NETWORKS = {"images": "gal_cnn", "vectors": "mlp"}
PLAN = Plan(rounds=1, query_size=100, candidates=0, mc_samples=20, steps=100, batch_size=100)


def total(count: int) -> int:
    """Examples of the training set for a pool of so many."""
    return count + LABELLED


def loop_about_to_ask(
    acquisition: str, space: str, count: int, path: str, data_dir: str | None
) -> ActiveLearner:
    """A loop after round 0, whose pool is ``count`` examples; its classifier is trained a little.

    Args:
        acquisition: Its name, ``NAME`` or ``NAME:INNER``.
        space: ``images``, CIFAR-10's or stand-ins of their size, or ``vectors``.
        count: N.
        path: Where ``vectors.mapped`` has written ``total(count)`` vectors.
        data_dir: Folder of prepared TFDS datasets.

    Raises:
        ConfigError: No learner can serve the acquisition in this space.
    """
    chooses = acquisitions.create(acquisition)
    data = _images(count, data_dir) if space == "images" else _vectors(count, path)
    learner = _learner(acquisition, chooses, data, space)
    loop = ActiveLearner(learner, chooses, data, plan=PLAN)
    loop.fit()
    return loop


def weights_of(loop: ActiveLearner) -> int:
    """A number that tells classifiers of other weights apart."""
    return zlib.crc32(b"".join(w.tobytes() for w in loop.learner.classifier.get_weights()))


def _learner(name: str, acquisition: Acquisition, data: Dataset, space: str) -> Learner:
    """The plainest learner that can serve an acquisition."""
    first = [each for each in ("plain", name) if each in {*LEARNERS}]
    refused: ConfigError | None = None
    for each in dict.fromkeys((*first, *LEARNERS)):
        kind = LEARNERS.get(each)
        classifier = CLASSIFIERS.get(NETWORKS[space])(data.shape, data.classes)
        try:
            learner = kind.create(classifier, kind.options_type())
            acquisitions.check_needs(name, acquisition, learner)
        except ConfigError as error:
            refused = refused or error
        else:
            return learner
    assert refused
    raise refused


def _images(count: int, data_dir: str | None) -> Dataset:
    examples, labels = images.take(images.CIFAR, total(count), data_dir)
    test = images.dataset(images.CIFAR, data_dir).test
    rows = np.arange(TEST)
    return _dataset(examples, labels, test.examples[rows], test.labels[rows])


def _vectors(count: int, path: str) -> Dataset:
    examples = np.load(Path(path), mmap_mode="r")
    test, test_labels = vectors.digits(WIDTH)
    labels = vectors.labels_of(total(count), WIDTH)
    return _dataset(examples, labels, test[:TEST], test_labels[:TEST])


def _dataset(examples: np.ndarray, labels: Labels, test: np.ndarray, known: Labels) -> Dataset:
    """The first few of each class are labelled, and nobody knows the labels of the others."""
    few = np.concatenate([
        np.flatnonzero(labels == label)[: LABELLED // CLASSES] for label in range(CLASSES)
    ])  # fmt: skip
    given = np.full(len(labels), UNLABELLED, np.int32)
    given[few] = labels[few]
    return Dataset.from_arrays(
        examples, given, test_examples=test, test_labels=known,
        class_names=[str(label) for label in range(CLASSES)],
        train_ids=[*_ids(len(labels))], name="pool",
    )  # fmt: skip


def _ids(count: int) -> Iterator[str]:
    return (f"{number:07d}" for number in range(count))
