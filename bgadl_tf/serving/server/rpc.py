"""gRPC: TensorFlow Serving's PredictionService and ModelService."""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from bgadl_tf.serving.server import configuration, tensor_protos
from bgadl_tf.serving.server.inference import DEFAULT_SIGNATURE
from bgadl_tf.serving.server.models import Models, Spec
from bgadl_tf.serving.server.savedmodel import Array
from bgadl_tf.serving.server.status import (
    Code,
    StatusError,
    from_exception,
    invalid_argument,
    not_implemented,
)

LONGEST_MESSAGE = 2**31 - 1

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


def make_server(models: Models, threads: int, as_content: bool, health: bool) -> grpc.Server:
    """A server without a port yet.

    Args:
        models: What is served.
        threads: Requests answered at a time.
        as_content: Whether answers carry ``tensor_content``.
        health: Whether to offer ``grpc.health.v1.Health``.
    """
    server = grpc.server(
        ThreadPoolExecutor(threads, "grpc"),
        options=[
            ("grpc.max_receive_message_length", LONGEST_MESSAGE),
            ("grpc.max_send_message_length", LONGEST_MESSAGE),
            ("grpc.so_reuseport", 0),  # a second server on the port is an error
        ],
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _PredictionService(models, as_content), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_ModelService(models), server)
    if health:
        health_pb2_grpc.add_HealthServicer_to_server(_Health(models), server)
    return server


def _answering(
    method: Callable[[Any, _Request, int], _Response],
) -> Callable[[Any, _Request, grpc.ServicerContext], _Response]:
    """A method of a service whose exceptions become status codes.

    Args:
        method: Of a request and the milliseconds its client waits, 0 for ever.
    """

    @functools.wraps(method)
    def answer(self: Any, request: _Request, context: grpc.ServicerContext) -> _Response:
        try:
            return method(self, request, _timeout_ms(context))
        except Exception as error:
            failure = from_exception(error)
            context.abort(_GRPC_CODES[failure.code], _details(failure.message))
            raise AssertionError("abort raises") from error

    return answer


_GRPC_CODES = {code.value[0]: code for code in grpc.StatusCode}
_LONGEST_DETAILS = 6000


def _timeout_ms(context: grpc.ServicerContext) -> int:
    """How long the client waits, up to a power of two, since each value is compiled for; 0 ever."""
    seconds = context.time_remaining()
    if seconds is None or seconds > 2**20:
        return 0
    return 1 << max(0, int(seconds * 1000)).bit_length()


def _details(message: str) -> str:
    """A message that fits a trailer, where what is not ASCII takes three bytes a byte."""
    if len(quote(message)) <= _LONGEST_DETAILS:
        return message
    return message.encode("ascii", "replace").decode()[:_LONGEST_DETAILS]


class _PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, models: Models, as_content: bool) -> None:
        self._models, self._as_content = models, as_content

    @_answering
    def Predict(  # noqa: N802
        self, request: predict_pb2.PredictRequest, timeout_ms: int
    ) -> predict_pb2.PredictResponse:
        spec, signature_name = _spec(request), request.model_spec.signature_name
        with self._models.measured(spec, "GRPC"):
            prediction = self._models.predict(
                spec,
                signature_name,
                lambda _: {name: _array(name, proto) for name, proto in request.inputs.items()},
                tuple(request.output_filter),
                timeout_ms,
            )
            response = predict_pb2.PredictResponse()
            response.model_spec.name = spec.name
            response.model_spec.version.value = prediction.version
            response.model_spec.signature_name = signature_name or DEFAULT_SIGNATURE
            for name, array in prediction.outputs.items():
                response.outputs[name].CopyFrom(tensor_protos.from_array(array, self._as_content))
            return response

    @_answering
    def Classify(self, request: Any, timeout_ms: int) -> NoReturn:  # noqa: N802
        raise not_implemented("Classify")

    @_answering
    def Regress(self, request: Any, timeout_ms: int) -> NoReturn:  # noqa: N802
        raise not_implemented("Regress")

    @_answering
    def MultiInference(self, request: Any, timeout_ms: int) -> NoReturn:  # noqa: N802
        raise not_implemented("MultiInference")

    @_answering
    def GetModelMetadata(  # noqa: N802
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, timeout_ms: int
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        spec = _spec(request)
        if not request.metadata_field:
            raise invalid_argument(
                "GetModelMetadataRequest must specify at least one metadata_field"
            )
        for field in request.metadata_field:
            if field != "signature_def":
                raise invalid_argument(f"Metadata field {field} is not supported")
        return self._models.metadata(spec)


class _ModelService(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, models: Models) -> None:
        self._models = models

    @_answering
    def GetModelStatus(  # noqa: N802
        self, request: get_model_status_pb2.GetModelStatusRequest, timeout_ms: int
    ) -> get_model_status_pb2.GetModelStatusResponse:
        return self._models.manager.status(*_spec(request))

    @_answering
    def HandleReloadConfigRequest(  # noqa: N802
        self, request: model_management_pb2.ReloadConfigRequest, timeout_ms: int
    ) -> model_management_pb2.ReloadConfigResponse:
        if request.config.WhichOneof("config") != "model_config_list":
            raise invalid_argument(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
                "ModelConfigList is currently supported"
            )
        configs = configuration.model_configs(request.config)
        manager = self._models.manager
        manager.configure(configs)
        if missing := [config.name for config in configs if not manager.available(config.name)]:
            raise StatusError(
                Code.UNKNOWN,
                f"Some models did not become available: {{{', '.join(missing)}}}",
            )
        response = model_management_pb2.ReloadConfigResponse()
        response.status.error_code = Code.OK
        return response


def _array(name: str, proto: Any) -> Array:
    try:
        return tensor_protos.to_array(proto)
    except StatusError as error:
        raise invalid_argument(f"tensor parsing error: {name}: {error.message}") from None


def _spec(request: Any) -> Spec:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    spec = request.model_spec
    match spec.WhichOneof("version_choice"):
        case "version":
            return Spec(spec.name, version=spec.version.value)
        case "version_label":
            return Spec(spec.name, label=spec.version_label)
        case _:
            return Spec(spec.name)


class _Health(health.HealthServicer):
    """SERVING once every model has a version that answers."""

    def __init__(self, models: Models) -> None:
        super().__init__()
        self._models = models

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        self._refresh()
        return super().Check(request, context)

    def Watch(self, request: Any, context: grpc.ServicerContext, *more: Any) -> Any:  # noqa: N802
        self._refresh()
        return super().Watch(request, context, *more)

    def _refresh(self) -> None:
        statuses = health_pb2.HealthCheckResponse
        available = self._models.manager.available()
        self.set(health.OVERALL_HEALTH, statuses.SERVING if available else statuses.NOT_SERVING)
