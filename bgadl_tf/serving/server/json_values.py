"""JSON values to arrays, under TensorFlow Serving's rules."""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import math
from typing import Any

import numpy as np
import tensorflow as tf

from bgadl_tf.serving.server.data_types import spelled
from bgadl_tf.serving.server.savedmodel import Array
from bgadl_tf.serving.server.status import Code, StatusError, invalid_argument

HIGHEST_RANK = 63
"""Of a tensor. NumPy's limit is 64."""

_LONGEST_ECHO = 1000
_INTEGERS = {"int8", "int16", "int32", "int64", "uint8", "uint32", "uint64"}
_DIGITS = {"float32": 24, "float64": 53}
_KINDS = {
    type(None): "Null", dict: "Object", list: "Array", str: "String", int: "Number",
    float: "Number",
}  # fmt: skip


def tensor(value: Any, dtype: int) -> Array:
    """A dense tensor from nested lists, whose shape is that of the first element at each level.

    Args:
        value: JSON.
        dtype: ``DataType`` of the tensor.

    Raises:
        StatusError: It is ragged, or has a value that is not of the type.
    """
    shape, leaves = _flatten(value)
    kind = tf.as_dtype(dtype)
    array = _numbers(leaves, kind.name)
    if array is None:
        array = np.empty(len(leaves), kind.as_numpy_dtype)
        array[:] = [_scalar(leaf, dtype, kind.name) for leaf in leaves]
    return array.reshape(shape)


def _flatten(value: Any) -> tuple[list[int], list[Any]]:
    shape: list[int] = []
    first = value
    while isinstance(first, list):
        shape.append(len(first))
        first = first[0] if first else None
    if len(shape) > HIGHEST_RANK:
        raise invalid_argument(f"Lists are nested {len(shape)} deep; expected <= {HIGHEST_RANK}")
    items = [value]
    for level, size in enumerate(shape):
        for item in items:
            if not isinstance(item, list):
                raise invalid_argument(
                    f"JSON Value: {echo(item)} found at incorrect level: {level + 1} in the JSON "
                    f"DOM. Expected at level: {len(shape)}"
                )
            if len(item) != size:
                raise invalid_argument(
                    f"Encountered list at unexpected size: {len(item)} at level: {level} expected "
                    f"size: {size}"
                )
        items = list(itertools.chain.from_iterable(items))
    if any(isinstance(item, list) for item in items):
        raise invalid_argument(
            f"Encountered list at unexpected level: {len(shape)} expected < {len(shape)}"
        )
    return shape, items


def _numbers(items: list[Any], name: str) -> Array | None:
    """Numbers of a type, all at once; None where one of them needs a closer look."""
    kinds = set(map(type, items))
    try:
        if name in _INTEGERS and kinds == {int}:
            wide = np.array(items, np.uint64 if name == "uint64" else np.int64)
            bounds = np.iinfo(name)
            fits = wide.min() >= bounds.min and wide.max() <= bounds.max
        elif name in _DIGITS and kinds and kinds <= {int, float}:
            wide = np.array(items, np.float64)
            limit = float(2 ** _DIGITS[name] - 1 if int in kinds else np.finfo(name).max)
            fits = np.all(~np.isfinite(wide) | (np.abs(wide) <= limit))
        else:
            return None
    except OverflowError:
        return None
    return wide.astype(name) if fits else None


def _scalar(value: Any, dtype: int, name: str) -> Any:
    """One value of a type.

    Raises:
        StatusError: It is not of the type, or none of the type can be had from JSON.
    """
    if type(value) is int and not -(2**63) <= value < 2**64 and abs(value) < 2**1023:
        value = float(value)  # as TensorFlow Serving reads an integer of more than 64 bits
    kind = type(value)
    if name == "string" and kind is dict:
        return decode(value)
    if name == "string" and kind is str:
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise invalid_argument(
                "JSON Parse error: The surrogate pair in string is invalid."
            ) from None
    if name == "bool" and kind is bool:
        return value
    # TensorFlow Serving wraps what a small type cannot hold: 300 becomes 44.
    if name in _INTEGERS and kind is int and np.iinfo(name).min <= value <= np.iinfo(name).max:
        return value
    if name in _DIGITS and kind in (int, float):
        limit = float(np.finfo(name).max) if kind is float else 2 ** _DIGITS[name] - 1
        if abs(value) <= limit or (kind is float and not math.isfinite(value)):
            return value
        raise invalid_argument(
            f"Cannot convert JSON value: {echo(value)} to {spelled(dtype)} without loss of "
            "precision."
        )
    if kind is not dict and name not in (*_INTEGERS, *_DIGITS, "bool", "string"):
        raise StatusError(
            Code.UNIMPLEMENTED, f"Conversion of JSON Value: {echo(value)} to type: {spelled(dtype)}"
        )
    json_kind = str(value) if kind is bool else _KINDS[kind]
    raise invalid_argument(
        f"JSON Value: {echo(value)} Type: {json_kind} is not of expected type: {spelled(dtype)}"
    )


def is_base64(value: Any) -> bool:
    """Whether a value has the form of base64 data, ``{"b64": text}``."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def decode(value: dict[str, Any]) -> bytes:
    """Bytes of base64 data; padded rightly, or not at all.

    Raises:
        StatusError: It is no such thing.
    """
    if not is_base64(value):
        raise invalid_argument(f"JSON Value: {echo(value)} not formatted correctly for base64 data")
    text = "".join(value["b64"].split())
    if len(text) % 4 and not text.endswith("="):
        text += "=" * (-len(text) % 4)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise invalid_argument("Unable to base64 decode") from None


def echo(value: Any) -> str:
    """A value for a message, cut short."""
    text = ""
    try:
        for part in json.JSONEncoder(indent=4, ensure_ascii=False).iterencode(value):
            text += part
            if len(text) > _LONGEST_ECHO:
                break
    except RecursionError:
        text = text.ljust(_LONGEST_ECHO + 1)
    return text if len(text) <= _LONGEST_ECHO else text[:_LONGEST_ECHO].rstrip() + " …"
