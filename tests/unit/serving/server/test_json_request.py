from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from bgadl_tf.serving.server import json_request
from bgadl_tf.serving.server.status import StatusError

VALUES = st.sampled_from(
    [0, 1.5, 2**24, "a", True, None, [1, 2], [1], [], {"b64": "YQ=="}, {"x": 1}]
)
ROWS = st.lists(
    st.one_of(
        VALUES,
        st.fixed_dictionaries({"x": VALUES, "y": VALUES}),
        st.fixed_dictionaries({"x": VALUES}),
    ),
    min_size=1,
    max_size=3,
)


def signatures(**kinds: str) -> dict[str, Any]:
    signature = meta_graph_pb2.SignatureDef()
    for name, kind in kinds.items():
        signature.inputs[name].dtype = types_pb2.DataType.Value(f"DT_{kind}")
    return {"serving_default": signature}


@given(
    rows=ROWS,
    known=st.sampled_from(
        [
            signatures(x="FLOAT"),
            signatures(x="STRING"),
            signatures(x="INT32", y="STRING"),
            signatures(x="HALF"),
        ]
    ),
)
def test_what_makes_a_batch_has_no_element_at_fault(rows: list[Any], known: dict[str, Any]) -> None:
    infos = known["serving_default"].inputs
    named = json_request._is_named(rows[0])
    request = json_request.Request("", {"instances": rows})
    try:
        batch = json_request.inputs(request, known)
    except StatusError:
        return
    assert batch.keys() == {*infos}
    assert all(len(array) == len(rows) for array in batch.values())
    json_request._check_elements(rows, infos, named)  # finds no fault


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (str(2**64 - 1), 2**64 - 1),
        (f"[{2**64}, 1e300]", [2**64, 1e300]),
        ("-0", 0),
        ("1e308", 1e308),
        ("1e-999", 0.0),
        ("0.12345678901234567890123", 0.12345678901234567890123),
        ('"e1000 12345678901234567890"', "e1000 12345678901234567890"),
        ('"\\ud83d\\ude42"', "🙂"),
        ('"\\\\ud800"', "\\ud800"),
    ],
)
def test_values_of_json(text: str, value: Any) -> None:
    parsed = json_request.parse(f'{{"x": {text}}}'.encode()).content["x"]
    assert repr(parsed) == repr(value)


@given(st.binary(max_size=40) | st.text(alphabet='[]{}",:\\ue1.0-ndtNI', max_size=40))
def test_whatever_is_sent_is_parsed_as_json_is_or_refused(body: bytes | str) -> None:
    body = body.encode() if isinstance(body, str) else body
    try:
        request = json_request.parse(body)
    except StatusError:
        return
    assert repr(request.content) == repr(json.loads(body.decode("utf-8-sig")))
