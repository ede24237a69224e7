from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from bgadl_tf.serving.server import tensor_protos
from bgadl_tf.serving.server.status import StatusError

KINDS = ["float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8",
         "uint16", "uint32", "uint64", "bool", "complex64", "complex128", "string"]  # fmt: skip


def some(kind: str, shape: tuple[int, ...]) -> np.ndarray:
    if kind == "string":
        array = np.empty(shape, object)
        array.ravel()[:] = [b"\0" * index + b"\xff" for index in range(array.size)]
        return array
    return np.arange(np.prod(shape)).reshape(shape).astype(tf.as_dtype(kind).as_numpy_dtype)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0), (2, 3, 1)], ids=str)
def test_round_trip(kind: str, shape: tuple[int, ...]) -> None:
    array = some(kind, shape)
    for as_content in (False, True):
        proto = tensor_protos.from_array(array, as_content)
        for read in (tensor_protos.to_array(proto), tf.make_ndarray(proto)):
            assert (read.dtype, read.shape) == (array.dtype, array.shape)
            assert read.tolist() == array.tolist()
        content = as_content and kind != "string" and array.size > 0
        assert bool(proto.tensor_content) == content
    assert tensor_protos.to_array(tf.make_tensor_proto(array)).tolist() == array.tolist()


def proto(kind: str, *sizes: int, **values: Any) -> tensor_pb2.TensorProto:
    made = tensor_pb2.TensorProto(dtype=tf.as_dtype(kind).as_datatype_enum, **values)
    for size in sizes:
        made.tensor_shape.dim.add(size=size)
    return made


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (proto("float32", 3, float_val=[1, 2]), [1, 2, 2]),  # the last is repeated
        (proto("float32", 2), [0, 0]),
        (proto("float32", 2, float_val=[1, 2, 3]), [1, 2]),
        (proto("string", 2), [b"", b""]),
        (proto("string", 2, string_val=[b"a"]), [b"a", b"a"]),
        (proto("string", 2, tensor_content=b"\x01\x02abb"), [b"a", b"bb"]),
        (proto("string", 1, tensor_content=b"\x80\x01" + b"x" * 128), [b"x" * 128]),
        (proto("complex64", 1, scomplex_val=[1, 2]), [1 + 2j]),
        (proto("bfloat16", 1, half_val=[0x3FC0]), [1.5]),
        (proto("uint8", 1, int_val=[300]), [44]),  # wrapped
    ],
    ids=repr,
)
def test_values_as_tensorflow_reads_them(given: tensor_pb2.TensorProto, expected: Any) -> None:
    assert tensor_protos.to_array(given).tolist() == expected


def test_a_tensor_can_be_written_to() -> None:
    tensor_protos.to_array(tf.make_tensor_proto([1.0, 2.0]))[0] = 3


@pytest.mark.parametrize(
    "given",
    [
        proto("float32", 2**40),
        proto("float32", 2**40, float_val=[1]),
        proto("string", 2**30, tensor_content=b"\x01a"),
        proto("float32", -1, float_val=[1]),
        proto("string", 1, tensor_content=b"\xff"),
        proto("float32", *[1] * 100, float_val=[1]),
        proto("float32", *[1] * 300, float_val=[1]),
        tensor_pb2.TensorProto(dtype=999),
        tensor_pb2.TensorProto(dtype=types_pb2.DT_RESOURCE),
    ],
    ids=repr,
)
def test_what_is_no_tensor(given: tensor_pb2.TensorProto) -> None:
    with pytest.raises(StatusError) as caught:
        tensor_protos.to_array(given)
    assert caught.value.code.name == "INVALID_ARGUMENT"
