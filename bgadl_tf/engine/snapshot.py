"""Weights that rounds begin from: drawn, pre-trained or self-supervised alike.

The states of the seed generators of Keras' own Dropout layers belong to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from bgadl_tf.learners.growing import overlaid


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

    def restore(
        self,
        networks: Mapping[str, keras.Model],
        names: Iterable[str],
        *,
        grown: bool = False,
        fill: float | None = None,
    ) -> None:
        """Give the named networks their weights back.

        Args:
            networks: By name.
            names: Which of them.
            grown: Whether they may know more classes than those that the snapshot is of; weights
                that are new in them stay as they are.
            fill: Instead, the value of weights that are new.

        Raises:
            ValueError: The snapshot is of networks of another shape.
        """
        for name in names:
            variables = networks[name].variables
            for number, weight in enumerate(variables):
                value = self.arrays.get(f"{name}/{number}")
                shape = tuple(weight.shape)
                if value is None or (value.shape != shape and not grown):
                    raise ValueError(
                        f"weight {number} of network {name!r} has shape {shape}, kept is "
                        f"{None if value is None else value.shape}"
                    )
                if value.shape != shape:
                    base = np.asarray(weight.numpy()) if fill is None else np.full(shape, fill)
                    value = overlaid(value, base.astype(value.dtype))
                weight.assign(value)
            if f"{name}/{len(variables)}" in self.arrays:
                raise ValueError(f"network {name!r} has {len(variables)} weights, kept are more")
