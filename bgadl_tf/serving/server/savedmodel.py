"""A SavedModel in a session, as TensorFlow Serving runs it.

Python's own ``tf.saved_model.load`` accepts models that TensorFlow Serving cannot restore; the
session loader is what both have in common.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.protobuf import config_pb2

Array = NDArray[Any]


class Runner(Protocol):
    """Runs a graph: a session, or a queue in front of one."""

    def run(
        self, feeds: Mapping[str, Array], fetches: Sequence[str], timeout_ms: int = 0
    ) -> list[Array]:
        """Values of ``fetches``, tensor names, given the values of ``feeds``.

        Args:
            feeds: Tensor name -> value.
            fetches: Tensor names.
            timeout_ms: Give up after so long; 0 never.

        Raises:
            StatusError: Inputs that the queue refuses.
            tf.errors.OpError: What the graph raised.
        """


class SavedModel:
    """One version of a model, loaded.

    Args:
        path: Folder with ``saved_model.pb``.
        tags: Of the meta graph.
        intra_op_threads: Of the session; 0 for TensorFlow's choice.
        inter_op_threads: Likewise.

    Attributes:
        signatures: Name -> ``SignatureDef``.

    Raises:
        Exception: Whatever the loader raised on a folder that is not a sound SavedModel.
    """

    def __init__(
        self,
        path: Path,
        tags: Sequence[str] = ("serve",),
        intra_op_threads: int = 0,
        inter_op_threads: int = 0,
    ) -> None:
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=intra_op_threads,
            inter_op_parallelism_threads=inter_op_threads,
        )
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        try:
            with graph.as_default():
                meta = tf.compat.v1.saved_model.loader.load(self._session, list(tags), str(path))
        except BaseException:
            self._session.close()
            raise
        self.signatures: dict[str, Any] = dict(meta.signature_def)
        self._callables: dict[tuple[Any, ...], Callable[..., list[Array]]] = {}
        self._lock = threading.Lock()

    def run(
        self, feeds: Mapping[str, Array], fetches: Sequence[str], timeout_ms: int = 0
    ) -> list[Array]:
        names = sorted(feeds)
        # A graph output may be fetched twice under two aliases; a callable fetches it once.
        unique = list(dict.fromkeys(fetches))
        run = self._callable(tuple(names), tuple(unique), timeout_ms)
        values = dict(zip(unique, run(*(feeds[name] for name in names)), strict=True))
        return [as_array(values[name]) for name in fetches]

    def _callable(
        self, feeds: tuple[str, ...], fetches: tuple[str, ...], timeout_ms: int
    ) -> Callable[..., list[Array]]:
        key = (feeds, fetches, timeout_ms)
        with self._lock:
            if key not in self._callables:
                options = config_pb2.CallableOptions()
                options.feed.extend(feeds)
                options.fetch.extend(fetches)
                options.run_options.timeout_in_ms = timeout_ms
                # Unlike Session.run this does not compare shapes with the placeholders', just as
                # the C++ session does not; and it is much faster.
                self._callables[key] = self._session._make_callable_from_options(options)
            return self._callables[key]

    def close(self) -> None:
        """Free the session; no run may be under way."""
        self._callables.clear()
        self._session.close()


def as_array(value: Any) -> Array:
    """What a session or an eager tensor answers, as an array; strings as ``bytes`` objects."""
    # NumPy would make an array of fixed length of a single string, and lose NULs at its end.
    return np.array(value, object) if isinstance(value, bytes) else np.asarray(value)
