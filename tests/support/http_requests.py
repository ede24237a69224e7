"""Strategies for HTTP requests: sound ones, sound ones with something wrong, and nonsense."""

from __future__ import annotations

import copy
import gzip
import json
from typing import Any, NamedTuple
from urllib.parse import quote

from hypothesis import strategies as st

NAMES = ["half", "echo", "broken", "Half", "none", "half%2F1", "%00", "%0A", "..", "half%20a"]
SIGNATURES = [
    "", "serving_default", "classify_x_to_y", "classify_named", "regress_x_to_y", "float32",
    "float16", "bfloat16", "int8", "int64", "uint64", "bool", "string", "complex64", "bytes",
    "ragged", "scalar", "root", "image", "__saved_model_init_op", "none",
]  # fmt: skip
SOUND: list[tuple[str, dict[str, Any]]] = [
    ("half:predict", {"instances": [1.0, 2.0, 5.0]}),
    ("half:predict", {"inputs": {"x": [1.0]}, "signature_name": "serving_default"}),
    ("half/versions/1:predict", {"inputs": [[1.0], [2.0]]}),
    ("half:classify", {"examples": [{"x": 1.0}], "signature_name": "classify_x_to_y"}),
    ("half:regress", {"examples": [{"x": [1.0]}, {"x": 2}], "signature_name": "regress_x_to_y"}),
    ("echo:predict", {"instances": [{"a": [1.0, 2.0], "b": 3}, {"a": [4.0, 5.0], "b": 6}]}),
    ("echo:predict", {"inputs": {"a": [[1, 2]], "b": [7]}}),
    ("echo:predict", {"instances": [{"b64": "aGFsbG8="}, "text"], "signature_name": "bytes"}),
    ("echo:predict", {"instances": [-1, 4.0], "signature_name": "root"}),
    ("echo:predict", {"instances": [1, 2], "signature_name": "ragged"}),
    ("echo:predict", {"instances": [[[[0.5]] * 4] * 4], "signature_name": "image"}),
    ("echo:predict", {"inputs": [True], "signature_name": "bool"}),
    ("echo:predict", {"inputs": [[1, 2], [3, 4]], "signature_name": "int64"}),
]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-300, 300),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from([2**31, 2**63, 2**64, -(2**63) - 1, 1e308, 1e-320, {"b64": "===="}, "\ud800"]),
    st.builds(lambda data: {"b64": data}, st.text("QUJD=/+-_ \n", max_size=9)),
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["instances", "inputs", "examples", "signature_name", "x", "b64", "a"])
            | st.text(max_size=4),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


class Sent(NamedTuple):
    """An HTTP request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value with one of its parts changed."""
    if isinstance(value, list | dict) and value and draw(st.integers(0, 4)):
        value = copy.copy(value)
        keys = [*value] if isinstance(value, dict) else [*range(len(value))]
        key = draw(st.sampled_from(keys))
        match draw(st.integers(0, 6)):
            case 0:
                del value[key]
            case 1 if isinstance(value, list):
                value.insert(key, draw(json_values))
            case 1 if isinstance(value, dict):
                value[draw(st.text(max_size=3))] = value[key]
            case 2:
                value[key] = [value[key]]
            case _:
                value[key] = draw(mutated(value[key]))
        return value
    return draw(json_values)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, bytes]:
    """What to ask, and a body that might be one for it."""
    target, sound = draw(st.sampled_from(SOUND))
    sound = copy.deepcopy(sound)
    kind = draw(st.sampled_from(["mutated"] * 4 + ["signature", "json", "bytes", "cut", "deep"]))
    if kind == "deep":
        depth = draw(st.integers(1, 5000))
        return target, b'{"instances":' + b"[" * depth + b"]" * draw(st.integers(0, depth)) + b"}"
    if kind == "bytes":
        return target, draw(st.binary(max_size=200))
    if kind == "signature":
        sound["signature_name"] = draw(st.sampled_from(SIGNATURES))
        for key in {"instances", "inputs"} & {*sound}:
            sound[key] = draw(st.one_of(st.lists(scalars, max_size=4), json_values))
    elif kind != "cut":
        sound = draw(mutated(sound) if kind == "mutated" else json_values)
    body = bytearray(json.dumps(sound).encode())
    if kind == "cut":
        for _ in range(draw(st.integers(1, 3))):
            place = draw(st.integers(0, max(0, len(body) - 1)))
            body[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return target, bytes(body)


@st.composite
def paths(draw: st.DrawFn) -> str:
    """Of anything."""
    name = draw(st.sampled_from(NAMES) | st.text(max_size=5).map(quote))
    number = draw(st.integers(-2, 3) | st.integers(0, 2**70))
    part = draw(st.sampled_from(["", f"/versions/{number}", f"/labels/{name}", "/versions/1"]))
    end = draw(st.sampled_from(["", "/metadata", ":predict", ":classify", ":regress", ":x", "/"]))
    sound = f"/v1/models/{name}{part}{end}"
    characters = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#")
    return draw(
        st.one_of(st.just(sound), st.just(sound.upper()), st.text(characters, max_size=20).map(
            lambda text: f"/{text}"), st.just("/monitoring/prometheus/metrics"))
    )  # fmt: skip


headers = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(["application/json", "text/plain", "x", "application/xml"]),
        "Content-Encoding": st.sampled_from(["gzip", "identity", "br", "GZIP", "", "gzip, gzip"]),
        "Accept": st.sampled_from(["*/*", "text/html", ""]),
        "Accept-Encoding": st.sampled_from(["gzip", "identity"]),
        "Origin": st.just("null"),
        "Authorization": st.text("abc =", max_size=9),
        "X-Forwarded-For": st.text("1.,", max_size=9),
    },
)


@st.composite
def sent(draw: st.DrawFn) -> Sent:
    """Any request, most of them to a model."""
    target, body = draw(bodies())
    if draw(st.integers(0, 4)):
        sound = {"Content-Encoding": "gzip"} if draw(st.integers(0, 9)) == 0 else {}
        return Sent("POST", f"/v1/models/{target}", sound, gzip.compress(body) if sound else body)
    methods = ["GET"] * 4 + ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "BREW"]
    return Sent(draw(st.sampled_from(methods)), draw(paths()), draw(headers), body)
