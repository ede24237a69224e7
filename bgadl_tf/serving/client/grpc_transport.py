"""TF-Serving's gRPC protocol. Importing this imports TensorFlow, as its messages do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from bgadl_tf.core.errors import BusyError, NotServedError, RejectedError, ServerError
from bgadl_tf.serving.client.address import Address
from bgadl_tf.serving.client.signature_defs import signatures_of
from bgadl_tf.serving.client.transport import (
    Description,
    Inputs,
    Names,
    Signature,
    Tensors,
    Transport,
    VersionStatus,
    first_line,
)

REJECTED = frozenset({"INVALID_ARGUMENT", "OUT_OF_RANGE", "FAILED_PRECONDITION"})
BUSY = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "CANCELLED", "ABORTED"})
OPTIONS = (
    # The default, 4 MB, is less than a batch of generated images.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # The default waits up to two minutes before it notices that a server is back.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
)


class GrpcTransport(Transport):
    """Calls over gRPC; one channel, which several threads may use."""

    def __init__(self, address: Address, model: str, timeout: float) -> None:
        super().__init__(address, model, timeout)
        if address.secure:
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.secure_channel(address.target, credentials, options=OPTIONS)
        else:
            self._channel = grpc.insecure_channel(address.target, options=OPTIONS)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def status(self) -> tuple[VersionStatus, ...]:
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=self._spec())
        answer = self._call(self._models.GetModelStatus, request)
        states = get_model_status_pb2.ModelVersionStatus.State
        return tuple(
            VersionStatus(int(each.version), states.Name(each.state), each.status.error_message)
            for each in answer.model_version_status
        )

    def describe(self, *, version: int | None = None, label: str | None = None) -> Description:
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=self._spec(version, label), metadata_field=["signature_def"]
        )
        answer = self._call(self._prediction.GetModelMetadata, request)
        found = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(found)
        return Description(
            _version(answer.model_spec),
            signatures_of(found.signature_def),
        )

    def predict(
        self, version: int, name: str, signature: Signature, inputs: Inputs, outputs: Names
    ) -> Tensors:
        request = predict_pb2.PredictRequest(
            model_spec=self._spec(version), output_filter=outputs or ()
        )
        request.model_spec.signature_name = name
        for key, values in inputs.items():
            # Numbers of more than one element travel as tensor_content: the array's own bytes.
            request.inputs[key].CopyFrom(tf.make_tensor_proto(values))
        answer = self._call(self._prediction.Predict, request)
        answered = _version(answer.model_spec)
        if answered not in (None, version):
            raise ServerError(
                f"{self.address} was asked for version {version} of model {self.model!r} but "
                f"answered with version {answered}"
            )
        wanted = signature.outputs if outputs is None else outputs
        if missing := sorted(set(wanted) - set(answer.outputs)):
            raise ServerError(f"{self.address} did not answer with {', '.join(missing)}")
        return {key: np.asarray(tf.make_ndarray(answer.outputs[key])) for key in wanted}

    def close(self) -> None:
        self._channel.close()

    def _spec(self, version: int | None = None, label: str | None = None) -> Any:
        spec = model_pb2.ModelSpec(name=self.model)
        if version is not None:
            spec.version.value = version
        elif label is not None:
            spec.version_label = label
        return spec

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        try:
            return method(request, timeout=self.timeout)
        except grpc.RpcError as error:
            raise self._failure(error.code().name, error.details() or "") from error
        except ValueError as error:  # a closed channel
            raise ServerError(f"cannot ask {self.address}: {first_line(str(error))}") from error

    def _failure(self, code: str, details: str) -> ServerError:
        message = f"{first_line(details)} ({code})"
        # The same code says "too many requests" and "this one is too long".
        if code in REJECTED or (code == "RESOURCE_EXHAUSTED" and "larger than max" in details):
            return self.failure(RejectedError, message)
        if code == "UNAVAILABLE" and (wrong := self._wrong_protocol(details)):
            return ServerError(f"{self.address} {wrong}")
        # A kernel of the model may be unimplemented, too.
        if code == "UNIMPLEMENTED" and re.search("method|service", details, re.IGNORECASE):
            return ServerError(f"{self.address} speaks gRPC, but is no model server: {message}")
        if code in BUSY:
            return self.failure(BusyError, message)
        return self.failure(NotServedError if code == "NOT_FOUND" else ServerError, message)

    def _wrong_protocol(self, details: str) -> str | None:
        """What is at the address where it is not a gRPC server, which no waiting would mend."""
        if "Expected SETTINGS frame" in details or "http1.x server" in details:
            http = f"http{'s' * self.address.secure}://{self.address.target}"
            return f"does not speak gRPC; if it is the REST port of a model server, write {http}"
        if "WRONG_VERSION_NUMBER" in details:
            return f"does not use TLS; write grpc://{self.address.target}"
        if "CERTIFICATE_VERIFY_FAILED" in details:
            return "has a TLS certificate that is not trusted here"
        return None


def _version(spec: Any) -> int | None:
    return int(spec.version.value) if spec.HasField("version") else None
