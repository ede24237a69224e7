"""``TensorProto`` to array and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from bgadl_tf.serving.server.data_types import spelled
from bgadl_tf.serving.server.savedmodel import Array, as_array
from bgadl_tf.serving.server.status import invalid_argument

LARGEST_CLAIM = 256 * 2**20
"""Bytes at most of a tensor whose message has fewer values than its shape, the last repeated; a
message of a few bytes can claim to be any size."""

_TYPED: dict[str, tuple[str, Any]] = {
    "float32": ("float_val", None), "float64": ("double_val", None), "int8": ("int_val", None),
    "int16": ("int_val", None), "int32": ("int_val", None), "uint8": ("int_val", None),
    "uint16": ("int_val", None), "int64": ("int64_val", None), "uint32": ("uint32_val", None),
    "uint64": ("uint64_val", None), "bool": ("bool_val", None), "object": ("string_val", None),
    "float16": ("half_val", np.uint16), "bfloat16": ("half_val", np.uint16),
    "complex64": ("scomplex_val", np.float32), "complex128": ("dcomplex_val", np.float64),
}  # fmt: skip
"""Name of a type -> field of its values, and the type they are written as."""


def to_array(proto: tensor_pb2.TensorProto) -> Array:
    """The array of a tensor, as TensorFlow's C++ reads it; strings as ``bytes`` objects.

    Raises:
        StatusError: It is malformed, of no shape or of a type that no array has.
    """
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in sizes):
        raise invalid_argument("its shape is not fully known")
    try:
        dtype = tf.as_dtype(proto.dtype)
        kind = np.dtype(dtype.as_numpy_dtype)
    except (TypeError, KeyError):
        kind = None
    # Strings alone are objects: a handle of a resource must not be had from a message.
    if kind is None or kind.name not in _TYPED or (kind.hasobject and dtype != tf.string):
        raise invalid_argument(f"its type is {spelled(proto.dtype)}, which no array has")
    count = math.prod(sizes)
    # A value takes at least a byte of the message, unless it repeats the last.
    if count > proto.ByteSize() and count * kind.itemsize > LARGEST_CLAIM:
        raise invalid_argument(
            f"it claims {count} values in {proto.ByteSize()} bytes; at most {LARGEST_CLAIM} bytes "
            "can be claimed like that"
        )
    try:
        return as_array(tf.io.parse_tensor(proto.SerializeToString(), dtype).numpy())
    except tf.errors.OpError:
        raise invalid_argument(
            f"its content is not {spelled(dtype)} of shape {sizes[:64]}"
        ) from None


def from_array(array: Array, as_content: bool) -> tensor_pb2.TensorProto:
    """The tensor of an array.

    Args:
        array: Any numeric array, or ``bytes`` objects.
        as_content: Numbers as ``tensor_content`` and not as typed values.
    """
    proto = tensor_pb2.TensorProto(dtype=tf.as_dtype(array.dtype).as_datatype_enum)
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    field, written_as = _TYPED.get(array.dtype.name, ("", None))
    if not field or (as_content and array.dtype != object):
        proto.tensor_content = array.tobytes()
    else:
        flat = array.ravel()
        values = flat if written_as is None else flat.view(written_as)
        getattr(proto, field).extend(values.tolist())
    return proto
