"""gRPC, case by case, through TensorFlow Serving's own stubs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)

from tests.support.server_process import ServerProcess

BAD, UNMET, NO, MISSING = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.UNIMPLEMENTED,
)


def spec(name: str, signature: str = "", **which: Any) -> model_pb2.ModelSpec:
    label, version = which.get("label"), which.get("version")
    made = model_pb2.ModelSpec(name=name, signature_name=signature, version_label=label)
    if version is not None:
        made.version.value = version
    return made


def predict(
    model: model_pb2.ModelSpec | None, outputs: tuple[str, ...] = (), **inputs: Any
) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest(model_spec=model, output_filter=outputs)
    for name, value in inputs.items():
        proto = value if isinstance(value, tensor_pb2.TensorProto) else tf.make_tensor_proto(value)
        request.inputs[name].CopyFrom(proto)
    return request


def floats(*values: float) -> tensor_pb2.TensorProto:
    return tf.make_tensor_proto(values, tf.float32)


def refused(call: Callable[[Any], Any], request: Any, code: grpc.StatusCode, details: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    got: Any = caught.value
    assert (got.code(), details in got.details()) == (code, True), f"{got.code()} {got.details()}"


@pytest.mark.parametrize(
    ("model", "version", "expected"),
    [
        (spec("half"), 1, 2.5),
        (spec("half", "serving_default", version=1), 1, 2.5),
        (spec("plus"), 3, 3.5),
        (spec("plus", version=1), 1, 1.5),
        (spec("plus", label="stable"), 1, 1.5),
        (spec("half a/b"), 1, 2.5),
    ],
)
def test_predict(
    served: ServerProcess, model: model_pb2.ModelSpec, version: int, expected: float
) -> None:
    response = served.prediction.Predict(predict(model, x=floats(1.0)))
    assert tf.make_ndarray(response.outputs["y"]).tolist() == [expected]
    assert response.model_spec == spec(model.name, "serving_default", version=version)


def test_predict_computes_only_what_is_filtered(served: ServerProcess) -> None:
    inputs = {"a": np.float32([[1, 2]]), "b": np.int32([3])}
    for outputs in [(), ("sum",), ("sum", "a_again")]:
        response = served.prediction.Predict(predict(spec("echo"), outputs, **inputs))
        assert response.outputs.keys() == {*(outputs or ("sum", "a_again"))}
    assert tf.make_ndarray(response.outputs["sum"]).tolist() == [6.0]


def test_a_signatures_defaults_stand_in_for_missing_inputs(served: ServerProcess) -> None:
    for inputs, expected in (({}, 20.0), ({"factor": np.float32(3)}, 6.0)):
        response = served.prediction.Predict(predict(spec("scaled"), x=floats(2.0), **inputs))
        assert tf.make_ndarray(response.outputs["y"]).tolist() == [expected]


VALUES: dict[str, list[Any]] = {
    **{kind: [0.5, -2.0] for kind in ("float32", "float64", "float16", "bfloat16")},
    **{kind: [1, 100] for kind in ("int8", "int16", "int32", "int64", "uint8", "uint16")},
    **{kind: [2**32 - 1] for kind in ("uint32", "uint64")},
    "bool": [True, False], "string": [b"a\0", b""], "complex64": [1 + 2j, -0.5j],
}  # fmt: skip


@pytest.mark.parametrize("kind", VALUES)
def test_every_type_as_values_and_as_content(
    served: ServerProcess, strict: ServerProcess, kind: str
) -> None:
    array = np.array(VALUES[kind], tf.as_dtype(kind).as_numpy_dtype)
    content = tf.make_tensor_proto(array)
    values = tensor_pb2.TensorProto(dtype=content.dtype, tensor_shape=content.tensor_shape)
    values.MergeFrom(typed(array))
    for server in (served, strict):
        for proto in (content, values, tf.make_tensor_proto(array.reshape(1, -1))):
            response = server.prediction.Predict(predict(spec("echo", kind), x=proto))
            answer = response.outputs["y"]
            assert answer.dtype == content.dtype
            assert answer.tensor_shape == proto.tensor_shape
            assert tf.make_ndarray(answer).ravel().tolist() == array.tolist()
            assert bool(answer.tensor_content) == (server is strict and kind != "string")


def typed(array: np.ndarray) -> tensor_pb2.TensorProto:
    """The values of an array one by one, as TensorFlow's C++ writes them."""
    kind = array.dtype.name
    if array.dtype == object:
        return tensor_pb2.TensorProto(string_val=array.tolist())
    if kind in ("float16", "bfloat16"):
        return tensor_pb2.TensorProto(half_val=array.view(np.uint16).tolist())
    if kind == "complex64":
        return tensor_pb2.TensorProto(scomplex_val=array.view(np.float32).tolist())
    field = {"float32": "float_val", "float64": "double_val", "int64": "int64_val",
             "uint32": "uint32_val", "uint64": "uint64_val", "bool": "bool_val"}  # fmt: skip
    return tensor_pb2.TensorProto(**{field.get(kind, "int_val"): array.tolist()})


