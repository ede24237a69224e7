from __future__ import annotations

import grpc
import pytest
import tensorflow as tf

from bgadl_tf.serving.server.data_types import spelled
from bgadl_tf.serving.server.status import Code, StatusError, from_exception, without_paths

HTTP = {
    "OK": 200, "CANCELLED": 499, "UNKNOWN": 500, "INVALID_ARGUMENT": 400, "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404, "ALREADY_EXISTS": 409, "PERMISSION_DENIED": 403, "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400, "ABORTED": 409, "OUT_OF_RANGE": 400, "UNIMPLEMENTED": 501,
    "INTERNAL": 500, "UNAVAILABLE": 503, "DATA_LOSS": 500, "UNAUTHENTICATED": 401,
}  # fmt: skip


def test_codes_are_grpcs_and_have_tensorflow_servings_http_status() -> None:
    assert {code.name: code.value[0] for code in grpc.StatusCode} == dict(Code.__members__)
    assert {code.name: StatusError(code, "").http_status for code in Code} == HTTP


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (StatusError(Code.NOT_FOUND, "x"), Code.NOT_FOUND, "x"),
        (tf.errors.InvalidArgumentError(None, None, "x"), Code.INVALID_ARGUMENT, "x"),
        (tf.errors.NotFoundError(None, None, "x; /a/b/c"), Code.NOT_FOUND, "x; c"),
        (tf.errors.DeadlineExceededError(None, None, "x"), Code.DEADLINE_EXCEEDED, "x"),
        (MemoryError(), Code.RESOURCE_EXHAUSTED, "out of memory"),
        (ValueError("in /a/b/c"), Code.INTERNAL, "ValueError: in c"),
        (StatusError(Code.OK, "x" * 10_000), Code.OK, "x" * 4096 + " …"),
    ],
)
def test_exceptions(error: Exception, code: Code, message: str) -> None:
    status = from_exception(error)
    assert (status.code, status.message) == (code, message)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/a/b/c.pb is missing", "c.pb is missing"),
        ("cannot read '/a/b.c/d': no", "cannot read 'd': no"),
        ("(/a/b), path=/a/b:/c/d", "(b), path=b:d"),
        ("error:/a/b", "error:b"),
        ("file:///a/b", "b"),
        ("see http://host/a/b and a/b, 1/2", "see http://host/a/b and a/b, 1/2"),
        ("/job:localhost/replica:0/task:0", "/job:localhost/replica:0/task:0"),
        ("GET /v1", "GET /v1"),
    ],
)
def test_paths_are_cut_down_to_their_last_part(text: str, shown: str) -> None:
    assert without_paths(text) == shown


def test_types_have_tensorflows_names() -> None:
    same = ("bfloat16", "int8", "uint64", "bool", "string", "complex64")
    names = {
        "float32": "float",
        "float64": "double",
        "float16": "half",
        **dict(zip(same, same, strict=True)),
    }
    for kind, name in names.items():
        dtype = tf.as_dtype(kind)
        forms = (dtype, dtype.as_datatype_enum, dtype.as_numpy_dtype)
        assert {spelled(form) for form in forms} == {name}
    assert spelled(999) == "unknown dtype enum (999)"
