"""From settings to features on disk: the backbone of a run, and what of its images is missing."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import sys
import time
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from bgadl_tf.core import durable
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json, Rows
from bgadl_tf.data.contents import Digests
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.embeddings.facts import BACKBONE, Facts
from bgadl_tf.data.embeddings.overflow import check_storable
from bgadl_tf.data.embeddings.store import FeatureStore, Known, Lacking, Wanted
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.engine.embedding import Embedder, Features
from bgadl_tf.learners.views import ColourViews, GreyViews
from bgadl_tf.models.pretrained.backbone import Backbone, load_backbone
from bgadl_tf.models.pretrained.choice import NetworkChoice
from bgadl_tf.models.pretrained.precision import in_precision
from bgadl_tf.runs import network_settings
from bgadl_tf.runs.config import RunConfig

GREY_VIEWS = GreyViews(shift=0.07, zoom=0.1, rotation=10.0)
"""Views of grey images, as far from them as those of the learner ``pmda``; never mirrored."""

COLOUR_VIEWS = ColourViews(smallest_crop=0.5, jitter=0.2, greyscale=0.0)
"""Views of colour images: at least half of the area, half of them mirrored, colours a little
changed. Milder than what SimSiam is taught to ignore: classes have to stay what they are."""

FLUSH_SECONDS = 5.0
"""After so long features are put on disk: what a crash costs at most."""

SECONDS_BETWEEN_LINES = 30.0
"""How often a log is told how far it is; a terminal is every second."""

READ = 4096
"""Images whose contents are read in one piece."""

logger = logging.getLogger(__name__)


class Frozen(NamedTuple):
    """A backbone, and what its features of a dataset are.

    Fields:
        backbone: In float32.
        facts: What is stored.
    """

    backbone: Backbone
    facts: Facts


def load_frozen(images: Dataset, config: RunConfig, strategy: tf.distribute.Strategy) -> Frozen:
    """The backbone of a run.

    Args:
        images: That it is to see.
        config: Says which it is.
        strategy: In whose scope it is made.

    Raises:
        ConfigError: It cannot be had, is random, or gives no features of these images.
    """
    assert config.backbone is not None
    network_settings.check_backbone(config)
    if len(images.shape) != 3:
        raise ConfigError(
            f"--backbone is {config.backbone!r}, but dataset {images.name!r} holds vectors, and a "
            "backbone makes vectors of images; leave it out"
        )
    choice = NetworkChoice(config.backbone, config.weights, config.pixel_range)
    with strategy.scope():
        backbone = load_backbone(choice, images.shape)
    views = COLOUR_VIEWS if images.shape[-1] == 3 else GREY_VIEWS
    height, width, channels = images.shape
    features = backbone.compute_output_shape((None, *images.shape))[-1]
    assert features is not None
    facts = Facts(
        backbone=config.backbone,
        fingerprint=backbone.fingerprint(),
        dataset=dataset_settings(config),
        image_shape=(height, width, channels),
        resize=config.resize,
        store=config.store,
        precision=config.precision,
        views=config.views,
        view_settings=_described(views) if config.views else {},
        features=features,
    )
    return Frozen(backbone, facts)


def _described(views: GreyViews | ColourViews) -> Json:
    return {"kind": type(views).__name__, **dataclasses.asdict(views)}


def dataset_settings(config: RunConfig) -> Json:
    """By which a dataset is loaded again from anywhere: paths are absolute."""
    kind, colon, argument = config.dataset.partition(":")
    is_path = bool(colon and argument) and kind != "tfds"
    return {
        "dataset": f"{kind}:{_absolute(argument)}" if is_path else config.dataset,
        "data_dir": config.data_dir and _absolute(config.data_dir),
        "image_size": config.image_size,
        "resize": config.resize,
        "labels": config.labels and _absolute(config.labels),
        "new_classes": list(config.new_classes),
        "max_unreadable": config.max_unreadable,
        "seed": config.seed,
        "part": config.part,
    }


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().resolve())


def wanted(images: Dataset, store: FeatureStore) -> tuple[list[Wanted], list[Known]]:
    """Training and test set with the digests of their contents.

    Args:
        images: All of them are read, but for files that are known to the store.
        store: Where their features are, or are to be.

    Returns:
        The parts that are not empty, and what was read of each, for the store to remember.

    Raises:
        DataError: An image cannot be read.
    """
    parts, read = [], []
    for part, with_views in ((images.train, True), (images.test, False)):
        if not len(part):
            continue
        digests, known = store.digests_of(part, partial(_digests, part))
        parts.append(Wanted(part, digests, with_views))
        read.append(known)
    return parts, read


def _digests(part: ExampleSet, rows: Rows) -> Digests:
    digests = np.empty(len(rows), np.uint64)
    starts = range(0, len(rows), READ)
    for start in tqdm(starts, "reading", file=sys.stderr, disable=None, delay=1):
        piece = slice(start, start + READ)
        digests[piece] = part.known_by.digests(rows[piece])
    return digests


def save_backbone(frozen: Frozen, folder: Path) -> None:
    """Beside the features: what they can be computed by again.

    Raises:
        RunFolderError: It cannot be written.
    """
    path = folder / BACKBONE
    temporary = folder / f".{BACKBONE.removesuffix('.keras')}.tmp.keras"
    with durable.reporting(path):
        frozen.backbone.save(temporary)
        durable.sync(temporary)
        temporary.replace(path)
        durable.sync(folder)


def fill(
    store: FeatureStore,
    parts: Sequence[Wanted],
    frozen: Frozen,
    strategy: tf.distribute.Strategy,
) -> int:
    """Compute the features that a store lacks, and put them there; it can be interrupted.

    Args:
        store: Held by this process.
        parts: Whose features are wanted.
        frozen: What makes them.
        strategy: Whose replicas share the work.

    Returns:
        How many images the backbone saw.

    Raises:
        DataError: An image cannot be read, a feature is not finite, or the disk is full.
    """
    facts = frozen.facts
    missing = [lacking for part in parts for lacking in store.missing(part)]
    total = sum(len(lacking.rows) for lacking in missing)
    if not total:
        return 0
    there = sum(len(part.digests) for part in parts) - total
    known = f", those of {there} are there already" if there else ""
    logger.warning("computing the features of %d images by %s%s", total, facts.backbone, known)
    with strategy.scope():
        backbone = in_precision(frozen.backbone, facts.precision)
    views = COLOUR_VIEWS if facts.image_shape[-1] == 3 else GREY_VIEWS
    embedder = Embedder(
        backbone,
        strategy,
        views if facts.views else None,
        folded=facts.store == "float16",
    )
    often = 1.0 if sys.stderr.isatty() else SECONDS_BETWEEN_LINES
    with tqdm(
        total=total, unit="image", desc="embedding", file=sys.stderr, mininterval=often, delay=1
    ) as bar:
        for part in parts:
            # The first part may have brought what the second one lacked.
            for lacking in store.missing(part):
                done = fill_part(store, part, lacking, embedder)
                with contextlib.closing(done):  # while the folder is held, also if interrupted
                    for count in done:
                        bar.update(count)
    return total


def fill_part(
    store: FeatureStore, part: Wanted, lacking: Lacking, embedder: Embedder
) -> Generator[int, None, None]:
    """Put the features of some images into a store.

    Args:
        store: Held by this process.
        part: The images.
        lacking: Which of them, and what of them.
        embedder: Computes the features.

    Yields:
        How many images are done since the last time; they are on disk soon.

    Raises:
        DataError: As ``fill``.
    """
    pending: list[Features] = []
    last = time.monotonic()
    images = part.images
    found = embedder(images.examples, part.digests, lacking)
    try:
        for chunk in found:
            for values in (chunk.features, *chunk.views.values()):
                if values is not None:
                    check_storable(values, chunk.rows, images.ids, store.facts.store)
            pending.append(chunk)
            if time.monotonic() - last > FLUSH_SECONDS:
                _flush(store, part, pending)
                last = time.monotonic()
            yield len(chunk.rows)
    finally:
        found.close()
        _flush(store, part, pending)


def _flush(store: FeatureStore, part: Wanted, pending: list[Features]) -> None:
    if not pending:
        return
    features = [chunk.features for chunk in pending if chunk.features is not None]
    store.add(
        part.digests[np.concatenate([chunk.rows for chunk in pending])],
        np.concatenate(features) if features else None,
        {
            view: np.concatenate([chunk.views[view] for chunk in pending])
            for view in pending[0].views
        },
    )
    pending.clear()