@pytest.mark.parametrize(
    ("request_", "code", "details"),
    [
        (predict(None, x=floats(1)), BAD, "Missing ModelSpec"),
        (predict(spec(""), x=floats(1)), BAD, "ModelSpec has no name specified."),
        (predict(spec("none"), x=floats(1)), NO, "Servable not found for request: Latest(none)"),
        (predict(spec("half", version=9), x=floats(1)), NO,
         "Servable not found for request: Specific(half, 9)"),
        (predict(spec("half", version=-1), x=floats(1)), NO, "Specific(half, -1)"),
        (predict(spec("plus", label="no"), x=floats(1)), BAD,
         "Unrecognized servable version label: no"),
        (predict(spec("half", "none"), x=floats(1)), UNMET,
         'Serving signature key "none" not found.'),
        (predict(spec("scaled", "odd"), x=floats(1)), grpc.StatusCode.INTERNAL, "Was: odd"),
        (predict(spec("half")), BAD,
         "0!=1 len({}) != len({x}). Sent extra: {}. Missing but required: {x}."),
        (predict(spec("half"), x=floats(1), y=floats(1), z=floats(1)), BAD,
         "Sent extra: {y,z}. Missing but required: {}."),
        (predict(spec("half"), y=floats(1)), BAD, "Sent extra: {y}. Missing but required: {x}."),
        (predict(spec("scaled"), factor=np.float32(1)), BAD, "Missing but required: {x}."),
        (predict(spec("half"), x=True), BAD, "Expects arg[0] to be float but bool is provided"),
        (predict(spec("echo", "int32"), x=np.int64(1)), BAD, "to be int32 but int64 is provided"),
        (predict(spec("echo", "float16"), x=np.float64(1)), BAD, "to be half but double is"),
        (predict(spec("half"), ("z",), x=floats(1)), BAD,
         "output tensor alias not found in signature: z Outputs expected to be in the set {y}."),
        (predict(spec("half"), ("y", "y"), x=floats(1)), BAD, "duplicate output tensor alias: y"),
        (predict(spec("echo", "root"), x=floats(-1)), BAD, "negative row"),
        (predict(spec("half"), **{"x" * 10_000: floats(1)}), BAD, "input size does not match"),
        (predict(spec("ж" * 5_000), x=floats(1)), NO, "Servable not found"),
    ],
)  # fmt: skip
def test_predict_refuses(
    served: ServerProcess, request_: Any, code: grpc.StatusCode, details: str
) -> None:
    refused(served.prediction.Predict, request_, code, details)


INT32, FLOAT = types_pb2.DT_INT32, types_pb2.DT_FLOAT
BOMBS: list[dict[str, Any]] = [
    {"dtype": FLOAT, "sizes": [2**40]},
    {"dtype": FLOAT, "sizes": [2**31], "float_val": [1]},
    {"dtype": FLOAT, "sizes": [2**62, 2**62]},
    {"dtype": FLOAT, "sizes": [-1], "float_val": [1]},
    {"dtype": FLOAT, "sizes": [2, -2]},
    {"dtype": FLOAT, "unknown_rank": True, "float_val": [1]},
    {"dtype": FLOAT, "sizes": [1] * 100, "float_val": [1]},
    {"dtype": FLOAT, "sizes": [1] * 300, "float_val": [1]},
    {"dtype": FLOAT, "sizes": [2], "tensor_content": b"abc"},
    {"dtype": FLOAT, "sizes": [2], "tensor_content": b"abcd"},
    {"dtype": FLOAT, "sizes": [], "tensor_content": b"abcdefgh"},
    {"dtype": 0},
    {"dtype": 12345},
    {"dtype": -1},
    {"dtype": types_pb2.DT_FLOAT_REF, "float_val": [1]},
    {"dtype": types_pb2.DT_RESOURCE},
    {"dtype": types_pb2.DT_VARIANT, "sizes": [1]},
    {"dtype": types_pb2.DT_QINT8, "int_val": [1]},
    {"dtype": types_pb2.DT_STRING, "sizes": [2**30]},
    {"dtype": types_pb2.DT_STRING, "sizes": [2], "tensor_content": b"\x01\xff"},
    {"dtype": types_pb2.DT_STRING, "sizes": [1], "tensor_content": b"\x05abc"},
]


