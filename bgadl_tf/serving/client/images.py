"""Images on their way to a server: as bytes of their files, in requests of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Images

T = TypeVar("T")


def batches(
    items: Iterable[T], size: Callable[[T], int], *, count: int, bytes_: int
) -> Iterator[list[T]]:
    """Cuts a stream into requests, lazily and in order.

    Args:
        items: The stream.
        size: Bytes of an item.
        count: Most items of a batch.
        bytes_: Most bytes of a batch; an item that is larger makes a batch of its own.
    """
    batch: list[T] = []
    total = 0
    for item in items:
        length = size(item)
        if batch and (len(batch) >= count or total + length > bytes_):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += length
    if batch:
        yield batch


def strings(values: Sequence[bytes] | Sequence[str]) -> NDArray[Any]:
    """An array of strings, object [N]; NumPy's own string type would cut off trailing zeros."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def is_images(images: Images | Sequence[bytes]) -> bool:
    """Whether these are pixels, not files; checks them.

    Raises:
        DataError: Pixels of another type or shape than uint8 [N, H, W, D].
    """
    if not isinstance(images, np.ndarray) or images.dtype == object:
        return False
    if images.dtype != np.uint8 or images.ndim != 4:
        raise DataError(
            f"images are {images.dtype} {list(images.shape)}; expected uint8 [N, H, W, D], or the "
            "bytes of image files"
        )
    return True
