"""A run in the features of a frozen backbone: its images through that, computed once and kept."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bgadl_tf.core.errors import DataError, RunFolderError
from bgadl_tf.core.types import Id, Images
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.embedded import Embedded
from bgadl_tf.data.embeddings.facts import BACKBONE, Facts
from bgadl_tf.data.embeddings.hold import held
from bgadl_tf.data.embeddings.store import FeatureStore
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.runs import embedding
from bgadl_tf.runs.config import RunConfig


class Home(NamedTuple):
    """Where the features of a run are kept, and what they are.

    Fields:
        frozen: The backbone, and what its features are.
        folder: Of its own among all features that are kept.
    """

    frozen: embedding.Frozen
    folder: Path

    def embedded(self, images: Dataset) -> Embedded:
        """What vectors of these images are the features of."""
        facts = self.frozen.facts

        def of(ids: Sequence[Id]) -> Images:
            return _images_of(images, ids)

        return Embedded(
            self.folder / BACKBONE,
            facts.fingerprint,
            facts.image_shape,
            facts.resize,
            facts.store,
            of,
            facts.precision,
        )

    def computed(self, images: Dataset, strategy: tf.distribute.Strategy) -> Dataset:
        """The features of a dataset's images, those that are kept already and the others.

        Args:
            images: What the backbone sees.
            strategy: Whose replicas share the work.

        Returns:
            The same ids, labels, classes and contents, with vectors, and with ``embedded``.

        Raises:
            DataError: An image cannot be read, or what is kept is damaged.
        """
        frozen, folder = self
        facts = frozen.facts.without_views()
        store, kept = FeatureStore(folder, frozen.facts), _kept(folder, facts)
        parts, read = embedding.wanted(images, store)
        news = any(len(known.keys) for known in read)
        if kept is None or news or any(len(store.missing(part)) for part in parts):
            with held(folder):
                if _kept(folder, facts) is None:
                    embedding.save_backbone(frozen, folder)
                    facts.write(folder)
                embedding.fill(store, parts, frozen, strategy)
                for known in read:
                    store.remember(known)
        features = [store.set_of(part) for part in parts]
        train = features[0]
        none = len(features) == 1
        test = _no_vectors(images, train.examples) if none else features[1].in_memory()
        return Dataset(
            images.name, train, test, images.class_names, images.intake, self.embedded(images)
        )


def home_of(
    images: Dataset,
    config: RunConfig,
    strategy: tf.distribute.Strategy,
    fingerprint: str | None = None,
) -> Home:
    """Which features a run learns in, before any are computed.

    Args:
        images: What the backbone sees.
        config: Says which backbone, how many views, where features are kept and as what.
        strategy: In whose scope the backbone is made.
        fingerprint: Of the backbone of a run that goes on; None for a new one.

    Raises:
        ConfigError: The backbone cannot be had, or gives no features of these images.
        RunFolderError: The run began with another backbone.
    """
    frozen = embedding.load_frozen(images, config, strategy)
    if fingerprint not in (None, frozen.facts.fingerprint):
        raise RunFolderError(
            f"{config.backbone} is another network than the one in whose features the run began "
            f"(fingerprint {frozen.facts.fingerprint}, and {fingerprint} then); give that one "
            "back, or use another --out"
        )
    return Home(frozen, cache_folder(config.embeddings) / frozen.facts.key)


def cache_folder(embeddings: str | None) -> Path:
    """Where features are kept: as asked for, or in the user's cache."""
    if embeddings is not None:
        return Path(embeddings).expanduser()
    home = os.environ.get("XDG_CACHE_HOME")
    cache = Path(home) if home else Path("~/.cache").expanduser()
    return cache / "bgadl_tf" / "embeddings"


def _kept(folder: Path, facts: Facts) -> Facts | None:
    """What a folder says of its features; None where there is nothing yet."""
    kept = Facts.read(folder)
    if kept is not None:  # every part of a dataset is kept in one place
        kept = dataclasses.replace(kept, dataset={**kept.dataset, "part": facts.dataset["part"]})
    if kept is not None and (different := kept.differences(facts)):
        raise DataError(
            f"{folder} is to hold features of {facts.backbone} of {facts.dataset['dataset']!r}, "
            f"but {'; '.join(different)}; remove that folder"
        )
    return kept


def _no_vectors(images: Dataset, train: ExampleSource) -> ExampleSet:
    vectors = np.empty((0, *train.shape[1:]), np.float32)
    return ExampleSet(images.test.ids, vectors, images.test.labels)


def _images_of(images: Dataset, ids: Sequence[Id]) -> Images:
    """Of the training and the test set, in the order of ids."""
    found = np.empty((len(ids), *images.shape), np.uint8)
    for part in (images.train, images.test):
        places = [place for place, id_ in enumerate(ids) if id_ in part]
        if places:
            found[places] = part.examples_of([ids[place] for place in places])
    if unknown := [id_ for id_ in ids if id_ not in images.train and id_ not in images.test]:
        raise DataError(f"no image of {images.name!r} is called {unknown[0]!r}")
    return found
