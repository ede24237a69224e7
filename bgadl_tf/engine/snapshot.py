"""Weights that rounds begin from: drawn, pre-trained or self-supervised alike.

The states of the seed generators of Keras' own Dropout layers belong to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


class Snapshot:
    """Copies of networks' weights, to which they go back in place.

    Args:
        arrays: By ``NETWORK/NUMBER``, the number counting the network's weights.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.arrays = dict(arrays)

    @classmethod
    def take(cls, networks: Mapping[str, keras.Model], names: Iterable[str]) -> Snapshot:
        """The weights of the named networks as they are."""
        return cls({
            f"{name}/{number}": np.asarray(weight.numpy())
            for name in names
            for number, weight in enumerate(networks[name].variables)
        })  # fmt: skip

    def restore(self, networks: Mapping[str, keras.Model], names: Iterable[str]) -> None:
        """Give the named networks their weights back.

        Raises:
            ValueError: The snapshot is of networks of another shape.
        """
        for name in names:
            for number, weight in enumerate(networks[name].variables):
                value = self.arrays.get(f"{name}/{number}")
                if value is None or value.shape != tuple(weight.shape):
                    raise ValueError(
                        f"weight {number} of network {name!r} has shape {tuple(weight.shape)}, "
                        f"kept is {None if value is None else value.shape}"
                    )
                weight.assign(value)
