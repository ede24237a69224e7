"""From settings to the objects of a run. Everything that can be refused is refused here."""

from __future__ import annotations

import dataclasses
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import tensorflow as tf

import bgadl_tf
from bgadl_tf.acquisition.base import ACQUISITIONS, Acquisition, check_abilities
from bgadl_tf.core import seeding
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import UNLABELLED, Json
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.engine.strategies import make_strategy
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.base import LEARNERS, Learner
from bgadl_tf.loop.active_learner import ActiveLearner, Plan
from bgadl_tf.loop.initial_set import initial_ids
from bgadl_tf.loop.journal import Journal
from bgadl_tf.loop.ledger import Ledger
from bgadl_tf.models.classifiers.base import CLASSIFIERS, default_classifier
from bgadl_tf.runs.config import RunConfig, parse_options
from bgadl_tf.runs.methods import Method, resolve


@dataclass(frozen=True)
class Setup:
    """The objects of a run, all but its journal.

    Attributes:
        config: Every setting resolved.
        described: ``config`` as ``config.json`` holds it.
        dataset: Images, labels, ids.
        simulated: Whether every label is held back, so that no person needs to answer.
        learner: Compiled, in the scope of the strategy.
        acquisition: Chooses queries.
        trainer: Trains the learner.
        scorer: Predicts with it.
        plan: The protocol.
    """

    config: RunConfig
    described: Json
    dataset: Dataset
    simulated: bool
    learner: Learner
    acquisition: Acquisition
    trainer: Trainer
    scorer: Scorer
    plan: Plan

    def active_learner(self, folder: Path, journal: Journal) -> ActiveLearner:
        """The loop, taken up where the folder's ledger and journal left it."""
        return ActiveLearner(
            dataset=self.dataset,
            learner=self.learner,
            acquisition=self.acquisition,
            trainer=self.trainer,
            scorer=self.scorer,
            ledger=Ledger(folder / "labels.jsonl"),
            journal=journal,
            plan=self.plan,
        )


def named(config: RunConfig) -> tuple[Method, Acquisition, Any]:
    """What the names in a config stand for, and the learner's options; needs no dataset.

    Raises:
        ConfigError: A name or an option is unknown, or an option cannot be.
    """
    method = resolve(config.method, config.learner, config.acquisition)
    learner_type = LEARNERS.get(method.learner)
    acquisition = ACQUISITIONS.get(method.acquisition)()
    if config.classifier is not None:
        CLASSIFIERS.get(config.classifier)
    own = options_for(method.learner, config.options)
    options = learner_type.options_type(
        **parse_options(learner_type.options_type, own, f"learner {method.learner!r}")
    )
    return method, acquisition, options


def build(config: RunConfig) -> Setup:
    """Make the objects of a run; touches no run folder.

    Raises:
        ConfigError: Settings that cannot work, alone or together or with this dataset.
        DataError: The dataset is missing or malformed.
    """
    method, acquisition, options = named(config)
    # Before anything else starts TensorFlow, as loading a dataset does: then it is too late to
    # split the CPU.
    strategy = make_strategy(config.strategy, config.cpu_replicas)
    dataset = load_dataset(
        config.dataset,
        data_dir=config.data_dir,
        image_size=config.image_size,
        seed=config.seed,
        stream=config.stream,
    )
    config = dataclasses.replace(
        config, classifier=config.classifier or default_classifier(dataset.shape)
    )
    plan = make_plan(config, dataset, method.whole_set)
    config = dataclasses.replace(
        config, initial_size=len(plan.initial), rounds=plan.rounds, steps=plan.steps
    )
    described = {
        **config.to_json(),
        "learner": method.learner,
        "acquisition": method.acquisition,
        "options": dataclasses.asdict(options),
        "image_shape": list(dataset.shape),
        "class_names": list(dataset.class_names),
        "versions": versions(),
        "devices": {
            "replicas": strategy.num_replicas_in_sync,
            "logical": [device.name for device in tf.config.list_logical_devices()],
            "intra_op_threads": tf.config.threading.get_intra_op_parallelism_threads(),
            "machine": platform.machine(),
        },
    }
    with strategy.scope():
        learner = make_learner(described)
        check_abilities(method.acquisition, learner.abilities, method.learner)
        learner.compile()
    return Setup(
        config=config,
        described=described,
        dataset=dataset,
        simulated=bool((dataset.train.labels != UNLABELLED).all()),
        learner=learner,
        acquisition=acquisition,
        trainer=Trainer(learner, strategy, config.batch_size),
        scorer=Scorer(learner, strategy, config.mc_samples),
        plan=plan,
    )


def make_learner(described: Json) -> Learner:
    """The learner of a run, not yet compiled; its images are not needed.

    Args:
        described: The run's ``config.json``.
    """
    learner_type = LEARNERS.get(described["learner"])
    classifier = CLASSIFIERS.get(described["classifier"])(
        tuple(described["image_shape"]),
        len(described["class_names"]),
        described["dropout"],
        dtype=described["precision"],
    )
    return learner_type.around(classifier, learner_type.options_type(**described["options"]))


def make_plan(config: RunConfig, dataset: Dataset, whole_set: bool) -> Plan:
    """The protocol of a run on this dataset.

    Raises:
        ConfigError: The initial set or the budget is larger than the pool.
    """
    size = len(dataset.train) if whole_set else config.initial_size
    initial = initial_ids(
        dataset.train,
        dataset.classes,
        size,
        seeding.generator(config.seed, 0, "initial_set"),
    )
    rounds = 0 if whole_set else config.rounds
    budget = rounds * config.query_size
    left = len(dataset.train) - len(initial)
    if budget > left:
        raise ConfigError(
            f"the budget is {rounds} rounds of {config.query_size} labels, {budget} in all, but "
            f"only {left} images are left in the pool beside the initial set of {len(initial)}; "
            "lower --rounds or --query-size"
        )
    return Plan(
        rounds=rounds,
        query_size=config.query_size,
        initial=initial,
        candidates=config.candidates,
        # What learns from everything at once takes as many steps as all rounds of another method.
        steps=config.steps * (config.rounds + 1) if whole_set else config.steps,
        seed=config.seed,
        warm_start=config.warm_start,
    )


def options_for(learner: str, options: tuple[str, ...]) -> tuple[str, ...]:
    """Options that concern a learner: ``NAME=VALUE``, and ``LEARNER.NAME=VALUE`` without prefix.

    The long form lets arms with different learners share one command line.

    Raises:
        ConfigError: A prefix is no learner.
    """
    own = []
    for option in options:
        prefix, dot, rest = option.partition(".")
        if not dot or "=" in prefix:
            own.append(option)
        elif LEARNERS.get(prefix) is LEARNERS.get(learner):
            own.append(rest)
    return tuple(own)


def versions() -> dict[str, str]:
    """Versions of what a run's numbers depend on."""
    packages = ("tensorflow", "keras", "tensorflow-probability", "tensorflow-datasets", "numpy")
    return {
        "bgadl_tf": bgadl_tf.__version__,
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in packages},
    }
