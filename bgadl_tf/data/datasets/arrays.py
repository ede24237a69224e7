"""``arrays:FOLDER``: arrays that NumPy saved, mapped into memory; images are read when needed.

::

    FOLDER/train_images.npy    uint8 [N, H, W] or [N, H, W, D]
    FOLDER/train_labels.npy    integers [N], -1 where unknown; if absent, all are
    FOLDER/train_ids.txt       one a line; if absent, ids are train-0, train-1, …, zero-padded
    FOLDER/test_images.npy     if these are absent, a fifth of every class is held out by a
    FOLDER/test_labels.npy     seeded draw
    FOLDER/classes.txt         names, one a line; if absent, they are 0, 1, …
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED, Id, Images, Labels
from bgadl_tf.data import split
from bgadl_tf.data.dataset import LOADERS, Dataset, ExampleSet
from bgadl_tf.data.images.resized import Resized


@LOADERS.register("arrays")
def load(
    argument: str,
    *,
    data_dir: str | None,
    image_size: int | None,
    seed: int,
    stream: bool = False,
) -> Dataset:
    """Opens a folder of arrays.

    Args:
        argument: The folder.
        data_dir: Not used.
        image_size: Resize images to this many pixels a side as they are read, or None.
        seed: Root seed; decides which images are held out where there are no test images.
        stream: Not used: training images stay on disk in any case.

    Returns:
        The dataset; its test images are in memory.

    Raises:
        DataError: The folder or a file is missing or malformed, or files do not fit together.
    """
    root, name = _existing(argument), f"arrays:{argument}"
    train = _part(root, "train", image_size)
    if (root / "test_images.npy").exists():
        if not (root / "test_labels.npy").exists():
            raise DataError(f"{root} has test_images.npy but no test_labels.npy; add or remove one")
        test = _part(root, "test", image_size)
        return Dataset(name, train, test.in_memory(), _class_names(root, train, test))
    if (root / "test_labels.npy").exists():
        raise DataError(f"{root} has test_labels.npy but no test_images.npy; add or remove one")
    class_names = _class_names(root, train)
    quotas = split.fraction_quotas(train.labels, len(class_names))
    if not any(quotas.values()):
        raise DataError(
            f"{root} has no test_images.npy, and no class has 2 images with a label in "
            "train_labels.npy, one of which could be held out; add one or the other"
        )
    return Dataset(name, *split.hold_out(train, quotas, class_names, seed), class_names)


def _existing(argument: str) -> Path:
    if not argument:
        raise DataError("dataset 'arrays' needs a path: --dataset arrays:FOLDER")
    root = Path(argument).expanduser()
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise DataError(f"{root} {what}; expected a folder with train_images.npy")
    return root


def _part(root: Path, part: str, image_size: int | None) -> ExampleSet:
    images = _images(root / f"{part}_images.npy")
    labels, ids = root / f"{part}_labels.npy", root / f"{part}_ids.txt"
    width = len(str(len(images) - 1))
    return ExampleSet(
        _ids(ids, len(images))
        if ids.exists()
        else tuple(f"{part}-{row:0{width}}" for row in range(len(images))),
        images if image_size is None else Resized(images, image_size),
        _labels(labels, len(images))
        if labels.exists()
        else np.full(len(images), UNLABELLED, np.int32),
    )


def _images(path: Path) -> Images:
    images = _mapped(path)
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise DataError(
            f"{path} holds {images.dtype} {list(images.shape)}; expected uint8 [N, H, W] or "
            "[N, H, W, D]"
        )
    if not len(images):
        raise DataError(f"{path} holds no image")
    if not images.flags.c_contiguous:
        raise DataError(
            f"{path} is in Fortran order, in which an image is spread over the whole file; save it "
            "with numpy.save(path, numpy.ascontiguousarray(images))"
        )
    return images if images.ndim == 4 else images[..., np.newaxis]


def _labels(path: Path, count: int) -> Labels:
    labels = _mapped(path)
    if not np.issubdtype(labels.dtype, np.integer) or labels.shape != (count,):
        raise DataError(
            f"{path} holds {labels.dtype} {list(labels.shape)}; expected integers [{count}], one "
            "an image"
        )
    if labels.min() < UNLABELLED or labels.max() > np.iinfo(np.int32).max:
        raise DataError(
            f"labels in {path} go from {labels.min()} to {labels.max()}; expected class indices "
            f"from 0, or {UNLABELLED} where unknown"
        )
    return labels.astype(np.int32)


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
    if (root / "classes.txt").exists():
        names = _lines(root / "classes.txt")
        if len(set(names)) < len(names):
            raise DataError(f"{root / 'classes.txt'} has a name twice; class names must be unique")
        return names
    classes = 1 + max(int(part.labels.max()) for part in parts)
    labelled = sum(int((part.labels != UNLABELLED).sum()) for part in parts)
    if classes > labelled:
        raise DataError(
            f"the largest label in {root} is {classes - 1}, but only {labelled} images have one; "
            "number classes from 0, or name all of them in classes.txt"
        )
    return tuple(str(label) for label in range(classes))


def _ids(path: Path, count: int) -> tuple[Id, ...]:
    ids = _lines(path)
    if len(ids) != count:
        raise DataError(f"{path} has {len(ids)} lines; expected {count}, one an image")
    return ids


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
