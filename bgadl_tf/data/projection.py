"""Features standardised, and reduced to their principal components."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import ConfigError, DataError
from bgadl_tf.core.types import Floats, Rows, Shape
from bgadl_tf.data.source import VECTOR_TYPE, ExampleSource, StoredExamples

if TYPE_CHECKING:
    from bgadl_tf.data.dataset import Dataset
    from bgadl_tf.data.example_set import ExampleSet

CHUNK_VALUES = 2**22
"""Components of vectors that are read in one piece while fitting."""

IN_MEMORY = 2**30
"""Bytes of projected vectors that are kept; more are projected whenever they are read."""

WIDEST = 4096
"""Components up to which the covariance is taken; beyond, IncrementalPCA approximates."""

BLOCK = 256
"""Vectors in one product. It is summed in float64: a sum in float32 depends, in the last bit, on
which vectors a vector is read with, as the kernels of matrix products differ at the edges."""


class Projection(NamedTuple):
    """x -> (x - m) W, fitted on a pool without looking at labels.

    Fields:
        mean: m, ``[F]`` float32.
        weights: W, ``[F, P]`` float32; or, where vectors are scaled and not turned, its diagonal
            ``[F]``.
    """

    mean: Floats
    weights: Floats

    @classmethod
    def fit(
        cls, vectors: ExampleSource, components: int | None = None, standard: bool = True
    ) -> Self:
        """Mean 0 and standard deviation 1; and perhaps the first principal components of that.

        A component that is the same in all vectors becomes 0. Principal components keep their
        ratios: one number scales all of them, so that their mean variance is 1.

        Args:
            vectors: ``[N, F]``, read chunk by chunk.
            components: P; None for F, without turning them.
            standard: Whether every component is standardised before.

        Raises:
            ConfigError: There are fewer than ``components`` vectors or components.
            DataError: A vector is not finite.
        """
        from sklearn.preprocessing import StandardScaler  # slow, and few need it

        count, width = vectors.shape
        check_components(components, count, (width,))
        scaler = StandardScaler()
        for chunk in _chunks(vectors):
            scaler.partial_fit(chunk)
        # Of a component that is everywhere the same scikit-learn would pass on the difference.
        constant = scaler.var_ <= (count * np.finfo(np.float64).eps * scaler.mean_) ** 2
        scale = np.where(constant, 0.0, 1.0 / scaler.scale_) if standard else np.ones(width)
        if components is None:
            mean = scaler.mean_ if standard else np.zeros(width)
            return cls(mean.astype(np.float32), scale.astype(np.float32))
        centred = ((chunk - scaler.mean_) * scale for chunk in _chunks(vectors))
        axes, variances = _principal(centred, count, width, components)
        spread = np.sqrt(variances.mean())
        weights = scale[:, None] * axes / (spread or 1.0)
        return cls(scaler.mean_.astype(np.float32), weights.astype(np.float32))

    @property
    def width(self) -> int:
        """P."""
        return int(self.weights.shape[-1])

    def __call__(self, vectors: NDArray[Any]) -> Floats:
        """Projected vectors ``[..., P]`` float32 of ``[..., F]``."""
        flat = vectors.reshape(-1, vectors.shape[-1])
        projected = np.empty((len(flat), self.width), np.float32)
        if self.weights.ndim == 1:
            np.subtract(flat, self.mean, out=projected)
            projected *= self.weights
        else:
            weights = self.weights.astype(np.float64)
            for start in range(0, len(flat), BLOCK):
                centred = flat[start : start + BLOCK] - self.mean.astype(np.float64)
                projected[start : start + BLOCK] = centred @ weights
        return projected.reshape(*vectors.shape[:-1], self.width)

    def of(self, dataset: Dataset) -> Dataset:
        """A dataset with projected vectors, views included, under the contents it had.

        Raises:
            DataError: It holds images, vectors of another width, or projected ones already.
        """
        if dataset.projection is not None:
            raise DataError(f"vectors of {dataset.name!r} are projected already")
        if dataset.shape != self.mean.shape:
            raise DataError(
                f"examples of {dataset.name!r} have shape {dataset.shape}; this projection takes "
                f"vectors of shape {self.mean.shape}"
            )
        return dataclasses.replace(
            dataset,
            train=self._of_set(dataset.train),
            test=self._of_set(dataset.test),
            projection=self,
            left_out=None,
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """For a journal."""
        return self._asdict()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of ``to_arrays``."""
        return cls(*(np.asarray(arrays[name], np.float32) for name in cls._fields))

    def _of_set(self, examples: ExampleSet) -> ExampleSet:
        return dataclasses.replace(
            examples,
            examples=self._of_source(examples.examples),
            contents=examples.known_by,
            views=None if examples.views is None else self._of_source(examples.views),
        )

    def _of_source(self, source: ExampleSource) -> ExampleSource:
        projected = _Projected(source, self)
        size = int(np.prod(projected.shape, dtype=np.int64)) * VECTOR_TYPE.itemsize
        return projected[:] if size <= IN_MEMORY else projected


