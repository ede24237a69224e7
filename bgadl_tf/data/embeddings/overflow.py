"""Features that can be stored: finite, also in the type in which they are kept."""

from __future__ import annotations

import numpy as np

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Floats, Id, Rows


def check_storable(features: Floats, rows: Rows, ids: tuple[Id, ...], store: str) -> None:
    """Look at features before they are kept.

    Args:
        features: ``[n, F]`` or ``[n, V, F]``.
        rows: ``[n]`` in ``ids``.
        ids: ``[N]``.
        store: ``float16`` or ``float32``.

    Raises:
        DataError: One is not finite, or will not be.
    """
    with np.errstate(over="ignore"):
        stored = features.astype(store)
    odd = np.argwhere(~np.isfinite(stored))
    if not len(odd):
        return
    value, id_ = features[tuple(odd[0])], ids[rows[odd[0][0]]]
    if np.isfinite(value):
        raise DataError(
            f"the backbone gives a feature of {value:g} for image {id_!r}, more than {store} "
            "holds; give --store float32"
        )
    raise DataError(
        f"the backbone gives a feature of {value} for image {id_!r}; expected finite numbers: is "
        "it another pixel range that it expects (--pixel-range)?"
    )
