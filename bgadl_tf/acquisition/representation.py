"""Examples, labelled or not, as vectors in which they are compared: in the order of their ids.

What is drawn or tied among them therefore does not depend on the order of the pool.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import PoolView
from bgadl_tf.acquisition.cover import METRICS, collected, features_of
from bgadl_tf.acquisition.evidence import Evidence, Look
from bgadl_tf.core.errors import ConfigError, PoolError
from bgadl_tf.core.types import Floats, Id

LAYERS = ("inputs", "features", "penultimate")


class Represented(NamedTuple):
    """Candidates and labelled examples.

    Fields:
        ids: ``[N]``, sorted.
        features: ``[N, F]``, in memory or in a temporary file.
        labelled: Which are labelled, bool ``[N]``; the others are the candidates.
    """

    ids: list[Id]
    features: Floats
    labelled: NDArray[np.bool_]


def layer_of(evidence: Evidence, layer: str | None) -> tf.Tensor:
    """Vectors ``[n, F]`` float32.

    Args:
        evidence: Of n examples.
        layer: One of ``LAYERS``. None for what knows most where nothing or little is labelled:
            vectors as they are, for a backbone has made them; of images, the trunk's features.
    """
    if layer is None:
        layer = "inputs" if evidence.inputs.shape.rank == 2 else "features"
    values = tf.cast(getattr(evidence, layer), tf.float32)
    return tf.reshape(values, (tf.shape(values)[0], int(np.prod(values.shape[1:]))))


def represented(view: PoolView, size: int, look: Look, metric: str) -> Represented:
    """Every candidate and every labelled example.

    Args:
        view: Of the pool.
        size: Candidates that are to be chosen.
        look: From evidence to vectors ``[n, F]``.
        metric: One of ``cover.METRICS``; for the cosine, vectors are of length 1.

    Raises:
        PoolError: There are fewer candidates than ``size``.
        ScoreError: A vector is not finite; the message names the first example.
    """
    if size > len(view.ids):
        raise PoolError(
            f"{size} labels were asked for, but only {len(view.ids)} candidates are left"
        )
    ids = sorted({*view.ids, *view.labels})
    features = collected(features_of(view, ids, look, metric), len(ids))
    candidates = {*view.ids}
    return Represented(ids, features, np.array([id_ not in candidates for id_ in ids]))


def check_representation(name: str, layer: str | None, metric: str) -> None:
    """Refuse unknown options.

    Args:
        name: Of the acquisition.
        layer: One of ``LAYERS``, or None.
        metric: One of ``cover.METRICS``.

    Raises:
        ConfigError: One is unknown.
    """
    for option, value, possible in (("layer", layer, LAYERS), ("metric", metric, METRICS)):
        if value is not None and value not in possible:
            raise ConfigError(
                f"--option {name}.{option} is {value!r}; choose from {', '.join(possible)}"
            )