@pytest.mark.parametrize("bomb", BOMBS, ids=str)
def test_tensors_that_are_not_what_they_claim(served: ServerProcess, bomb: dict[str, Any]) -> None:
    fields = dict(bomb)
    proto = tensor_pb2.TensorProto()
    for size in fields.pop("sizes", []):
        proto.tensor_shape.dim.add(size=size)
    proto.tensor_shape.unknown_rank = fields.pop("unknown_rank", False)
    proto.MergeFrom(tensor_pb2.TensorProto(**fields))
    refused(
        served.prediction.Predict,
        predict(spec("half"), x=proto),
        BAD,
        "tensor parsing error: x: ",
    )


def test_bytes_that_are_no_message(served: ServerProcess) -> None:
    call = served.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    refused(call, b"\xff\xff\xff no message", grpc.StatusCode.INTERNAL, "")
    refused(call, b"", BAD, "Missing ModelSpec")
    missing = served.channel.unary_unary("/tensorflow.serving.PredictionService/Explain")
    refused(missing, b"", MISSING, "")


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        (
            "Classify",
            classification_pb2.ClassificationRequest(model_spec=spec("half", "classify_x_to_y")),
        ),
        ("Regress", regression_pb2.RegressionRequest(model_spec=spec("half", "regress_x_to_y"))),
        ("MultiInference", inference_pb2.MultiInferenceRequest()),
        ("Classify", classification_pb2.ClassificationRequest()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_tensorflow_serving_is_needed_for(
    served: ServerProcess, method: str, request_: Any
) -> None:
    refused(
        getattr(served.prediction, method),
        request_,
        MISSING,
        f"{method} is not implemented by this embedded server; tensorflow/serving answers it",
    )


def metadata(model: model_pb2.ModelSpec | None, *fields: str) -> Any:
    return get_model_metadata_pb2.GetModelMetadataRequest(model_spec=model, metadata_field=fields)


def test_metadata(served: ServerProcess) -> None:
    call = served.prediction.GetModelMetadata
    response = call(metadata(spec("plus", label="stable"), "signature_def"))
    assert response.model_spec == spec("plus", version=1)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["serving_default"].inputs["x"].dtype == FLOAT
    for request, code, details in (
        (metadata(None, "signature_def"), BAD, "Missing ModelSpec"),
        (metadata(spec("half")), BAD, "must specify at least one metadata_field"),
        (metadata(spec("half"), "other"), BAD, "is not supported"),
        (metadata(spec("none"), "signature_def"), NO, "Servable not found"),
    ):
        refused(call, request, code, details)


def test_status(served: ServerProcess) -> None:
    def request(model: model_pb2.ModelSpec | None) -> Any:
        return get_model_status_pb2.GetModelStatusRequest(model_spec=model)

    call = served.models.GetModelStatus
    available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
    for model, versions in (
        (spec("plus"), [3, 2, 1]),
        (spec("plus", version=2), [2]),
        (spec("plus", label="new"), [3]),
    ):
        found = call(request(model)).model_version_status
        assert [(one.version, one.state) for one in found] == [(v, available) for v in versions]
    refused(call, request(None), BAD, "Missing ModelSpec")
    refused(call, request(spec("none")), NO, "Could not find any versions of model none")
    refused(call, request(spec("half", version=9)), NO, "Could not find version 9 of model half")


def test_a_clients_deadline_ends_the_work(served: ServerProcess) -> None:
    request = predict(spec("echo", "slow"), steps=np.int32([2**30]))
    with pytest.raises(grpc.RpcError) as caught:
        served.prediction.Predict(request, timeout=0.2)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED  # type: ignore[attr-defined]
