"""REST predict, case by case: what TensorFlow Serving answers, and with which words it refuses."""

from __future__ import annotations

import base64
import gzip
import math
from typing import Any

import pytest

from tests.support.server_process import ServerProcess

NAN, INF = math.nan, math.inf
TINY = 1e-45


def b64(data: bytes, padded: bool = True) -> dict[str, str]:
    text = base64.b64encode(data).decode()
    return {"b64": text if padded else text.rstrip("=")}


def named(name: str, **body: Any) -> dict[str, Any]:
    return {"signature_name": name, **body}


AB = [{"a": [1, 2], "b": 3}, {"a": [4, 5.5], "b": 6}]

ANSWERS: list[tuple[str, Any, Any]] = [
    # row form, bare and named
    ("half", {"instances": [1.0, 2, 5]}, {"predictions": [2.5, 3.0, 4.5]}),
    ("half", {"instances": [[1.0, 2.0], [3.0, 4.0]]}, {"predictions": [[2.5, 3.0], [3.5, 4.0]]}),
    ("half", {"instances": [{"x": 1.0}, {"x": 2}]}, {"predictions": [2.5, 3.0]}),
    ("half", {"instances": [{"x": [1.0]}]}, {"predictions": [[2.5]]}),
    ("half", {"instances": [[], []]}, {"predictions": [[], []]}),
    ("half", {"instances": [[[]]]}, {"predictions": [[[]]]}),
    ("half", named("serving_default", instances=[1]), {"predictions": [2.5]}),
    ("half", named("", instances=[1]), {"predictions": [2.5]}),
    ("half", {"instances": [1], "more": {"is": "ignored"}}, {"predictions": [2.5]}),
    ("echo", {"instances": AB},
     {"predictions": [{"a_again": [1.0, 2.0], "sum": 6.0}, {"a_again": [4.0, 5.5], "sum": 15.5}]}),
    # columnar form
    ("half", {"inputs": 1}, {"outputs": 2.5}),
    ("half", {"inputs": [[1.0, 2.0]]}, {"outputs": [[2.5, 3.0]]}),
    ("half", {"inputs": {"x": [1.0, 2.0]}}, {"outputs": [2.5, 3.0]}),
    ("half", {"inputs": {"x": [1.0], "extra": "ignored"}}, {"outputs": [2.5]}),
    ("half", {"inputs": []}, {"outputs": []}),
    ("half", {"inputs": [[], []]}, {"outputs": [[], []]}),
    ("echo", {"inputs": {"b": [3], "a": [[1, 2]], "c": 0}},
     {"outputs": {"a_again": [[1.0, 2.0]], "sum": [6.0]}}),
    ("echo", named("scalar", inputs=[1, 2, 3]), {"outputs": 6}),
    ("echo", named("ragged", inputs={"n": [1, 2]}),
     {"outputs": {"n": [1, 2], "twice": [1, 2, 1, 2]}}),
    # each type there and back
    *[
        ("echo", named(kind, instances=values), {"predictions": values})
        for kind, values in {
            "float32": [0.2, 1e-30, -1e38, 16777215.0, 0.1234567, TINY, 9000000.0, 3e-05],
            "float64": [0.1, 1 / 3, 1e308, -5e-324, 9007199254740991.0],
            "int8": [-128, 127], "int16": [-(2**15), 2**15 - 1], "int32": [-(2**31), 2**31 - 1],
            "int64": [-(2**63), 2**63 - 1], "uint8": [0, 255], "uint32": [0, 2**32 - 1],
            "uint64": [0, 2**64 - 1], "bool": [True, False],
            "string": ["", "plain", "Grüße, 世界 🙂", '"\\\n\t', "\u2028"],
        }.items()
    ],
    ("echo", named("float32", instances=[2**24 - 1, 10**30]), {"predictions": [16777215.0, 1e30]}),
    ("echo", named("float64", instances=[2**53 - 1]), {"predictions": [2.0**53 - 1]}),
    ("echo", named("int32", instances=[[[1, 2], [3, 4]]]), {"predictions": [[[1, 2], [3, 4]]]}),
    ("echo", named("float32", inputs=[NAN, INF, -INF]), {"outputs": [NAN, INF, -INF]}),
    ("echo", named("float64", inputs=[NAN, INF, -INF]), {"outputs": [NAN, INF, -INF]}),
    # bytes
    ("echo", named("bytes", instances=[b64(b"\xff\x00\xfe"), b64(b"a", padded=False), "text"]),
     {"predictions": [{"raw_bytes": b64(b"\xff\x00\xfe"), "text": "\ufffd\x00\ufffd"},
                      {"raw_bytes": b64(b"a"), "text": "a"},
                      {"raw_bytes": b64(b"text"), "text": "text"}]}),
    ("echo", named("bytes", instances=[{"raw_bytes": b64(b"a")}]),
     {"predictions": [{"raw_bytes": b64(b"a"), "text": "a"}]}),
    ("echo", named("bytes", inputs=[b64(b"ab")]),
     {"outputs": {"raw_bytes": [b64(b"ab")], "text": ["ab"]}}),
    ("echo", named("string", inputs=b64(b"ab\0")), {"outputs": "ab\0"}),
    ("echo", named("string", inputs={"x": b64(b"ab")}), {"outputs": "ab"}),
    ("echo", named("string", instances=[{"b64": " Y W\nI= "}]), {"predictions": ["ab"]}),
    # versions, labels, names
    ("plus", {"instances": [0]}, {"predictions": [3.0]}),
    ("plus/versions/1", {"instances": [0]}, {"predictions": [1.0]}),
    ("plus/versions/002", {"instances": [0]}, {"predictions": [2.0]}),
    ("plus/labels/stable", {"instances": [0]}, {"predictions": [1.0]}),
    ("plus/labels/%6eew", {"instances": [0]}, {"predictions": [3.0]}),
    ("%68alf", {"instances": [1]}, {"predictions": [2.5]}),
    ("half%20a%2Fb", {"instances": [1]}, {"predictions": [2.5]}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "body", "expected"), ANSWERS)
