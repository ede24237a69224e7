"""Folders of arrays that NumPy saved, whatever the examples are.

::

    FOLDER/train_STEM.npy      examples [N, …], mapped into memory and read when they are needed
    FOLDER/train_labels.npy    integers [N], -1 where unknown; if absent, all are
    FOLDER/train_ids.txt       one a line; if absent, ids are train-0, train-1, …, zero-padded
    FOLDER/test_STEM.npy       if these are absent, a fifth of every class is held out by a
    FOLDER/test_labels.npy     seeded draw
    FOLDER/test_ids.txt        as for training
    FOLDER/val_STEM.npy, …     held out where there is no test_STEM.npy; else left out
    FOLDER/pool_STEM.npy       further examples without a label
    FOLDER/classes.txt         names, one a line; if absent, they are the labels, in order
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED, Id, Labels
from bgadl_tf.data import checked, split
from bgadl_tf.data.contents import RowContents
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet, join_sets
from bgadl_tf.data.intake import Intake, counted
from bgadl_tf.data.loader import LoadRequest
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.data.split_names import Role, role_of


class Form(NamedTuple):
    """What tells one kind of such folders from another.

    Attributes:
        dataset: Name before the colon of ``--dataset``.
        stem: Of the files with examples.
        kind: Of examples: ``images`` or ``vectors``.
        source: The examples of an array ``[N, …]`` with these ids.
        beside: Names of further files, which are read elsewhere.
    """

    dataset: str
    stem: str
    kind: str
    source: Callable[[NDArray[Any], Sequence[Id]], ExampleSource]
    beside: tuple[str, ...] = ()


def open_folder(form: Form, request: LoadRequest) -> Dataset:
    """Opens the folder that ``request.argument`` names.

    Returns:
        The dataset; its test examples are in memory, the others in their file.

    Raises:
        DataError: The folder or a file is missing or malformed, or files do not fit together.
    """
    root = existing(form.dataset, form.stem, request.argument)
    name = f"{form.dataset}:{request.argument}"
    parts, left_out = _listed(form, root)
    notes: list[str] = []
    train = _part(form, root, parts["train"])
    if "unlabelled" in parts:
        pool = _part(form, root, parts["unlabelled"])
        if (root / f"{parts['unlabelled']}_labels.npy").exists():
            left_out[f"{parts['unlabelled']}_labels.npy"] = "labels of a pool, which has none"
        train = join_sets([train, replace(pool, labels=checked.no_labels(len(pool)))])
    held = _held_out(form, root, parts, left_out, notes)
    test = None if held is None else _part(form, root, held)
    found, mapping = _classes(root, train, test)
    if mapping is not None:
        told = ", ".join(found[:9]) + (", …" if len(found) > 9 else "")
        notes.append(f"labels are not 0, 1, …: the {len(found)} classes are called {told}")
        train = replace(train, labels=mapping(train.labels))
        test = test and replace(test, labels=mapping(test.labels))
    names = request.classes(found)
    if len(names) < 2:
        raise DataError(
            f"{root} names {counted(len(names), 'class', 'classes')} "
            f"({', '.join(names) or 'none'}), and a classifier needs at least 2: name them in "
            "classes.txt, add labels of others to train_labels.npy, or give --new-class NAME"
        )
    if test is None:
        train, test, held_out, further = split.draw(
            train, names, request.seed, request.earlier, request.part
        )
        notes += further
    else:
        test, held_out = test.in_memory(), f"all of {held}_{form.stem}.npy"
    intake = Intake(notes=tuple(notes), left_out=left_out, held_out=held_out)
    return Dataset(name, train, test, names, intake)


def _listed(form: Form, root: Path) -> tuple[dict[Role, str], dict[str, str]]:
    """What the files of each split begin with, and which files are of none."""
    parts: dict[Role, str] = {}
    left_out = {}
    for path in sorted(root.iterdir()):
        part, _, rest = path.name.partition("_")
        role = role_of(part)
        if path.name == "classes.txt" or path.name in form.beside:
            continue
        if path.name.startswith("."):
            left_out[path.name] = "hidden"
        elif role is None or rest not in (f"{form.stem}.npy", "labels.npy", "ids.txt"):
            left_out[path.name] = f"not a file that {form.dataset!r} reads"
        elif parts.setdefault(role, part) != part:
            raise DataError(
                f"{root} has {parts[role]}_… and {part}_… files, which are both of the {role} "
                "split; remove or join them"
            )
    return {"train": "train", **parts}, left_out


def _held_out(
    form: Form, root: Path, parts: dict[Role, str], left_out: dict[str, str], notes: list[str]
) -> str | None:
    """What the files of the test set begin with; None where there are none."""
    if "test" not in parts and "validation" not in parts:
        return None
    part = parts.get("test", parts.get("validation", ""))
    needed = (f"{part}_{form.stem}.npy", f"{part}_labels.npy")
    if lacking := [name for name in needed if not (root / name).exists()]:
        there = [path.name for path in sorted(root.glob(f"{part}_*"))]
        raise DataError(f"{root} has {there[-1]} but no {lacking[0]}; add or remove one")
    if part == parts.get("validation"):
        notes.append(f"{part}_{form.stem}.npy is held out for testing, as there is no test")
    elif "validation" in parts:
        for path in sorted(root.glob(f"{parts['validation']}_*")):
            left_out[path.name] = (
                "of a validation set, which beside a test set is used neither to train nor to test"
            )
    return part


def existing(dataset: str, stem: str, argument: str) -> Path:
    """The folder that ``argument`` names.

    Args:
        dataset: Name before the colon of ``--dataset``.
        stem: Of the files with examples.
        argument: What follows the colon.

    Raises:
        DataError: It is missing.
    """
    if not argument:
        raise DataError(f"dataset {dataset!r} needs a path: --dataset {dataset}:FOLDER")
    root = Path(argument).expanduser()
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise DataError(f"{root} {what}; expected a folder with train_{stem}.npy")
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
    contents = RowContents(array, path)
    return ExampleSet(names, form.source(array, names), known, contents)


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


def _classes(
    root: Path, train: ExampleSet, test: ExampleSet | None
) -> tuple[tuple[str, ...], Callable[[Labels], Labels] | None]:
    """Names of the classes, and how labels become their indices where they are not."""
    path = root / "classes.txt"
    if path.exists():
        return checked.as_names(_lines(path), str(path)), None
    values = np.unique(np.concatenate([part.labels for part in (train, test) if part is not None]))
    values = values[values != UNLABELLED]
    names = tuple(str(value) for value in values)
    if values.tolist() == [*range(len(values))]:
        return names, None

    def mapping(labels: Labels) -> Labels:
        indices = np.searchsorted(values, labels).astype(np.int32)
        return np.where(labels == UNLABELLED, np.int32(UNLABELLED), indices)

    return names, mapping


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
