"""What a run would see of a dataset, without starting one."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.intake import SHOWN
from bgadl_tf.data.load import load_dataset
from bgadl_tf.data.source import is_in_memory, kind
from bgadl_tf.runs import duplicates

ANY_SIZE = 32
"""Pixels a side at which images of different sizes are looked at."""

CHUNK = 256
"""Examples that are read in one piece."""


class Checked(NamedTuple):
    """What there is to say about a dataset.

    Attributes:
        lines: What was found.
        refusal: Why a run cannot start, in one line; None if it can.
    """

    lines: list[str]
    refusal: str | None


def check(dataset: str, *, image_size: int | None, every: bool = False, **settings: Any) -> Checked:
    """Reads all of a dataset, a piece at a time where its examples stay in their files.

    Args:
        dataset: As after ``--dataset``.
        image_size: As after ``--image-size``.
        every: Name everything, not the first few of each kind.
        settings: Further arguments of ``load_dataset``.

    Raises:
        ConfigError: Settings contradict each other, or a name is unknown.
    """
    try:
        loaded = load_dataset(dataset, image_size=image_size, tell=False, **settings)
    except DataError as error:
        refusal = str(error)
        found: list[str] = getattr(error, "__notes__", [])
        if image_size is not None:
            return Checked(found, refusal)
        try:
            loaded = load_dataset(dataset, image_size=ANY_SIZE, tell=False, **settings)
        except DataError:
            return Checked(found, refusal)
        # What was in the way was only that nobody said how to make the sizes one.
        return Checked(_describe(loaded, every, resized=False), refusal)
    lines = describe(loaded, every=every)
    try:
        read_all(loaded.train)
    except DataError as error:
        return Checked(lines, str(error))
    return Checked(lines, None)


def describe(dataset: Dataset, *, every: bool = False) -> list[str]:
    """What a dataset is, line by line; reads all of it to find duplicates.

    Args:
        dataset: Any kind.
        every: Name everything, not the first few of each kind.
    """
    return _describe(dataset, every, resized=True)


def _describe(dataset: Dataset, every: bool, resized: bool) -> list[str]:
    intake, train, test = dataset.intake, dataset.train, dataset.test
    what, shown = kind(train.examples), 10**9 if every else SHOWN
    known = int((train.labels != UNLABELLED).sum())
    held_out = f" ({intake.held_out})" if intake.held_out else ""
    lines = [
        f"dataset: {dataset.name}",
        f"to train on: {len(train)} {what}, {known} with a label, {len(train) - known} without"
        + (": a run simulates the answers" if known == len(train) else ""),
        f"held out to test on: {len(test)} {what}{held_out}",
        *intake.facts(),
        *_shape(dataset, resized),
        *_classes(dataset),
        *intake.lines(shown),
    ]
    try:
        found = duplicates.find(dataset)
    except DataError as error:
        return [*lines, f"duplicates: not looked for: {error}"]
    return [*lines, *found.lines(shown)]


def _shape(dataset: Dataset, resized: bool) -> list[str]:
    if len(dataset.shape) == 1:
        return [f"vectors of {dataset.shape[0]} components"]
    height, width, channels = dataset.shape
    told = "grey: 1 channel" if channels == 1 else f"in colour: {channels} channels"
    if not resized:
        return [f"images {told}; their sizes differ, so that a run needs --image-size"]
    return [f"images enter the networks {width}x{height} pixels large, {told}"]


def _classes(dataset: Dataset) -> list[str]:
    def count(part: ExampleSet, label: Label) -> int:
        return int((part.labels == label).sum())

    width = max(len("class"), *map(len, dataset.class_names))
    return [
        f"{dataset.classes} classes:",
        f"  {'class':<{width}}  labelled to train on  to test on",
        *(
            f"  {name:<{width}}  {count(dataset.train, label):20}  {count(dataset.test, label):10}"
            for label, name in enumerate(dataset.class_names)
        ),
    ]


def read_all(examples: ExampleSet) -> None:
    """Reads examples that stay in their files, a piece at a time.

    Raises:
        DataError: One cannot be read.
    """
    if is_in_memory(examples.examples):
        return
    starts = range(0, len(examples), CHUNK)
    for start in tqdm(starts, "reading", file=sys.stderr, disable=None, delay=1):
        examples.examples[np.arange(start, min(start + CHUNK, len(examples)))]
