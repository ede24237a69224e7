"""What a model server could not load or should not run is refused."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ExportError
from bgadl_tf.export.signatures import require
from bgadl_tf.export.verify import verify

REQUESTS = {"serving_default": {"x": np.zeros((1, 3), np.float32)}}
X = tf.TensorSpec((None, 3), tf.float32, "x")


class Counter(tf.Module):
    def __init__(self) -> None:
        self.calls = tf.Variable(0.0)

    @tf.function(input_signature=[X], autograph=False)
    def __call__(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        def counted() -> tf.Tensor:
            return x + self.calls.assign_add(1.0)

        return {"y": tf.cond(tf.shape(x)[0] > 0, counted, lambda: x)}


def test_a_signature_that_changes_a_variable_is_refused_however_deep(tmp_path: Path) -> None:
    module = Counter()
    tf.saved_model.save(module, str(tmp_path), signatures=module.__call__)
    with pytest.raises(ExportError, match="'serving_default' changes variables: AssignAddVariable"):
        verify(tmp_path, REQUESTS)


def test_variables_that_only_python_finds_are_refused(tmp_path: Path) -> None:
    dense = keras.layers.Dense(2)
    dense.build((None, 3))
    module = tf.Module()
    module.kept = dense.weights
    serve = tf.function(lambda x: {"y": dense(x)}, input_signature=[X], autograph=False)
    tf.saved_model.save(module, str(tmp_path), signatures=serve)
    with pytest.raises(ExportError, match="could not serve the exported model: "):
        verify(tmp_path, REQUESTS)


def test_a_sound_model_passes_and_a_failing_request_does_not(tmp_path: Path) -> None:
    module = tf.Module()
    module.scale = tf.Variable(2.0)

    @tf.function(input_signature=[X], autograph=False)
    def serve(x: tf.Tensor) -> dict[str, tf.Tensor]:
        (small,) = require(tf.reduce_all(x < 1.0), "expected less than 1; got", x)(x)
        return {"y": small * module.scale}

    tf.saved_model.save(module, str(tmp_path), signatures=serve)
    verify(tmp_path, REQUESTS)
    with pytest.raises(ExportError, match=r"could not serve.*: .*expected less than 1; got"):
        verify(tmp_path, {"serving_default": {"x": np.ones((1, 3), np.float32)}})
    with pytest.raises(ExportError, match="for 1 row"):
        verify(tmp_path, {"serving_default": {"x": np.zeros((2, 3), np.float32)}})


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="could not serve the exported model"):
        verify(tmp_path, {})
