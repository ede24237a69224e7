"""A source whose images change size when they are read."""

from __future__ import annotations

from bgadl_tf.core.types import Images, Rows
from bgadl_tf.data.images import resize
from bgadl_tf.data.source import ExampleSource, StoredExamples


class Resized(StoredExamples):
    """Images of another source, resized whenever they are indexed.

    Args:
        source: The images as they are.
        size: Pixels a side of the result.
        mode: How, of ``resize.MODES``.
    """

    def __init__(self, source: ExampleSource, size: int, mode: str = "stretch") -> None:
        count, _, _, channels = source.shape
        super().__init__((count, size, size, channels))
        self._source, self._size, self._mode = source, size, mode

    def read(self, rows: Rows) -> Images:
        return resize.resize(self._source[rows], self._size, self._mode)
