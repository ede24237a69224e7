"""What ``bgadl embed`` does: the features of a dataset into a folder, once."""

from __future__ import annotations

import dataclasses
import logging
import shutil
from pathlib import Path

import tensorflow as tf

from bgadl_tf.core import durable
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.embeddings import folder, reading
from bgadl_tf.data.embeddings.facts import BACKBONE, FILE, Facts
from bgadl_tf.data.embeddings.hold import LOCK, held
from bgadl_tf.data.embeddings.store import FeatureStore
from bgadl_tf.engine.bfloat16 import warn_if_emulated
from bgadl_tf.engine.strategies import make_strategy
from bgadl_tf.runs import embedding, loading, network_settings
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.outside import refuse_inside

logger = logging.getLogger(__name__)


def embed(config: RunConfig, out: Path | str) -> Facts:
    """Write the features of a dataset into a folder, or go on where that was interrupted.

    Images are read when they are needed. Those whose features the folder has are not looked at by
    the backbone again, however the dataset has changed in between.

    Args:
        config: Says which dataset, backbone and views, and what features are kept as.
        out: The folder, for ``--dataset embeddings:OUT``.

    Returns:
        What the folder holds.

    Raises:
        ConfigError: There is no backbone, the folder is of other features, or a training set is to
            be imbalanced, repeated or labelled wrongly.
        DataError: An image cannot be read, or what is there is damaged.
        RunFolderError: The folder cannot be written.
    """
    out = Path(out)
    if config.backbone is None:
        raise ConfigError(
            "--backbone is missing: expected keras:NAME or model:FILE.keras, whose features are "
            "to be written"
        )
    if (config.imbalance, config.repeated, config.label_noise) != ("none", 1, "none"):
        raise ConfigError(
            "--imbalance, --repeated and --label-noise change what is learnt from features: write "
            "those of all images, and give the flag to bgadl train"
        )
    network_settings.check_backbone(config)
    refuse_inside(out, config.dataset)
    before = _look_at(out)
    strategy = make_strategy(config.strategy, config.cpu_replicas)
    warn_if_emulated(config.precision)
    images = loading.load(config, shape=None if before is None else before.image_shape)
    frozen = embedding.load_frozen(images, config, strategy)
    _refuse_other(out, before, frozen.facts)
    with held(out):
        before = _begun(out)  # somebody else may have begun since
        _refuse_other(out, before, frozen.facts)
        return _embed(out, images, frozen, before, strategy)


def _embed(
    out: Path,
    images: Dataset,
    frozen: embedding.Frozen,
    before: Facts | None,
    strategy: tf.distribute.Strategy,
) -> Facts:
    folder.check_names(images)
    if before is not None and before.complete:
        reading.check(out, before)
    work = out / folder.WORK
    store = FeatureStore(work, frozen.facts)
    parts, _ = embedding.wanted(images, store)
    if before is not None and before.complete and folder.is_of(out, images, parts):
        shutil.rmtree(work, ignore_errors=True)
        logger.warning("%s holds these features already", out)
        now = dataclasses.replace(before, dataset=frozen.facts.dataset)
        if now != before:  # the images lie elsewhere
            now.write(out)
        return now
    if before is None:
        shutil.rmtree(work, ignore_errors=True)
        embedding.save_backbone(frozen, out)
        frozen.facts.write(out)
    with durable.reporting(work):
        work.mkdir(exist_ok=True)
    if before is not None and before.complete:
        folder.take_over(out, store, parts)
    embedding.fill(store, parts, frozen, strategy)
    facts = folder.write(out, images, parts, store)
    shutil.rmtree(work, ignore_errors=True)
    return facts


def _look_at(out: Path) -> Facts | None:
    """What there is in a folder; None where there is nothing yet.

    Raises:
        ConfigError: It holds something else.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; expected a folder")
    facts = _begun(out)
    own = {LOCK, BACKBONE, FILE}
    others = sorted({path.name for path in out.iterdir()} - own) if out.exists() else []
    others = [name for name in others if not name.startswith(".")]
    if facts is None and others:
        raise ConfigError(
            f"--out {out} holds {others[0]!r} but no {FILE}; it is no folder of features that "
            "bgadl embed wrote: use an empty or new one"
        )
    return facts


def _begun(out: Path) -> Facts | None:
    """What a folder is of; None where there is nothing yet, or none of its features."""
    facts = Facts.read(out)
    if facts is None or facts.complete or FeatureStore.begun(out / folder.WORK):
        return facts
    return None


def _refuse_other(out: Path, before: Facts | None, now: Facts) -> None:
    if before is not None and (different := before.differences(now)):
        raise ConfigError(
            f"--out {out} holds other features: {'; '.join(different)}; use another --out"
        )