class _Projected(StoredExamples):
    """Vectors that are projected when they are read."""

    def __init__(self, source: ExampleSource, projection: Projection) -> None:
        super().__init__((*source.shape[:-1], projection.width), VECTOR_TYPE)
        self._source, self._projection = source, projection

    def read(self, rows: Rows) -> Floats:
        projected = np.empty((len(rows), *self.shape[1:]), np.float32)
        size = _rows_of_a_chunk(self._source)
        for start in range(0, len(rows), size):
            piece = slice(start, start + size)
            projected[piece] = self._projection(self._source[rows[piece]])
        return projected


def check_components(components: int | None, count: int, shape: Shape) -> None:
    """Refuse to look for more principal components than there can be.

    Args:
        components: P; None for all.
        count: Vectors of the training set.
        shape: Of one vector.

    Raises:
        ConfigError: The message says how many there can be.
    """
    most = min(count, *shape)
    if components is not None and not 0 < components <= most:
        raise ConfigError(
            f"--components is {components}, but the training set has {count} vectors of "
            f"{shape[0]} components; expected 1 to {most}"
        )


def _principal(
    chunks: Iterator[NDArray[np.float64]], count: int, width: int, components: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Axes ``[F, P]``, by falling variance, and the variances ``[P]`` of centred vectors."""
    if width > WIDEST:
        from sklearn.decomposition import IncrementalPCA

        pca = IncrementalPCA(components)
        held: list[NDArray[np.float64]] = []
        for chunk in chunks:  # a piece must hold as many vectors as there are components
            held.append(chunk)
            if sum(map(len, held)) >= components:
                pca.partial_fit(np.concatenate(held))
                held = []
        axes, variances = pca.components_.T, pca.explained_variance_ * (1 - 1 / count)
    else:
        import scipy.linalg

        covariance = np.zeros((width, width))
        for chunk in chunks:
            covariance += chunk.T @ chunk
        last = width - components, width - 1
        variances, axes = scipy.linalg.eigh(covariance / count, subset_by_index=last)
        variances, axes = np.maximum(variances[::-1], 0.0), axes[:, ::-1]
    # An axis has no direction of its own: its largest entry is to be positive.
    largest = np.abs(axes).argmax(axis=0)
    return axes * np.sign(axes[largest, np.arange(components)]), variances


def _chunks(vectors: ExampleSource) -> Iterator[NDArray[np.float64]]:
    size = _rows_of_a_chunk(vectors)
    for start in range(0, len(vectors), size):
        chunk = vectors[start : start + size].astype(np.float64)
        if not np.isfinite(chunk).all():
            row = start + int(np.flatnonzero(~np.isfinite(chunk).all(axis=1))[0])
            raise DataError(f"vector {row} is not finite; mend it, or leave it out")
        yield chunk


def _rows_of_a_chunk(vectors: ExampleSource) -> int:
    return max(1, CHUNK_VALUES // int(np.prod(vectors.shape[1:], dtype=np.int64)))
