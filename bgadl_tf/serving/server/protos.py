"""Messages of TensorFlow Serving's configuration files that ``tensorflow-serving-api`` lacks.

Only their text form is ever read, which knows field names alone; the field numbers are ours.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

_INT64, _BOOL, _STRING = (
    {"type": descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE, "type_name": f".google.protobuf.{w}"}
    for w in ("Int64Value", "BoolValue", "StringValue")
)
_PLAIN_BOOL = {"type": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL}
_MESSAGES: dict[str, dict[str, dict[str, Any]]] = {
    "BatchingParameters": {
        "max_batch_size": _INT64,
        "batch_timeout_micros": _INT64,
        "max_enqueued_batches": _INT64,
        "num_batch_threads": _INT64,
        "thread_pool_name": _STRING,
        "allowed_batch_sizes": {
            "type": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
            "label": descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED,
        },
        "pad_variable_length_inputs": _PLAIN_BOOL,
        "enable_large_batch_splitting": _BOOL,
        "max_execution_batch_size": _INT64,
    },
    "PrometheusConfig": {
        "enable": _PLAIN_BOOL,
        "path": {"type": descriptor_pb2.FieldDescriptorProto.TYPE_STRING},
    },
    "MonitoringConfig": {
        "prometheus_config": {**_INT64, "type_name": ".bgadl_tf.PrometheusConfig"}
    },
}


def batching_parameters() -> Any:
    """An empty ``BatchingParameters``."""
    return _new("BatchingParameters")


def monitoring_config() -> Any:
    """An empty ``MonitoringConfig``."""
    return _new("MonitoringConfig")


def _new(name: str) -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="bgadl_tf.proto", package="bgadl_tf", dependency=[wrappers_pb2.DESCRIPTOR.name]
    )
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for number, (field, kind) in enumerate(fields.items(), start=1):
            described.field.add(name=field, number=number, **kind)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"bgadl_tf.{name}"))()
