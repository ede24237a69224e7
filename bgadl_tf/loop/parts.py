"""The parts of a loop from what a user may give for them: an object, or a name."""

from __future__ import annotations

from collections.abc import Sequence

from bgadl_tf.acquisition import acquisition as acquisitions
from bgadl_tf.acquisition.acquisition import Acquisition
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset
from bgadl_tf.learners.abilities import KeepsPrevious
from bgadl_tf.learners.growing import with_classes
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.loop.dataset_history import DatasetHistory
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier, default_classifier


def as_dataset(dataset: Dataset | str, history: DatasetHistory) -> Dataset:
    """A dataset; a string is what stands after ``--dataset``.

    Args:
        dataset: An object, or its name.
        history: What it was at earlier starts.
    """
    if not isinstance(dataset, str):
        return dataset
    return load_dataset(dataset, earlier=history.split_before(), classes_before=history.class_names)


def as_acquisition(acquisition: Acquisition | str) -> Acquisition:
    """An acquisition; a string is its name, ``NAME`` or ``NAME:INNER``."""
    return acquisitions.create(acquisition) if isinstance(acquisition, str) else acquisition


def as_learner(
    learner: Learner | Classifier | str,
    dataset: Dataset,
    acquisition: Acquisition,
    class_counts: Sequence[int] = (),
) -> Learner:
    """A compiled learner for the examples and classes of a dataset, fit for an acquisition.

    Args:
        learner: A learner; a classifier, for plain supervised learning; or a learner's name.
        dataset: What it is to learn from.
        acquisition: Looks through it.
        class_counts: Of earlier starts: a learner for so few grows.

    Raises:
        ConfigError: It takes other examples, knows another number of classes, or lacks an ability.
    """
    if isinstance(learner, str):
        learner_type = LEARNERS.get(learner)
        classifier = CLASSIFIERS.get(default_classifier(dataset.shape))(
            dataset.shape, dataset.classes
        )
        learner = learner_type.create(classifier, learner_type.options_type())
    elif isinstance(learner, Classifier):
        plain = LEARNERS.get("plain")
        learner = plain.create(learner, plain.options_type())
    if learner.classifier.classes in class_counts and learner.classifier.classes < dataset.classes:
        learner = with_classes(learner, dataset.classes)
    classifier = learner.classifier
    found = (classifier.example_shape, classifier.classes)
    if found != (dataset.shape, dataset.classes):
        raise ConfigError(
            f"the classifier takes examples of shape {found[0]} and tells {found[1]} classes "
            f"apart; those of {dataset.name!r} have shape {dataset.shape} and {dataset.classes} "
            "classes"
        )
    check_views(learner, dataset.name, dataset.train.views is not None)
    acquisitions.check_needs(type(acquisition).__name__, acquisition, learner)
    if KeepsPrevious in acquisition.needs:
        learner.keep_previous()
    if not learner.optimizers:
        learner.compile()
    return learner


def check_views(learner: Learner, name: str, given: bool) -> None:
    """Refuse a learner that learns from views of examples that have none.

    Args:
        learner: Is checked.
        name: Of the dataset.
        given: Whether its training examples have views.

    Raises:
        ConfigError: The message says where views come from.
    """
    if learner.needs_views and not given:
        raise ConfigError(
            f"{type(learner).__name__} learns from views of the examples, and those of {name!r} "
            "have none: give --views 4 or so with --backbone, or make them with 'bgadl embed "
            "--views'; or use another learner"
        )