def test_answer(served: ServerProcess, model: str, body: Any, expected: Any) -> None:
    answer = served.ask(model, body)
    assert repr(answer) == repr(expected)  # repr knows 1 from 1.0, and NaN from nothing


WRONG_ELEMENT = "Failed to process element: {}of 'instances' list. Error: INVALID_ARGUMENT: "


def element(position: int, key: str = "") -> str:
    return WRONG_ELEMENT.format(f"{position} " + (f"key: {key} " if key else ""))


def of_type(value: str, json_type: str, expected: str) -> str:
    return f"JSON Value: {value} Type: {json_type} is not of expected type: {expected}"


REFUSALS: list[tuple[str, Any, int, str]] = [
    # the envelope
    ("half", [1], 400, "Is not object"),
    ("half", {}, 400, "Missing 'inputs' or 'instances' key"),
    ("half", {"instances": [1], "inputs": [1]}, 400,
     "expecting only one of 'inputs' or 'instances' keys to exist"),
    ("half", {"instances": 1}, 400, "Excepting 'instances' to be an list/array"),
    ("half", {"instances": {"x": 1}}, 400, "Excepting 'instances' to be an list/array"),
    ("half", {"instances": []}, 400, "No values in 'instances' array"),
    ("half", named(100), 400, "'signature_name' key must be a string value."),  # type: ignore[arg-type]
    ("half", named("no such", instances=[1]), 400,
     'Serving signature name: "no such" not found in signature def'),
    ("scaled", named("odd", instances=[1]), 500, "Was: odd"),
    # names
    ("echo", {"instances": [1]}, 400, "instances is a plain list, but expecting list of objects"),
    ("echo", {"inputs": [1]}, 400, "inputs is a plain value/list, but expecting an object"),
    ("echo", {"instances": [AB[0], {"a": [1, 2]}]}, 400, "keys must be equal to: a,b"),
    ("echo", {"instances": [{**AB[0], "c": 1}]}, 400,
     element(0, "c") + "JSON object: does not have named input: c"),
    ("echo", {"inputs": {"a": [[1, 2]]}}, 400, "Missing named input: b in 'inputs' object."),
    ("half", {"inputs": {"y": [1]}}, 400, "Missing named input: x in 'inputs' object."),
    ("scaled", {"inputs": {"x": [1]}}, 400, "Missing named input: factor in 'inputs' object."),
    ("echo", {"instances": [AB[0], 7]}, 400,
     "Expecting object but got list at item 1 of input list"),
    ("half", {"instances": [1, {"x": 1}]}, 400,
     "Expecting value/list but got object at item 1 of input list"),
    # shapes
    ("half", {"instances": [[1], [2, 3]]}, 400, element(1) + "Expecting tensor size: 1 but got: 2"),
    ("half", {"instances": [[[1, 2]], [[1], [2]]]}, 400,
     element(1) + "Expecting shape [1,2] but got: [2,1]"),
    ("half", {"instances": [[[1, 2], [3]]]}, 400,
     element(0) + "Encountered list at unexpected size: 1 at level: 1 expected size: 2"),
    ("half", {"inputs": [[1, 2], [3]]}, 400,
     "Encountered list at unexpected size: 1 at level: 1 expected size: 2"),
    ("half", {"inputs": [1, [2]]}, 400, "Encountered list at unexpected level: 1 expected < 1"),
    ("half", {"inputs": [[1], 2]}, 400,
     "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2"),
    ("echo", {"inputs": {"a": [[1, 2]] * 2, "b": [1, 2, 3]}}, 400, "Incompatible shapes"),
    ("echo", named("image", instances=[[1, 2]]), 400, ""),
    ("echo", named("scalar", instances=[1]), 400, "Tensor name: total has no shape information"),
    ("echo", named("ragged", instances=[1]), 400,
     "Tensor name: twice has inconsistent batch size: 2 expecting: 1"),
    # types
    ("half", {"instances": ["x", "y"]}, 400, element(0) + of_type('"x"', "String", "float")),
    ("half", {"instances": [1, None]}, 400, element(1) + of_type("null", "Null", "float")),
    ("half", {"instances": [{"x": True}]}, 400, element(0, "x") + of_type("true", "True", "float")),
    ("half", {"inputs": [False]}, 400, of_type("false", "False", "float")),
    ("half", {"inputs": b64(b"x")}, 400, "Type: Object is not of expected type: float"),
    ("echo", named("float64", inputs=["1"]), 400, of_type('"1"', "String", "double")),
    *[
        ("echo", named(kind, inputs=value), 400, of_type(str(value), "Number", kind))
        for kind, value in [
            ("int32", 1.0), ("int32", 2**31), ("int64", 2**63), ("uint32", -1), ("uint64", -1),
            ("uint64", 1.5), ("bool", 1), ("string", 7), ("uint8", 256), ("int8", -129),
            ("int16", 2**15), ("uint8", -1),
        ]
    ],
    ("echo", named("int64", inputs=2**64), 400, "Type: Number is not of expected type: int64"),
    ("echo", named("float32", inputs=2**24), 400,
     "Cannot convert JSON value: 16777216 to float without loss of precision."),
    ("echo", named("float32", inputs=1e39), 400, "to float without loss of precision."),
    ("echo", named("float64", inputs=-(2**53)), 400,
     "Cannot convert JSON value: -9007199254740992 to double without loss of precision."),
    *[
        ("echo", named(kind, inputs=1), 501, f"Conversion of JSON Value: 1 to type: {spelled}")
        for kind, spelled in [("uint16", "uint16"), ("float16", "half"), ("bfloat16", "bfloat16"),
                              ("complex64", "complex64")]
    ],
    ("echo", named("float16", instances=[1]), 400,
     "Error: UNIMPLEMENTED: Conversion of JSON Value: 1 to type: half"),
    ("echo", named("string", inputs={"b64": "?"}), 400, "Unable to base64 decode"),
    ("echo", named("string", inputs={"b64": "YQ="}), 400, "Unable to base64 decode"),
    ("echo", named("string", inputs=[{"b64": "YQ==", "more": 1}]), 400,
     "not formatted correctly for base64 data"),
    ("echo", named("bytes", instances=[{"b64": 1}]), 400, "does not have named input: b64"),
    # the graph refuses
    ("echo", named("root", instances=[1, -1]), 400, "negative row"),
    # models
    *[
        (path, {"instances": [1]}, 404, f"Servable not found for request: {which}")
        for path, which in [
            ("none", "Latest(none)"), ("none/versions/7", "Specific(none, 7)"),
            ("half/versions/2", "Specific(half, 2)"), ("Half", "Latest(Half)"),
            ("broken", "Latest(broken)"),
        ]
    ],
    ("none/labels/x", {"instances": [1]}, 400, "Unrecognized servable version label: x"),
    ("plus/labels/Stable", {"instances": [1]}, 400, "Unrecognized servable version label: Stable"),
    # what is wrong with a request comes before what is wrong with its model
    ("none", {"signature_name": 1}, 400, "'signature_name' key must be a string value."),
]  # fmt: skip


