"""One small request for each signature: run before a model is published and when one is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2

from bgadl_tf.export.signatures import Signature, Signatures
from bgadl_tf.models.spaces import Space

Request = dict[str, np.ndarray[Any, Any]]
"""Inputs of one row, by name."""

FILE = "tf_serving_warmup_requests"


def requests(signatures: Signatures, space: Space) -> dict[str, Request]:
    """A request for every signature, of one example of zeros, of class 0, under seed 0."""
    zeros = np.zeros(space.shape, space.dtype.as_numpy_dtype)
    rows: dict[str, Any] = {
        space.name: zeros,
        "label": np.int64(0),
        "seed": np.int64(0),
        "keys": b"",
    }
    if len(space.shape) == 3:
        rows["image_bytes"] = tf.io.encode_png(zeros).numpy()

    def request(signature: Signature) -> Request:
        return {
            spec.name: np.array([rows[spec.name]], spec.dtype.as_numpy_dtype)
            for spec in signature.inputs
        }

    return {name: request(signature) for name, signature in signatures.items()}


def write(path: Path, model: str, named: dict[str, Request]) -> None:
    """Write requests as the record file that TensorFlow Serving replays when it loads a model."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, request in named.items():
            predict = predict_pb2.PredictRequest(
                model_spec=model_pb2.ModelSpec(name=model, signature_name=name),
                inputs={key: tf.make_tensor_proto(value) for key, value in request.items()},
            )
            log = prediction_log_pb2.PredictLog(request=predict)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
