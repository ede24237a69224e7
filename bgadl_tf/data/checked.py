"""Arrays from outside, checked and brought into the forms that the package works with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED, Id, Labels

FORMS = {
    "images": "uint8 [N, H, W] or [N, H, W, D]",
    "vectors": "float16, float32 or float64 [N, F]",
}
"""What can be given, by what messages call it."""


def as_examples(array: NDArray[Any], what: str, *kinds: str) -> NDArray[Any]:
    """Images with an axis of channels, or vectors of the type they have; nothing is copied.

    Args:
        array: See ``FORMS``.
        what: Where they are from, for messages.
        kinds: Of ``FORMS``, which of them can be used.

    Raises:
        DataError: The array is something else, or empty.
    """
    if _kind(array) not in kinds:
        expected = " or ".join(f"{kind}, {FORMS[kind]}" for kind in kinds)
        hint = "; pass pixels as uint8 from 0 to 255" if array.ndim in (3, 4) else ""
        raise DataError(f"{what} holds {_described(array)}; expected {expected}{hint}")
    if not array.size:
        raise DataError(f"{what} is empty: {_described(array)}; expected at least one example")
    return array[..., np.newaxis] if array.ndim == 3 else array


def _kind(array: NDArray[Any]) -> str | None:
    if array.dtype == np.uint8 and array.ndim in (3, 4):
        return "images"
    if array.dtype.kind == "f" and array.dtype.itemsize <= 8 and array.ndim == 2:
        return "vectors"
    return None


def as_labels(array: NDArray[Any], what: str, count: int, one: str) -> Labels:
    """Labels as int32.

    Args:
        array: ``[count]`` of any type of integers.
        what: Where they are from, for messages.
        count: N.
        one: What has a label: image or vector.

    Raises:
        DataError: They are no integers, too many or too few, or out of range.
    """
    if not np.issubdtype(array.dtype, np.integer) or array.shape != (count,):
        raise DataError(
            f"{what} holds {_described(array)}; expected integers [{count}], one for each {one}"
        )
    if array.min() < UNLABELLED or array.max() > np.iinfo(np.int32).max:
        raise DataError(
            f"labels in {what} go from {array.min()} to {array.max()}; expected class indices "
            f"from 0, or {UNLABELLED} where unknown"
        )
    return array.astype(np.int32)


def no_labels(count: int) -> Labels:
    """Labels of examples of which nobody knows any."""
    return np.full(count, UNLABELLED, np.int32)


def as_ids(ids: Sequence[Any], what: str, count: int, one: str) -> tuple[Id, ...]:
    """Ids as they are; arguments and errors as for ``as_labels``."""
    if len(ids) != count:
        raise DataError(f"{what} has {len(ids)} ids; expected {count}, one for each {one}")
    if odd := [id_ for id_ in ids if not isinstance(id_, str)]:
        raise DataError(f"{what} has the id {odd[0]!r}; expected strings, e.g. '{odd[0]}'")
    return tuple(ids)


def numbered_ids(part: str, count: int) -> tuple[Id, ...]:
    """``train-00``, ``train-01``, …: all of one length, so that they sort as they are numbered."""
    width = len(str(count - 1))
    return tuple(f"{part}-{row:0{width}}" for row in range(count))


def as_names(names: Sequence[str], what: str) -> tuple[str, ...]:
    """Class names as they are.

    Raises:
        DataError: One occurs twice.
    """
    if len(set(names)) < len(names):
        raise DataError(f"{what} has a name twice; class names must be unique")
    return tuple(names)


def numbered_names(labels: Sequence[Labels], what: str, where: str) -> tuple[str, ...]:
    """``0``, ``1``, … up to the largest label.

    Args:
        labels: Of every split.
        what: Where they are from, for messages.
        where: Where names can be given instead.

    Raises:
        DataError: There would be more classes than labels, so that numbers were left out.
    """
    classes = 1 + max(int(part.max()) for part in labels)
    labelled = sum(int((part != UNLABELLED).sum()) for part in labels)
    if classes > labelled:
        raise DataError(
            f"the largest label in {what} is {classes - 1}, but only {labelled} examples have one; "
            f"number classes from 0, or name all of them in {where}"
        )
    return tuple(str(label) for label in range(classes))


def _described(array: NDArray[Any]) -> str:
    return f"{array.dtype} {list(array.shape)}"
