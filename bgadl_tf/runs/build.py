"""From settings to the objects of a run. Everything that can be refused is refused here."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import NamedTuple

import tensorflow as tf

import bgadl_tf
from bgadl_tf.acquisition import acquisition as acquisitions
from bgadl_tf.acquisition.acquisition import Acquisition
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import UNLABELLED, Json
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset
from bgadl_tf.engine.strategies import make_strategy
from bgadl_tf.engine.trainer import check_batch_size
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.learners.options import Options as LearnerOptions
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.dataset_history import DatasetHistory
from bgadl_tf.loop.folder_journal import unopened
from bgadl_tf.loop.journal import Journal
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS, default_classifier
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.methods import Method, resolve
from bgadl_tf.runs.options import Options
from bgadl_tf.runs.run_folder import RunFolder


@dataclass(frozen=True)
class Setup:
    """The objects of a run, all but its journal.

    Args:
        config: Every setting resolved.
        described: ``config`` as ``config.json`` holds it.
        defaults: What ``described`` is where nothing is given.
        dataset: Examples, labels, ids.
        learner: Compiled, in the scope of the strategy.
        acquisition: Chooses queries.
        strategy: Where the learner trains.
        plan: The protocol.
    """

    config: RunConfig
    described: Json
    defaults: Json
    dataset: Dataset
    learner: Learner
    acquisition: Acquisition
    strategy: tf.distribute.Strategy
    plan: Plan

    def active_learner(self, journal: Journal, callbacks: Sequence[Callback] = ()) -> ActiveLearner:
        """The loop, taken up where the journal left it."""
        return ActiveLearner(
            self.learner,
            self.acquisition,
            self.dataset,
            journal=journal,
            callbacks=callbacks,
            plan=self.plan,
            strategy=self.strategy,
        )


class Names(NamedTuple):
    """What the names and options in a config stand for."""

    method: Method
    learner_options: LearnerOptions
    acquisition: Acquisition
    options: Options


def names_of(config: RunConfig) -> Names:
    """What the names and options in a config stand for; needs no dataset.

    Raises:
        ConfigError: A name or an option is unknown, or an option cannot be.
    """
    method = resolve(config.method, config.learner, config.acquisition)
    options = Options(config.options, method.learner, method.acquisition)
    learner_options = LEARNERS.get(method.learner).options_type(**options.of_learner())
    acquisition = acquisitions.create(method.acquisition, options.of_acquisition)
    if config.classifier is not None:
        CLASSIFIERS.get(config.classifier)
    return Names(method, learner_options, acquisition, options)


def build(config: RunConfig, folder: RunFolder | None = None) -> Setup:
    """Make the objects of a run; writes into no run folder.

    Args:
        config: The settings.
        folder: Of a run that goes on: what follows from its first dataset stays, such as the
            order of classes and what was held out. None, or one without a run, for a new one.

    Raises:
        ConfigError: Settings that cannot work, alone or together or with this dataset.
        DataError: The dataset is missing or malformed.
    """
    method, learner_options, acquisition, options = names_of(config)
    # Before anything else starts TensorFlow, as loading a dataset does: then it is too late to
    # split the CPU.
    strategy = make_strategy(config.strategy, config.cpu_replicas)
    check_batch_size(config.batch_size, strategy)
    resumed = {} if folder is None else folder.resumed()
    history = DatasetHistory(unopened(None) if folder is None else folder.journal)
    dataset = load_dataset(
        config.dataset,
        data_dir=config.data_dir,
        image_size=config.image_size,
        seed=config.seed,
        stream=config.stream,
        labels=config.labels,
        resize=config.resize,
        max_unreadable=config.max_unreadable,
        earlier=history.split_before(),
        new_classes=config.new_classes,
        classes_before=history.class_names,
        shape=tuple(example_shape(resumed)) if resumed else None,
    )
    names = history.class_names or resumed.get("class_names", ())
    dataset = dataset.in_order(names) if names else dataset
    config = dataclasses.replace(
        config,
        classifier=config.classifier
        or resumed.get("classifier")
        or default_classifier(dataset.shape),
        initial_size=config.initial_size or resumed.get("initial_size"),
    )
    plan = make_plan(config, dataset, method.whole_set, resumed=bool(resumed))
    config = dataclasses.replace(
        config, initial_size=plan.initial_size, rounds=plan.rounds, steps=plan.steps
    )
    described = {
        **config.to_json(),
        "learner": method.learner,
        "acquisition": method.acquisition,
        "options": dataclasses.asdict(learner_options),
        "acquisition_options": options.describe(acquisition),
        "example_shape": list(dataset.shape),
        "class_names": list(dataset.class_names),
        "versions": versions(),
        "devices": {
            "replicas": strategy.num_replicas_in_sync,
            "logical": [device.name for device in tf.config.list_logical_devices()],
            "intra_op_threads": tf.config.threading.get_intra_op_parallelism_threads(),
            "machine": platform.machine(),
        },
    }
    defaults = {
        **RunConfig().to_json(),
        "options": dataclasses.asdict(type(learner_options)()),
        "acquisition_options": options.describe(acquisitions.create(method.acquisition)),
    }
    with strategy.scope():
        learner = make_learner(described)
        acquisitions.check_needs(method.acquisition, acquisition, learner)
        learner.compile()
    return Setup(
        config=config,
        described=described,
        defaults=defaults,
        dataset=dataset,
        learner=learner,
        acquisition=acquisition,
        strategy=strategy,
        plan=plan,
    )


def make_learner(described: Json) -> Learner:
    """The learner of a run, not yet compiled; its examples are not needed.

    Args:
        described: The run's ``config.json``, of this version or of the first.
    """
    learner_type = LEARNERS.get(described["learner"])
    classifier = CLASSIFIERS.get(described["classifier"])(
        tuple(example_shape(described)),
        len(described["class_names"]),
        described["dropout"],
        dtype=described["precision"],
    )
    known = {field.name for field in dataclasses.fields(learner_type.options_type)}
    options = {name: value for name, value in described["options"].items() if name in known}
    return learner_type.create(classifier, learner_type.options_type(**options))


def example_shape(described: Json) -> list[int]:
    """Shape of the examples of a run, from its ``config.json``, of this version or of the first."""
    shape: list[int] = described.get("example_shape") or described["image_shape"]
    return shape


def make_plan(config: RunConfig, dataset: Dataset, whole_set: bool, resumed: bool = False) -> Plan:
    """The protocol of a run on this dataset.

    Args:
        config: The settings.
        dataset: As it is now.
        whole_set: Whether everything is labelled from the start.
        resumed: Whether the run has begun already, so that what is left is not known here.

    Raises:
        ConfigError: The initial set or the budget is larger than the pool.
    """
    known = int((dataset.train.labels != UNLABELLED).sum())
    simulated = known == len(dataset.train)
    size = config.initial_size
    if whole_set and not resumed:
        size = len(dataset.train)
    if size is None:
        ten_a_class = min(10 * dataset.classes, len(dataset.train))
        size = ten_a_class if simulated or not known else known
    most = known or len(dataset.train)
    if size > most and not resumed:
        raise ConfigError(
            f"--initial-size is {size}, but only {most} training examples "
            f"{'have a label' if known else 'are there'}"
        )
    rounds = 0 if whole_set else config.rounds
    budget = rounds * config.query_size
    left = len(dataset.train) - size
    if budget > left and not resumed:
        raise ConfigError(
            f"the budget is {rounds} rounds of {config.query_size} labels, {budget} in all, but "
            f"only {left} examples are left in the pool beside the initial set of {size}; "
            "lower --rounds or --query-size"
        )
    return Plan(
        rounds=rounds,
        query_size=config.query_size,
        initial_size=size,
        candidates=config.candidates,
        mc_samples=config.mc_samples,
        # What learns from everything at once takes as many steps as all rounds of another method.
        steps=config.steps * (config.rounds + 1) if whole_set else config.steps,
        batch_size=config.batch_size,
        seed=config.seed,
        warm_start=config.warm_start,
    )


def versions() -> dict[str, str]:
    """Versions of what a run's numbers depend on."""
    packages = ("tensorflow", "keras", "tensorflow-probability", "tensorflow-datasets", "numpy")
    return {
        "bgadl_tf": bgadl_tf.__version__,
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in packages},
    }
