"""Names of types as TensorFlow's own messages have them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_SPELLED = {"float32": "float", "float64": "double", "float16": "half"}


def spelled(dtype: Any) -> str:
    """``float`` of ``DT_FLOAT``, ``tf.float32`` or ``np.float32``; what ``DataTypeString`` says."""
    try:
        name = str(tf.as_dtype(dtype).name)
    except TypeError:
        return f"unknown dtype enum ({dtype})"
    return _SPELLED.get(name, name)
