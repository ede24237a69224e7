"""Features standardised, and reduced to their principal components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.types import Floats
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.source import ExampleSource


class Projection(NamedTuple):
    """x -> x W + b, fitted on a pool without looking at labels.

    Fields:
        weights: ``[F, P]`` float32.
        bias: ``[P]`` float32.
    """

    weights: Floats
    bias: Floats

    @classmethod
    def fit(
        cls, vectors: ExampleSource, components: int | None = None, standard: bool = True
    ) -> Self:
        """Mean 0 and standard deviation 1; and perhaps the first principal components of that.

        Args:
            vectors: ``[N, F]``, read chunk by chunk.
            components: P; None for F, without turning them.
            standard: Whether every component is standardised before.

        Raises:
            ConfigError: There are fewer than ``components`` vectors or components.
            DataError: A vector is not finite.
        """
        raise NotImplementedError

    def __call__(self, vectors: NDArray[Any]) -> Floats:
        """Projected vectors ``[..., P]`` float32 of ``[..., F]``."""
        raise NotImplementedError

    def of(self, dataset: Dataset) -> Dataset:
        """A dataset with projected vectors, views included, under the contents it had."""
        raise NotImplementedError

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """For a journal."""
        return self._asdict()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of ``to_arrays``."""
        return cls(*(np.asarray(arrays[name], np.float32) for name in cls._fields))
