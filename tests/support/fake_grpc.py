"""The fake model over gRPC."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tests.support.fake_model import FakeModel, FaultError


class Services(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    """PredictionService and ModelService."""

    def __init__(self, model: FakeModel) -> None:
        self.model = model

    def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self.or_abort(context, lambda: self.status(request))

    def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self.or_abort(context, lambda: self.describe(request))

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self.or_abort(context, lambda: self.predict(request))

    def or_abort(self, context: Any, answer: Callable[[], Any]) -> Any:
        try:
            return answer()
        except FaultError as fault:
            if fault.code == "SLOW":
                time.sleep(0.3)
            code = "UNAVAILABLE" if fault.code in ("RESET", "SLOW") else fault.code
            return context.abort(grpc.StatusCode[code], fault.message)

    def status(self, request: Any) -> Any:
        answer = get_model_status_pb2.GetModelStatusResponse()
        for version, state in self.model.statuses(request.model_spec.name).items():
            number = get_model_status_pb2.ModelVersionStatus.State.Value(state)
            answer.model_version_status.add(version=version, state=number)
        return answer

    def describe(self, request: Any) -> Any:
        found = get_model_metadata_pb2.SignatureDefMap()
        for name, parts in self.model.signatures.items():
            definition = found.signature_def[name]
            for entries, tensors in zip(
                (definition.inputs, definition.outputs), parts, strict=True
            ):
                for key, (dtype, shape) in tensors.items():
                    entries[key].dtype = types_pb2.DataType.Value(dtype)
                    for size in shape:
                        entries[key].tensor_shape.dim.add(size=size)
        answer = get_model_metadata_pb2.GetModelMetadataResponse()
        answer.model_spec.name = request.model_spec.name
        answer.model_spec.version.value = self.find(request.model_spec)
        answer.metadata["signature_def"].Pack(found)
        return answer

    def predict(self, request: Any) -> Any:
        version = self.find(request.model_spec)
        inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        signature = request.model_spec.signature_name
        outputs = self.model.predict(request.model_spec.name, version, signature, inputs)
        answer = predict_pb2.PredictResponse()
        answer.model_spec.version.value = self.answering_version(version)
        for key in request.output_filter or outputs:
            answer.outputs[key].CopyFrom(tf.make_tensor_proto(outputs[key]))
        return answer

    def find(self, spec: Any) -> int:
        version = spec.version.value if spec.HasField("version") else None
        return self.model.find(spec.name, version, spec.version_label or None)

    def answering_version(self, version: int) -> int:
        return version


@contextmanager
def grpc_server(model: FakeModel, services: type[Services] = Services) -> Iterator[str]:
    """Serves until the block ends; yields the address."""
    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool, options=[("grpc.so_reuseport", 0)])
        both = services(model)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(both, server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(both, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"grpc://127.0.0.1:{port}"
        finally:
            server.stop(None).wait()
