"""Strategies for protobuf messages: any value in any field, often one that means something."""

from __future__ import annotations

from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

from tests.support.http_requests import SIGNATURES

PREDICTION, MODEL = "/tensorflow.serving.PredictionService/", "/tensorflow.serving.ModelService/"
REQUESTS: dict[str, type[Message]] = {
    PREDICTION + "Predict": predict_pb2.PredictRequest,
    PREDICTION + "Classify": classification_pb2.ClassificationRequest,
    PREDICTION + "Regress": regression_pb2.RegressionRequest,
    PREDICTION + "MultiInference": inference_pb2.MultiInferenceRequest,
    PREDICTION + "GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
    MODEL + "GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
}
RELOAD = MODEL + "HandleReloadConfigRequest"
RELOAD_REQUEST = model_management_pb2.ReloadConfigRequest

# What strings and numbers mean depends on their field.
_WORDS: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["half", "half", "echo", "broken", "none"]),
    "signature_name": st.sampled_from(SIGNATURES),
    "metadata_field": st.sampled_from(["signature_def", "signature_def", "x"]),
    "method_name": st.sampled_from(["tensorflow/serving/classify", "tensorflow/serving/regress"]),
    "output_filter": st.sampled_from(["y", "sum", "a_again", "x"]),
    "base_path": st.sampled_from(["/nowhere", "relative", "", "gs://a/b"]),
    "model_platform": st.sampled_from(["tensorflow", "tensorflow", "other"]),
}
_NUMBERS: dict[str, st.SearchStrategy[Any]] = {
    "size": st.integers(0, 4) | st.integers(-(2**63), 2**63 - 1),
    "value": st.integers(0, 3) | st.integers(-(2**63), 2**63 - 1),
}
_TEXT = st.text(max_size=6)
_KEYS = st.sampled_from(["x", "x", "a", "b", "n", "raw_bytes", "image", "inputs", "examples"])
_KINDS = FieldDescriptor
_VALUES: dict[int, st.SearchStrategy[Any]] = {
    _KINDS.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1) | st.integers(-9, 9),
    _KINDS.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9),
    _KINDS.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    _KINDS.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    _KINDS.CPPTYPE_FLOAT: st.floats(width=32),
    _KINDS.CPPTYPE_DOUBLE: st.floats(),
    _KINDS.CPPTYPE_BOOL: st.booleans(),
}


class Call(NamedTuple):
    """A method and the bytes to send it."""

    method: str
    request: bytes


@st.composite
def messages(draw: st.DrawFn, kind: type[Message], depth: int = 6) -> Any:
    """A message with some of its fields set."""
    message = kind()
    fields = kind.DESCRIPTOR.fields
    likely = ("model_spec", "inputs", "input", "name", "dtype", "tensor_shape", "examples", "tasks")
    for field in fields:
        if depth and draw(st.integers(0, 9)) < (9 if field.name in likely else 3):
            _fill(draw, message, field, depth - 1)
    return message


def _fill(draw: st.DrawFn, message: Any, field: FieldDescriptor, depth: int) -> None:
    holder = getattr(message, field.name)
    inner: Descriptor | None = field.message_type
    if inner is not None and inner.GetOptions().map_entry:
        value = inner.fields_by_name["value"]
        for _ in range(draw(st.integers(0, 2))):
            key = draw(_KEYS)
            if value.message_type is None:
                holder[key] = draw(_scalars(value))
            else:
                made = draw(messages(GetMessageClass(value.message_type), depth))
                holder[key].CopyFrom(made)
    elif field.is_repeated:
        for _ in range(draw(st.integers(0, 3))):
            if inner is None:
                holder.append(draw(_scalars(field)))
            else:
                holder.add().CopyFrom(draw(messages(GetMessageClass(inner), depth)))
    elif inner is None:
        setattr(message, field.name, draw(_scalars(field)))
    else:
        holder.CopyFrom(draw(messages(GetMessageClass(inner), depth)))
        holder.SetInParent()


def _scalars(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.cpp_type == _KINDS.CPPTYPE_STRING:
        if field.type == _KINDS.TYPE_BYTES:
            return st.binary(max_size=16)
        return _WORDS.get(field.name, _TEXT)
    if field.cpp_type == _KINDS.CPPTYPE_ENUM:
        numbers = [value.number for value in field.enum_type.values]
        return st.sampled_from([1, 7, 9, *numbers] if field.name == "dtype" else numbers)
    if field.cpp_type == _KINDS.CPPTYPE_INT64:
        return _NUMBERS.get(field.name, _VALUES[field.cpp_type])
    return _VALUES[field.cpp_type]


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Any call: fields at random, bytes at random, and messages with a few bytes changed."""
    method = draw(st.sampled_from([PREDICTION + "Predict"] * 3 + [*REQUESTS]))
    if draw(st.integers(0, 5)) == 0:
        return Call(method, draw(st.binary(max_size=100)))
    request = bytearray(draw(messages(REQUESTS[method])).SerializeToString())
    if draw(st.integers(0, 5)) == 0:
        place = draw(st.integers(0, len(request)))
        request[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return Call(method, bytes(request))


reloads = messages(RELOAD_REQUEST)
