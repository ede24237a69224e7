"""Folders of arrays that NumPy saved, whatever the examples are.

::

    FOLDER/train_STEM.npy      examples [N, …], mapped into memory and read when they are needed
    FOLDER/train_labels.npy    integers [N], -1 where unknown; if absent, all are
    FOLDER/train_ids.txt       one a line; if absent, ids are train-0, train-1, …, zero-padded
    FOLDER/test_STEM.npy       if these are absent, a fifth of every class is held out by a
    FOLDER/test_labels.npy     seeded draw
    FOLDER/test_ids.txt        as for training
    FOLDER/classes.txt         names, one a line; if absent, they are 0, 1, …
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Id
from bgadl_tf.data import checked, split
from bgadl_tf.data.dataset import Dataset, ExampleSet
from bgadl_tf.data.loader import LoadRequest
from bgadl_tf.data.source import ExampleSource


class Form(NamedTuple):
    """What tells one kind of such folders from another.

    Attributes:
        dataset: Name before the colon of ``--dataset``.
        stem: Of the files with examples.
        kind: Of examples: ``images`` or ``vectors``.
        source: The examples of an array ``[N, …]`` with these ids.
    """

    dataset: str
    stem: str
    kind: str
    source: Callable[[NDArray[Any], Sequence[Id]], ExampleSource]


def open_folder(form: Form, request: LoadRequest) -> Dataset:
    """Opens the folder that ``request.argument`` names.

    Returns:
        The dataset; its test examples are in memory, the others in their file.

    Raises:
        DataError: The folder or a file is missing or malformed, or files do not fit together.
    """
    root, name = _existing(form, request.argument), f"{form.dataset}:{request.argument}"
    train = _part(form, root, "train")
    test_examples, test_labels = root / f"test_{form.stem}.npy", root / "test_labels.npy"
    for here, gone in ((test_examples, test_labels), (test_labels, test_examples)):
        if here.exists() and not gone.exists():
            raise DataError(f"{root} has {here.name} but no {gone.name}; add or remove one")
    if test_examples.exists():
        test = _part(form, root, "test")
        return Dataset(name, train, test.in_memory(), _class_names(root, train, test))
    class_names = _class_names(root, train)
    quotas = split.fraction_quotas(train.labels, len(class_names))
    if not any(quotas.values()):
        raise DataError(
            f"{root} has no {test_examples.name}, and no class has 2 {form.kind} with a label in "
            "train_labels.npy, one of which could be held out; add one or the other"
        )
    return Dataset(name, *split.hold_out(train, quotas, class_names, request.seed), class_names)


def _existing(form: Form, argument: str) -> Path:
    if not argument:
        raise DataError(f"dataset {form.dataset!r} needs a path: --dataset {form.dataset}:FOLDER")
    root = Path(argument).expanduser()
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise DataError(f"{root} {what}; expected a folder with train_{form.stem}.npy")
    return root


def _part(form: Form, root: Path, part: str) -> ExampleSet:
    path = root / f"{part}_{form.stem}.npy"
    array = checked.as_examples(_mapped(path), str(path), form.kind)
    count, one = len(array), form.kind.removesuffix("s")
    if not array.flags.c_contiguous:
        raise DataError(
            f"{path} is in Fortran order, in which one {one} is spread over the whole file; save "
            "it with numpy.save(path, numpy.ascontiguousarray(array))"
        )
    labels, ids = root / f"{part}_labels.npy", root / f"{part}_ids.txt"
    names = (
        checked.as_ids(_lines(ids), str(ids), count, one)
        if ids.exists()
        else checked.numbered_ids(part, count)
    )
    known = (
        checked.as_labels(_mapped(labels), str(labels), count, one)
        if labels.exists()
        else checked.no_labels(count)
    )
    return ExampleSet(names, form.source(array, names), known)


def _mapped(path: Path) -> NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; expected an array that numpy.save wrote") from None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"cannot read {path}: {error}; expected an array that numpy.save wrote"
        ) from error
    if not isinstance(array, np.ndarray):
        raise DataError(f"{path} holds several arrays; expected one that numpy.save wrote")
    return array


def _class_names(root: Path, *parts: ExampleSet) -> tuple[str, ...]:
    path = root / "classes.txt"
    if path.exists():
        return checked.as_names(_lines(path), str(path))
    return checked.numbered_names([part.labels for part in parts], str(root), path.name)


def _lines(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    if not lines[-1]:
        lines.pop()
    if blank := [number for number, line in enumerate(lines, 1) if not line.strip()]:
        raise DataError(f"line {blank[0]} of {path} is blank; remove it or fill it in")
    return tuple(lines)
