"""From settings to the objects of a run. Everything that can be refused is refused here."""

from __future__ import annotations

import dataclasses
import logging
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import NamedTuple

import tensorflow as tf

import bgadl_tf
from bgadl_tf.acquisition import acquisition as acquisitions
from bgadl_tf.acquisition.acquisition import Acquisition
from bgadl_tf.core.types import Json
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.projection import check_components
from bgadl_tf.engine.bfloat16 import warn_if_emulated
from bgadl_tf.engine.strategies import make_strategy
from bgadl_tf.engine.trainer import check_batch_size
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.learners.options import Options as LearnerOptions
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.dataset_history import DatasetHistory
from bgadl_tf.loop.fitting import GIVEN
from bgadl_tf.loop.folder_journal import unopened
from bgadl_tf.loop.journal import Journal
from bgadl_tf.loop.parts import check_views
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS, default_classifier
from bgadl_tf.models.spaces import space_of
from bgadl_tf.runs import (
    features,
    in_features,
    loading,
    network_settings,
    pipeline,
    scaling,
    user_network,
)
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.methods import Method, resolve
from bgadl_tf.runs.networks import example_shape, make_learner
from bgadl_tf.runs.options import Options
from bgadl_tf.runs.pipeline import PROJECTION
from bgadl_tf.runs.protocol import planned
from bgadl_tf.runs.run_folder import RunFolder
from bgadl_tf.runs.user_network import UserNetwork

logger = logging.getLogger(__name__)


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
        network: What the classifier is made of; None for one of the package's own.
    """

    config: RunConfig
    described: Json
    defaults: Json
    dataset: Dataset
    learner: Learner
    acquisition: Acquisition
    strategy: tf.distribute.Strategy
    plan: Plan
    network: UserNetwork | None = None

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


def names_of(config: RunConfig, resumed: Json | None = None) -> Names:
    """What the names and options in a config stand for; needs no dataset.

    Args:
        config: The settings.
        resumed: The ``config.json`` of a run that goes on; empty or None for a new one.

    Raises:
        ConfigError: A name or an option is unknown, or an option cannot be.
    """
    method = resolve(config.method, config.learner, config.acquisition)
    options = Options(config.options, method.learner, method.acquisition)
    presets = method.presets(resumed.get("options", {}) if resumed else None)
    learner = LEARNERS.get(method.learner)
    learner_options = learner.options_type(**{**presets, **options.of_learner()})
    acquisition = acquisitions.create(method.acquisition, options.of_acquisition)
    network_settings.check(config)
    if config.oracle_classifier is not None:
        CLASSIFIERS.get(config.oracle_classifier)
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
    resumed = {} if folder is None else folder.resumed()
    method, learner_options, acquisition, options = names_of(config, resumed)
    # Before anything else starts TensorFlow, as loading a dataset does: then it is too late to
    # split the CPU.
    strategy = make_strategy(config.strategy, config.cpu_replicas)
    check_batch_size(config.batch_size, strategy)
    warn_if_emulated(config.precision)
    if config.backbone is not None:
        in_features.check(config, method.learner, learner_options)
    journal = unopened(None) if folder is None else folder.journal
    config = network_settings.resolved(
        dataclasses.replace(config, classifier=config.classifier or resumed.get("classifier"))
    )
    network = user_network.find(
        config,
        None if folder is None else folder.path,
        resumed,
        begun=journal.kept(0, GIVEN) is not None,
    )
    history = DatasetHistory(journal)
    images = loading.load(
        config,
        shape=tuple(resumed.get("image_shape") or example_shape(resumed)) if resumed else None,
        earlier=history.split_before(),
        classes_before=history.class_names,
    )
    recorded = history.class_names or resumed.get("class_names", ())
    images = images.in_order(recorded) if recorded else images
    config, plan = planned(config, images, method.whole_set, resumed)
    home, origin, shape = None, images.embedded, images.shape
    if config.backbone is not None:
        home = features.home_of(images, config, strategy, resumed.get("backbone_fingerprint"))
        origin, shape = home.embedded(images), (home.frozen.facts.features,)
    config = dataclasses.replace(
        config,
        scaling=scaling.chosen(config, images.name, shape, resumed),
        classifier=config.classifier or default_classifier(shape),
    )
    components = scaling.counted(config, plan, min(len(images.train), shape[0]), resumed)
    config = dataclasses.replace(config, components=components)
    if not journal.kept(0, PROJECTION):
        check_components(components, len(images.train), shape)
    shape = shape if components is None else (components,)
    space = space_of(shape)
    learner_options = learner_options.for_space(space, resumed.get("options"))
    described = {
        **config.to_json(),
        "learner": method.learner,
        "acquisition": method.acquisition,
        "options": dataclasses.asdict(learner_options),
        "acquisition_options": options.describe(acquisition),
        "example_shape": list(shape),
        **pipeline.described(origin),
        **({} if network is None else {"network_digest": network.digest}),
        "class_names": list(images.class_names),
        "versions": versions(),
        "devices": devices(strategy),
    }
    defaults = {
        **RunConfig().to_json(),
        "scaling": "none",  # before there was a choice
        "options": dataclasses.asdict(type(learner_options)().for_space(space)),
        "acquisition_options": options.describe(acquisitions.create(method.acquisition)),
    }
    if folder is not None:
        folder.check(described, defaults)
    with strategy.scope():
        learner = make_learner(described, network)
        has_views = images.train.views is not None if home is None else config.views > 0
        check_views(learner, images.name, has_views)
        acquisitions.check_needs(method.acquisition, acquisition, learner)
        learner.compile()
    if home is not None and config.views and not learner.uses_views:
        logger.warning(
            "--views is %d, but learner %r learns from none: leave it out to spare computing them",
            config.views, method.learner,
        )  # fmt: skip
    # Whatever can be refused has been: this may take hours.
    dataset = images if home is None else home.computed(images, strategy)
    dataset = scaling.scaled(dataset, config, journal)
    return Setup(
        config=config,
        described=described,
        defaults=defaults,
        dataset=dataset,
        learner=learner,
        acquisition=acquisition,
        strategy=strategy,
        plan=plan,
        network=network,
    )


def devices(strategy: tf.distribute.Strategy) -> Json:
    """What a run computes on; its last bits may depend on it."""
    return {
        "replicas": strategy.num_replicas_in_sync,
        "logical": [device.name for device in tf.config.list_logical_devices()],
        "intra_op_threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "machine": platform.machine(),
    }


def versions() -> dict[str, str]:
    """Versions of what a run's numbers depend on."""
    packages = ("tensorflow", "keras", "tensorflow-probability", "tensorflow-datasets", "numpy")
    return {
        "bgadl_tf": bgadl_tf.__version__,
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in packages},
    }
