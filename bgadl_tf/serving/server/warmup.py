"""Warm-up: the requests a version answers before it is available to anyone.

The file is TensorFlow Serving's: ``assets.extra/tf_serving_warmup_requests``, a TFRecord of at
most 1000 ``PredictionLog`` messages.
"""

from __future__ import annotations

import logging
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from bgadl_tf.serving.server import inference, tensor_protos
from bgadl_tf.serving.server.inference import Servable
from bgadl_tf.serving.server.status import Code, StatusError, invalid_argument, not_implemented

FILE = Path("assets.extra") / "tf_serving_warmup_requests"
MOST = 1000

_log = logging.getLogger(__name__)
_LEFT_OUT = {
    "classify_log": "Classify",
    "regress_log": "Regress",
    "multi_inference_log": "MultiInference",
}


def replay(servable: Servable, folder: Path, iterations: int = 1) -> int:
    """Run the warm-up requests of a version.

    Args:
        servable: The version.
        folder: Its folder.
        iterations: How often to run each.

    Returns:
        Requests in the file; 0 when there is none.

    Raises:
        StatusError: The file is damaged or too long, or a request failed.
        tf.errors.OpError: Likewise.
    """
    file = folder / FILE
    if not file.exists():
        return 0
    records = tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
    count = 0
    for count, record in enumerate(records, start=1):
        if count > MOST:
            raise invalid_argument(f"Number of warmup records exceeds the maximum ({MOST})")
        try:
            log = prediction_log_pb2.PredictionLog.FromString(record)
        except DecodeError:
            raise StatusError(
                Code.DATA_LOSS, f"Failed to parse warmup record {count} as a PredictionLog"
            ) from None
        for _ in range(iterations):
            _run(servable, log)
    return count


def _run(servable: Servable, log: prediction_log_pb2.PredictionLog) -> None:
    kind = log.WhichOneof("log_type")
    if kind in _LEFT_OUT:
        _log.warning("a warm-up record is skipped: %s", not_implemented(_LEFT_OUT[kind]))
        return
    if kind != "predict_log":
        raise StatusError(Code.UNIMPLEMENTED, f"Unsupported log_type for warmup: {kind}")
    request = log.predict_log.request
    inference.predict(
        servable,
        request.model_spec.signature_name,
        {name: tensor_protos.to_array(proto) for name, proto in request.inputs.items()},
        tuple(request.output_filter),
    )
