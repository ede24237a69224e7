"""Signatures as TensorFlow's own messages describe them. Importing this imports TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorflow.core.framework import types_pb2

from bgadl_tf.serving.client.transport import DTYPES, Signature, TensorSpec


def signatures_of(definitions: Mapping[str, Any]) -> dict[str, Signature]:
    """Signatures by name, from their ``SignatureDef`` messages."""
    return {
        name: Signature(_specs(definition.inputs), _specs(definition.outputs))
        for name, definition in definitions.items()
    }


def _specs(entries: Mapping[str, Any]) -> dict[str, TensorSpec]:
    return {
        name: TensorSpec(
            DTYPES.get(types_pb2.DataType.Name(entry.dtype)),
            None
            if entry.tensor_shape.unknown_rank
            else tuple(None if d.size < 0 else int(d.size) for d in entry.tensor_shape.dim),
        )
        for name, entry in entries.items()
    }
