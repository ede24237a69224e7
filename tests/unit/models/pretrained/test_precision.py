"""A frozen network in half precision computes what it does in full, but for rounding."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.models.pretrained import applications
from bgadl_tf.models.pretrained.backbone import Backbone, load_backbone
from bgadl_tf.models.pretrained.choice import NetworkChoice
from bgadl_tf.models.pretrained.precision import in_precision

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)


def made_for_statistics(*_: object) -> keras.Model:
    """As an EfficientNet is: its first layer knows the mean and the variance of ImageNet."""
    norm = keras.layers.Normalization()
    inputs = keras.Input((8, 8, 3))
    features = keras.layers.GlobalAveragePooling2D()(norm(inputs))
    norm.adapt_mean.assign([120.0, 110.0, 100.0])
    norm.adapt_variance.assign([60.0, 50.0, 40.0])
    norm.finalize_state()
    return keras.Model(inputs, features)


def test_a_named_network_keeps_the_statistics_it_was_made_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(applications, "create", made_for_statistics)
    backbone = load_backbone(NetworkChoice("keras:EfficientNetB0"), (8, 8, 3))
    expected = made_for_statistics()(IMAGES.astype(np.float32))
    np.testing.assert_allclose(backbone(IMAGES), expected, atol=1e-4)
    half = in_precision(backbone, "mixed_bfloat16")
    assert half.network.layers[-1].compute_dtype == "bfloat16"
    np.testing.assert_allclose(np.asarray(half(IMAGES), np.float32), expected, atol=0.1)
    # Nothing is left that a copy of the weights could miss.
    assert not backbone.weights


def test_statistics_are_kept_of_any_backbone() -> None:
    half = in_precision(Backbone(made_for_statistics(), (8, 8, 3)), "mixed_bfloat16")
    expected = made_for_statistics()(IMAGES / np.float32(255))
    np.testing.assert_allclose(np.asarray(half(IMAGES), np.float32), expected, atol=0.1)


def test_layers_that_cannot_be_told_apart_are_refused() -> None:
    class Own(keras.Model):
        def call(self, examples: object) -> object:
            return keras.ops.mean(examples, axis=(1, 2))

    backbone = Backbone(Own(name="own"), (8, 8, 3))
    with pytest.raises(ConfigError, match=r"'own' cannot be made .* subclassed .*float32"):
        in_precision(backbone, "mixed_bfloat16")
