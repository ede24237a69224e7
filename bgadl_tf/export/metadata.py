"""What a served model says of itself, to whoever asks it over the wire or reads its folder."""

from __future__ import annotations

import json

import tensorflow as tf

from bgadl_tf.core.types import Json
from bgadl_tf.export.signatures import KEYS, Outputs, Signature


def metadata_signature(metadata: Json) -> Signature:
    """The signature ``metadata``: names of entries to their JSON text.

    The empty key is the whole object; an unknown one gives ``null``.

    Raises:
        ValueError: A number is not finite.
    """
    texts = {key: as_text(value) for key, value in {"": metadata, **metadata}.items()}

    def values(keys: tf.Tensor) -> Outputs:
        same = keys[:, tf.newaxis] == tf.constant([*texts])  # [N, entries]
        found = tf.gather(tf.constant([*texts.values()]), tf.argmax(tf.cast(same, tf.int32), 1))
        return {"values": tf.where(tf.reduce_any(same, 1), found, "null")}

    return Signature((KEYS,), values)


def as_text(value: object) -> str:
    """JSON text of an entry, alike in the signature and in ``metadata.json``."""
    return json.dumps(value, allow_nan=False)
