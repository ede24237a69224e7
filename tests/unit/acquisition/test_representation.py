"""In which vectors examples are compared, and in which order."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.representation import LAYERS, layer_of, represented
from bgadl_tf.core.errors import PoolError
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from tests.support.pool_view import GivenView, random_evidence


def evidence_of(shape: tuple[int, ...]) -> Evidence:
    classifier = CLASSIFIERS.get("lenet" if len(shape) > 1 else "mlp")(shape, 3)
    examples = tf.random.stateless_uniform((4, *shape), (1, 2))
    return Evidence(examples, classifier, None, ())


def test_vectors_are_compared_as_they_are_and_images_in_the_trunks_features() -> None:
    vectors = evidence_of((6,))
    np.testing.assert_array_equal(layer_of(vectors, None), vectors.inputs)
    images = evidence_of((8, 8, 1))
    np.testing.assert_array_equal(layer_of(images, None), images.features)


def test_every_layer_can_be_asked_for() -> None:
    evidence = evidence_of((8, 8, 1))
    for layer in LAYERS:
        expected = tf.reshape(getattr(evidence, layer), (4, -1))
        np.testing.assert_array_equal(layer_of(evidence, layer), expected)


def test_labelled_and_candidates_are_in_the_order_of_ids() -> None:
    known = [f"x{row}" for row in (3, 1, 4, 0, 2)]
    given = random_evidence(5)
    view = GivenView(given, known, [2, 0, 4], 2, labels={"x1": 0})
    found = represented(view, 3, lambda evidence: evidence.features, "euclidean")
    assert found.ids == ["x1", "x2", "x3", "x4"]
    np.testing.assert_array_equal(found.features, given.features[[1, 4, 0, 2]])
    assert found.labelled.tolist() == [True, False, False, False]
    with pytest.raises(PoolError, match="only 3 candidates"):
        represented(view, 4, lambda evidence: evidence.features, "euclidean")
