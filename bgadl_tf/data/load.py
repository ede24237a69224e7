"""From what stands after ``--dataset`` to a dataset."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence

from bgadl_tf.core.errors import ConfigError, UnknownNameError
from bgadl_tf.core.types import Shape
from bgadl_tf.data import foreign_test
from bgadl_tf.data.class_subset import ClassSubset
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.earlier_split import EarlierSplit
from bgadl_tf.data.imbalance import RATIO, Imbalance
from bgadl_tf.data.label_noise import RATE, LabelNoise
from bgadl_tf.data.loader import FINDERS, LOADERS, MAX_UNREADABLE, LoadRequest
from bgadl_tf.data.part import Part
from bgadl_tf.data.repetition import Repetition

logger = logging.getLogger(__name__)


def load_dataset(
    spec: str,
    *,
    data_dir: str | None = None,
    image_size: int | None = None,
    seed: int = 0,
    stream: bool = False,
    labels: str | None = None,
    resize: str = "stretch",
    max_unreadable: float = MAX_UNREADABLE,
    earlier: EarlierSplit | None = None,
    new_classes: Sequence[str] = (),
    classes_before: Sequence[str] = (),
    shape: Shape | None = None,
    part: str | None = None,
    imbalance: str = "none",
    imbalance_ratio: float = RATIO,
    repeated: float = 1.0,
    label_noise: str = "none",
    label_noise_rate: float = RATE,
    classes: str | None = None,
    test_dataset: str | None = None,
    tell: bool = True,
) -> Dataset:
    """Loads the dataset that ``spec`` names.

    Args:
        spec: A registered name (``digits``), ``kind:argument`` with a registered kind
            (``folder:PATH``), or the name of a TFDS builder (``mnist``).
        data_dir: Folder of prepared TFDS datasets, or None for the one of TFDS.
        image_size: Resize every image to this many pixels a side, or None.
        seed: Root seed; decides which examples are held out where no test split is given.
        stream: Read training examples from their files when they are needed.
        labels: CSV file with the labels of a folder's images, or None for one folder a class.
        resize: How images that are not square become it: ``stretch``, ``crop`` or ``pad``.
        max_unreadable: Share of the images that may be unreadable; these are left out.
        earlier: How it was split before, where what is held out is a seeded draw; None to draw.
        new_classes: Names of classes that nothing in the dataset names yet; they come last.
        classes_before: Names of the classes of a run that goes on; those that nothing in the
            dataset names come before the new ones.
        shape: Of the examples of a run that goes on: images of a folder that are of another size
            are left out, and all get its channels. None for a new run.
        part: ``I/N``, to use the examples alone whose ids a hash puts into this part.
        imbalance: ``none``, or how the classes of the training set, of that part, are made unequal:
            ``long_tailed`` or ``step``, see ``imbalance.Imbalance``.
        imbalance_ratio: Of the largest class to the smallest one.
        repeated: How often each training example that is left is there, see
            ``repetition.Repetition``.
        label_noise: ``none``, or how some labels of the training set, each copy's by itself, are
            wrong: ``uniform`` or ``confused``, see ``label_noise.LabelNoise``; ``seed`` decides.
        label_noise_rate: Share of the labels that are.
        classes: ``NAME,NAME,…``, to use the examples of these classes alone.
        test_dataset: Another dataset, whose test set takes the place of this one's: images are
            resized to the size that this one's have.
        tell: Log what people should know of the dataset.

    Raises:
        UnknownNameError: The kind before the colon is not registered.
        ConfigError: There is no such part, class, imbalance, repetition or noise; examples without
            a label are to be imbalanced, labelled wrongly or chosen by class; the other dataset's
            test set does not fit; ``labels`` is given for what is no folder of images; or a new
            class is one already but for case or spelling.
        DataError: The data is missing, empty, unreadable or malformed.
    """
    kind, argument = _kind_and_argument(spec)
    if labels is not None and kind != "folder":
        raise ConfigError(
            f"--labels is {labels!r}, but dataset {spec!r} is no folder of images (folder:PATH), "
            "for whose images alone a CSV file can hold the labels; leave it out"
        )
    chosen = None if part is None else Part.parse(part)
    subset = None if classes is None else ClassSubset.parse(classes)
    unequal = Imbalance.asked_for(imbalance, imbalance_ratio)
    repetition = Repetition.asked_for(repeated)
    noise = LabelNoise.asked_for(label_noise, label_noise_rate)
    if repetition is not None and earlier is not None:
        earlier = repetition.without(earlier)
    request = LoadRequest(
        argument=argument,
        data_dir=data_dir,
        image_size=image_size,
        seed=seed,
        stream=stream,
        labels=labels,
        resize=resize,
        max_unreadable=max_unreadable,
        earlier=earlier,
        new_classes=tuple(new_classes),
        classes_before=tuple(classes_before),
        shape=shape,
        part=chosen,
    )
    dataset = LOADERS.get(kind)(request)
    if new_classes or classes_before:
        dataset = dataclasses.replace(dataset, class_names=request.classes(dataset.class_names))
    dataset = dataset if chosen is None else chosen.of(dataset)
    dataset = dataset if subset is None else subset.of(dataset)
    if test_dataset is not None:
        other = load_dataset(
            test_dataset,
            data_dir=data_dir,
            image_size=image_size or foreign_test.side_of(dataset.shape),
            seed=seed,
            resize=resize,
            max_unreadable=max_unreadable,
        )
        dataset = foreign_test.with_test_of(dataset, other)
    if unequal is not None:  # which classes are rare stays when others join them
        dataset = unequal.of(dataset.in_order(classes_before) if classes_before else dataset)
    dataset = dataset if repetition is None else repetition.of(dataset)
    dataset = dataset if noise is None else noise.of(dataset, seed)
    for line in dataset.intake.lines() if tell else ():
        logger.warning("%s: %s", dataset.name, line)
    return dataset


def find_dataset(spec: str, data_dir: str | None = None) -> None:
    """Sees that there is a dataset, and neither reads nor downloads it.

    Args:
        spec: As ``load_dataset`` takes it.
        data_dir: Folder of prepared TFDS datasets, or None for the one of TFDS.

    Raises:
        UnknownNameError: The kind before the colon is not registered.
        DataError: Its folder is missing, or TFDS does not know its name.
    """
    kind, argument = _kind_and_argument(spec)
    if kind in FINDERS.names():
        FINDERS.get(kind)(LoadRequest(argument, data_dir))


def _kind_and_argument(spec: str) -> tuple[str, str]:
    kind, colon, argument = spec.partition(":")
    if kind in LOADERS.names():
        return kind, argument
    if colon:
        raise UnknownNameError(
            f"unknown kind of dataset {kind!r} in {spec!r}; known: {', '.join(LOADERS.names())}"
        )
    return "tfds", spec
