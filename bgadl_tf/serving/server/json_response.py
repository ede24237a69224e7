"""JSON answers: TensorFlow Serving's row and columnar forms, status and metadata."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from bgadl_tf.serving.server.data_types import spelled
from bgadl_tf.serving.server.savedmodel import Array
from bgadl_tf.serving.server.status import invalid_argument

_SUPPORTED = {
    "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "bool",
    "object",
}  # fmt: skip


def predictions(outputs: Mapping[str, Array]) -> bytes:
    """Row form: one element an instance; an object where there are several outputs.

    Raises:
        StatusError: An output has no rows, or another number of rows, or no JSON form.
    """
    count: int | None = None
    for name, array in sorted(outputs.items()):
        if not array.ndim:
            raise invalid_argument(f"Tensor name: {name} has no shape information ")
        if count is not None and len(array) != count:
            raise invalid_argument(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {count}"
            )
        count = len(array)
    if count is None:
        raise invalid_argument("Cannot convert empty tensor map to JSON")
    values = {name: _values(name, array) for name, array in sorted(outputs.items())}
    if len(values) == 1:
        return _dump({"predictions": next(iter(values.values()))})
    rows = zip(*values.values(), strict=True)
    return _dump({"predictions": [dict(zip(values, row, strict=True)) for row in rows]})


def columns(outputs: Mapping[str, Array]) -> bytes:
    """Columnar form: whole tensors; an object where there are several outputs.

    Raises:
        StatusError: An output has no JSON form.
    """
    if not outputs:
        raise invalid_argument("Cannot convert empty tensor map to JSON")
    values = {name: _values(name, array) for name, array in sorted(outputs.items())}
    return _dump({"outputs": next(iter(values.values())) if len(values) == 1 else values})


def status(response: get_model_status_pb2.GetModelStatusResponse) -> bytes:
    """Versions with their states."""
    return _dump(_message(response))


def metadata(response: get_model_metadata_pb2.GetModelMetadataResponse) -> bytes:
    """Model spec and signatures."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    return _dump(
        {
            "model_spec": _message(response.model_spec),
            "metadata": {"signature_def": _message(signatures)},
        }
    )


def error(message: str) -> bytes:
    """An error."""
    return _dump({"error": message})


def _message(message: Any) -> Any:
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _values(name: str, array: Array) -> Any:
    if array.dtype.name not in _SUPPORTED and array.size:
        raise invalid_argument(
            f"Failed to write JSON value for tensor type: {spelled(array.dtype)}"
        )
    if array.dtype == object:
        as_bytes = name.endswith("_bytes")
        written = np.empty(array.size, object)
        written[:] = [_base64(item) if as_bytes else _text(item) for item in array.ravel()]
        return written.reshape(array.shape).tolist()
    return (shortest(array) if array.dtype == np.float32 else array).tolist()


def _base64(item: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(item).decode()}


def _text(item: bytes) -> str:
    return item.decode("utf-8", "replace")


def shortest(array: Array) -> Array:
    """The shortest decimals that are those floats again, so 0.2 and not 0.20000000298023224.

    Args:
        array: ``float32``.

    Returns:
        ``float64``.
    """
    return array.astype(str).astype(np.float64)


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