@pytest.mark.parametrize(("model", "body", "status", "message"), REFUSALS)
def test_refusal(served: ServerProcess, model: str, body: Any, status: int, message: str) -> None:
    response = served.post(f"/models/{model}:predict", body)
    assert response.headers["Content-Type"] == "application/json"
    assert response.json().keys() == {"error"}
    assert (response.status_code, message in response.json()["error"]) == (status, True), (
        response.text
    )


def test_whole_numbers_of_floats_have_a_point_and_the_rest_is_short(served: ServerProcess) -> None:
    body = named("float32", instances=[0.2, 2, NAN, INF, -INF])
    text = served.post("/models/echo:predict", body).text
    assert text.replace(" ", "") == '{"predictions":[0.2,2.0,NaN,Infinity,-Infinity]}'


@pytest.mark.parametrize("kind", ["uint16", "float16", "bfloat16", "complex64"])
def test_empty_tensors_of_any_type_pass(served: ServerProcess, kind: str) -> None:
    assert served.ask("echo", named(kind, inputs=[])) == {"outputs": []}


def test_gzip_bodies_are_accepted(served: ServerProcess) -> None:
    data = gzip.compress(b'{"instances": [1]}')
    response = served.post("/models/half:predict", data=data, headers={"Content-Encoding": "gzip"})
    assert response.json() == {"predictions": [2.5]}


def test_the_content_type_does_not_matter(served: ServerProcess) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        response = served.post(
            "/models/half:predict", data=b'{"instances": [1]}', headers={"Content-Type": kind}
        )
        assert response.json() == {"predictions": [2.5]}


@pytest.mark.parametrize("path", ["/V1/MODELS/half:predict", "/v1/Models/half/Versions/1:Predict"])
def test_paths_may_be_in_capitals(served: ServerProcess, path: str) -> None:
    response = served.http.post(served.rest + path, json={"instances": [1]})
    assert response.json() == {"predictions": [2.5]}
