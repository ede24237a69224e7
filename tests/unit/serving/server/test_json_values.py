from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bgadl_tf.serving.server import json_response, json_values
from bgadl_tf.serving.server.status import StatusError

KINDS = ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64",
         "bool", "string"]  # fmt: skip
ODD_KINDS = ["uint16", "float16", "bfloat16", "complex64"]

EDGES = [
    edge + step
    for edge in (0, 2**7, 2**8, 2**15, 2**24, 2**31, 2**32, 2**53, 2**63, 2**64, 10**400)
    for step in (-1, 0, 1)
]
NUMBERS = st.one_of(
    st.sampled_from([*EDGES, *(-edge for edge in EDGES)]),
    st.sampled_from([1.0, 3.4028234663852886e38, 3.5e38, -1e308, float("inf"), float("nan")]),
    st.integers(-300, 300),
)
LEAVES = st.one_of(
    NUMBERS,
    st.booleans(),
    st.none(),
    st.text(max_size=3),
    st.sampled_from([{"b64": "YQ=="}, {"b64": "YQ"}, {"b64": "Y"}, {"b64": 1}, {"x": 1}, {}]),
)


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=12)


@st.composite
def regular(draw: st.DrawFn, leaves: st.SearchStrategy[Any]) -> Any:
    """Lists of one shape."""
    value: Any = [draw(leaves) for _ in range(draw(st.integers(1, 4)))]
    for _ in range(draw(st.integers(0, 2))):
        value = [value] * draw(st.integers(1, 3))
    return value


def enum(kind: str) -> int:
    return int(tf.as_dtype(kind).as_datatype_enum)


def one_by_one(value: list[Any], dtype: int) -> list[Any]:
    return [json_values._scalar(item, dtype, tf.as_dtype(dtype).name) for item in value]


@given(
    value=st.lists(NUMBERS, max_size=4) | st.lists(LEAVES, max_size=4),
    kind=st.sampled_from(KINDS + ODD_KINDS),
)
def test_numbers_at_once_are_what_they_are_one_by_one(value: list[Any], kind: str) -> None:
    try:
        expected = np.empty(len(value), tf.as_dtype(kind).as_numpy_dtype)
        expected[:] = one_by_one(value, enum(kind))
    except StatusError:
        with pytest.raises(StatusError):
            json_values.tensor(value, enum(kind))
        return
    array = json_values.tensor(value, enum(kind))
    assert (array.dtype, array.shape) == (expected.dtype, expected.shape)
    assert repr(array.tolist()) == repr(expected.tolist())


@given(value=nested(LEAVES) | regular(LEAVES), kind=st.sampled_from(KINDS + ODD_KINDS))
def test_whatever_is_nested_is_a_tensor_or_refused(value: Any, kind: str) -> None:
    try:
        array = json_values.tensor(value, enum(kind))
    except StatusError:
        return
    shape, inner = [], value
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    assert array.shape == (*shape,)


@given(
    data=st.data(),
    kind=st.sampled_from(KINDS),
    shape=arrays.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=3),
)
def test_arrays_survive_being_written_and_read(
    data: st.DataObject, kind: str, shape: tuple[int, ...]
) -> None:
    if kind == "string":
        array = np.empty(shape, object)
        texts = st.text(st.characters(codec="utf-8"), max_size=3)
        array.ravel()[:] = [data.draw(texts).encode() for _ in range(array.size)]
    else:
        array = data.draw(arrays.arrays(kind, shape))
        # The shortest decimal of the largest float is a little larger, and refused.
        assume(kind != "float32" or not np.any(np.abs(array) == np.finfo(kind).max))
    written = json.loads(json_response.columns({"x": array}))["outputs"]
    read = json_values.tensor(written, enum(kind))
    assert read.dtype == array.dtype
    if array.size or array.ndim < 2:
        assert read.shape == array.shape
    assert repr(read.tolist()) == repr(array.tolist()) or not array.size


@given(arrays.arrays(np.uint32, arrays.array_shapes(min_dims=0, max_dims=2, max_side=30)))
def test_floats_are_written_as_short_as_can_be(bits: np.ndarray) -> None:
    floats = bits.view(np.float32)
    floats = np.where(np.isnan(floats), np.float32(0.2), floats)
    short = json_response.shortest(floats)
    assert np.array_equal(short.astype(np.float32), floats)
    for value, exact in zip(short.ravel().tolist(), floats.ravel(), strict=True):
        assert digits(repr(value)) <= digits(str(exact))


def digits(text: str) -> int:
    return len(text.lower().partition("e")[0].replace(".", "").replace("-", "").strip("0"))


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""), ("YQ==", b"a"), ("YQ", b"a"), ("YWI=", b"ab"), ("YWI", b"ab"),
        (" Y\tW\nI ", b"ab"), ("+/+/", b"\xfb\xff\xbf"),
        *[(bad, None) for bad in ("Y", "YQ=", "YQ===", "=", "Y=Q=", "YQ==YQ==", "-_-_", "é")],
    ],
)  # fmt: skip
def test_base64(text: str, data: bytes | None) -> None:
    if data is not None:
        assert json_values.decode({"b64": text}) == data
        return
    with pytest.raises(StatusError, match="Unable to base64 decode"):
        json_values.decode({"b64": text})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (1.5, "1.5"),
        ("é", '"é"'),
        ([], "[]"),
        ({"a": [1]}, '{\n    "a": [\n        1\n    ]\n}'),
    ],
)
def test_values_are_echoed_as_indented_json(value: Any, text: str) -> None:
    assert json_values.echo(value) == text


def test_half_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(StatusError, match="surrogate pair in string is invalid"):
        json_values.tensor(["a", "\ud800"], enum("string"))


def test_long_and_deep_values_are_cut() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]
    for value in ("x" * 100_000, [1] * 100_000, {"k" * 100_000: 1}, deep):
        assert len(json_values.echo(value)) <= 1_002
        assert json_values.echo(value).endswith(" …")
