"""What REST and gRPC have in common: each request finds its model, is answered and measured."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tensorflow_serving.apis import get_model_metadata_pb2

from bgadl_tf.serving.server import inference
from bgadl_tf.serving.server.manager import Manager
from bgadl_tf.serving.server.metrics import Metrics
from bgadl_tf.serving.server.request_log import RequestLog
from bgadl_tf.serving.server.savedmodel import Array
from bgadl_tf.serving.server.status import Code, from_exception

MakeInputs = Callable[[Mapping[str, Any]], Mapping[str, Array]]
"""The inputs of a request, given the signatures of the version, name -> ``SignatureDef``."""


class Spec(NamedTuple):
    """Which model: its name, and a version's number or label, or neither for the latest."""

    name: str
    version: int | None = None
    label: str | None = None


class Prediction(NamedTuple):
    """Outputs by name, and the number of the version that computed them."""

    version: int
    outputs: dict[str, Array]


class Models:
    """The models of a server.

    Args:
        manager: Holds them.
        metrics: Where every request is recorded.
        request_log: Keeps the images of those that were answered; None to keep none.
    """

    def __init__(
        self, manager: Manager, metrics: Metrics, request_log: RequestLog | None = None
    ) -> None:
        self.manager, self.metrics, self._request_log = manager, metrics, request_log

    def predict(
        self,
        spec: Spec,
        signature_name: str,
        make_inputs: MakeInputs,
        output_filter: Sequence[str] = (),
        timeout_ms: int = 0,
    ) -> Prediction:
        """Run a signature of a version.

        Args:
            spec: Which version.
            signature_name: Empty for the default.
            make_inputs: The inputs.
            output_filter: Names of outputs to compute; empty for all.
            timeout_ms: Give up after so long; 0 never.

        Raises:
            StatusError: The version is not available, or the request does not fit the signature.
            tf.errors.OpError: What the graph raised.
        """
        with self.manager.acquired(*spec) as (version, servable):
            inputs = make_inputs(servable.signatures)
            start = time.perf_counter()
            outputs = inference.predict(servable, signature_name, inputs, output_filter, timeout_ms)
            microseconds = (time.perf_counter() - start) * 1e6
            self.metrics.runtime.labels(spec.name, "Predict", "TF1").observe(microseconds)
            if self._request_log is not None:
                self._request_log.offer(spec.name, inputs)
            return Prediction(version, outputs)

    @contextlib.contextmanager
    def measured(self, spec: Spec, entrypoint: str) -> Iterator[None]:
        """Record a whole predict request.

        Args:
            spec: Which version it is for.
            entrypoint: REST or GRPC.
        """
        start, code = time.perf_counter(), Code.OK
        try:
            yield
        except Exception as error:
            code = from_exception(error).code
            raise
        finally:
            # A name that is not a model's would let clients make labels at will.
            name = spec.name if self.manager.has(spec.name) else ""
            microseconds = (time.perf_counter() - start) * 1e6
            self.metrics.requests.labels(name, code.name).inc()
            self.metrics.latency.labels(name, "Predict", entrypoint, code.name).observe(
                microseconds
            )

    def metadata(self, spec: Spec) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Signatures of a version.

        Raises:
            StatusError: It is not available.
        """
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        signatures = get_model_metadata_pb2.SignatureDefMap()
        with self.manager.acquired(*spec) as (version, servable):
            for name, signature in servable.signatures.items():
                signatures.signature_def[name].CopyFrom(signature)
        response.model_spec.name = spec.name
        response.model_spec.version.value = version
        response.metadata["signature_def"].Pack(signatures)
        return response
