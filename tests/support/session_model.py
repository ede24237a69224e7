"""A SavedModel as a model server has it: TensorFlow's session loader and raw callables.

Imports TensorFlow alone, so that it also runs where nothing else can be imported.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

tf1 = tf.compat.v1


class SessionModel:
    """One loaded version of a model."""

    def __init__(self, folder: Path | str) -> None:
        tf.get_logger().setLevel("ERROR")
        with tf.Graph().as_default() as graph:
            self.session = tf1.Session(graph=graph)
            self.meta = tf1.saved_model.loader.load(self.session, ["serve"], str(folder))
        self._callables: dict[str, Any] = {}

    @property
    def signatures(self) -> set[str]:
        return {name for name in self.meta.signature_def if not name.startswith("__")}

    def __call__(self, signature: str, **inputs: Any) -> dict[str, np.ndarray[Any, Any]]:
        """Run a signature. Shapes are not checked, as TensorFlow Serving does not check them."""
        definition = self.meta.signature_def[signature]
        feed, fetch = sorted(definition.inputs), sorted(definition.outputs)
        if signature not in self._callables:
            options = config_pb2.CallableOptions(
                feed=[definition.inputs[key].name for key in feed],
                fetch=[definition.outputs[key].name for key in fetch],
            )
            # Unlike run(), which refuses a wrong rank before the graph can.
            self._callables[signature] = self.session._make_callable_from_options(options)
        values = self._callables[signature](*(inputs[key] for key in feed))
        return dict(zip(fetch, values, strict=True))
