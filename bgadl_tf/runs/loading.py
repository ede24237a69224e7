"""The dataset that a run's settings name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bgadl_tf.core.errors import ConfigError, DataError, StreamError, UnknownNameError
from bgadl_tf.core.types import Shape
from bgadl_tf.data.class_subset import ClassSubset
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.earlier_split import EarlierSplit
from bgadl_tf.data.folders import label_file
from bgadl_tf.data.imbalance import Imbalance
from bgadl_tf.data.label_noise import LabelNoise
from bgadl_tf.data.load import find_dataset, load_dataset
from bgadl_tf.data.part import Part
from bgadl_tf.data.repetition import Repetition
from bgadl_tf.models.pretrained.choice import NetworkChoice, is_network
from bgadl_tf.runs.config import RunConfig, flag

NAMES = ("dataset", "test_dataset", "labels", "classifier", "backbone")
"""Settings that name what ``find`` looks for."""


def find(config: RunConfig) -> None:
    """See that there is what ``config`` names, without reading it.

    Raises:
        ConfigError: There is not.
    """
    for name in ("dataset", "test_dataset"):
        spec = getattr(config, name)
        try:
            if spec is not None:
                find_dataset(spec, config.data_dir)
        except (DataError, UnknownNameError) as error:
            raise ConfigError(f"{flag(name)} is {spec!r}: {error}") from None
    for name, file in _files(config):
        if not file.is_file():
            spec = getattr(config, name)
            raise ConfigError(f"{flag(name)} is {spec!r}: there is no file {file}; give one")


def _files(config: RunConfig) -> Iterator[tuple[str, Path]]:
    """Settings that name files, and which."""
    if config.labels is not None:
        root = Path(config.dataset.partition(":")[2]).expanduser()
        yield "labels", label_file.find(config.labels, root)
    for name in ("classifier", "backbone"):
        spec = getattr(config, name) or ""
        if is_network(spec) and NetworkChoice(spec).kind == "model":
            yield name, NetworkChoice(spec).file


def check(config: RunConfig) -> None:
    """See that what is to become of the dataset can be, whatever that is.

    Raises:
        ConfigError: It cannot.
    """
    if config.part is not None:
        Part.parse(config.part)
    if config.classes is not None:
        ClassSubset.parse(config.classes)
    Imbalance.asked_for(config.imbalance, config.imbalance_ratio)
    Repetition.asked_for(config.repeated)
    LabelNoise.asked_for(config.label_noise, config.label_noise_rate)


def load(
    config: RunConfig,
    *,
    shape: Shape | None = None,
    earlier: EarlierSplit | None = None,
    classes_before: Sequence[str] = (),
) -> Dataset:
    """What ``config`` names; images that only a backbone is to see are left in their files.

    Args:
        config: The settings.
        shape: Of the examples of a run that goes on, before any backbone; None for a new run.
        earlier: How its dataset was split before.
        classes_before: Names of its classes.

    Raises:
        ConfigError: Settings contradict each other, or a name is unknown.
        DataError: The data is missing, empty, unreadable or malformed.
    """

    def loaded(*, stream: bool) -> Dataset:
        return load_dataset(
            config.dataset,
            data_dir=config.data_dir,
            image_size=config.image_size,
            seed=config.seed,
            stream=stream,
            labels=config.labels,
            resize=config.resize,
            max_unreadable=config.max_unreadable,
            earlier=earlier,
            new_classes=config.new_classes,
            classes_before=classes_before,
            shape=shape,
            part=config.part,
            classes=config.classes,
            test_dataset=config.test_dataset,
            imbalance=config.imbalance,
            imbalance_ratio=config.imbalance_ratio,
            repeated=config.repeated,
            label_noise=config.label_noise,
            label_noise_rate=config.label_noise_rate,
        )

    if config.backbone is None or config.stream:
        return loaded(stream=config.stream)
    try:
        return loaded(stream=True)
    except StreamError:
        return loaded(stream=False)
