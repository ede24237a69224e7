"""Networks are recognised by what they compute, and not by what Keras calls their layers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest

from bgadl_tf.models.pretrained import cloning, fingerprint
from bgadl_tf.models.pretrained.backbone import Backbone
from bgadl_tf.models.pretrained.pixels import Pixels

Layers = keras.layers


def network(**settings: Any) -> keras.Model:
    """Models within models, an operation that is no layer, and a layer that wraps another."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((6, 8))
    inner = keras.Sequential([Layers.Dense(4), Layers.Dropout(0.1), Layers.Dense(4)])
    deep = keras.Sequential([inner, Layers.BatchNormalization()])
    wrapped = Layers.TimeDistributed(Layers.Dense(4, **{"activation": "relu", **settings}))
    mapped = deep(inputs) * 2.0
    return keras.Model(inputs, Layers.Add()([wrapped(inputs), mapped]))


def wired(join: Callable[..., Any]) -> keras.Model:
    """The same layers, joined in another way."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((8,))
    hidden = Layers.Dense(8)(inputs)
    return keras.Model(inputs, Layers.Subtract()(join(inputs, hidden, Layers.Dense(8)(hidden))))


def test_what_layers_are_called_does_not_matter() -> None:
    one = network()
    keras.Sequential([keras.Input((3,)), Layers.Dense(2)])  # counts names up
    other = network()
    assert one.name != other.name
    assert fingerprint.of(one) == fingerprint.of(other)


def test_a_copy_and_one_from_a_file_are_the_same(tmp_path: Path) -> None:
    given = network()
    known = fingerprint.of(given)
    copy = cloning.copied(given)
    assert fingerprint.of(copy) == fingerprint.of(cloning.copied(copy)) == known
    given.save(tmp_path / "given.keras")
    assert fingerprint.of(keras.saving.load_model(tmp_path / "given.keras")) == known


@pytest.mark.slow
def test_it_is_the_same_in_another_process() -> None:
    lines = "from tests.unit.models.pretrained import test_fingerprint as t; print(t.known())"
    settings = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run(
        [sys.executable, "-c", lines], env=settings, check=True, capture_output=True, text=True
    )
    assert found.stdout.split()[-1] == known()


def known() -> str:
    """Of some networks; printed by another process."""
    return fingerprint.of(network()) + fingerprint.of(wired(lambda x, _, z: [z, x]))


def test_wiring_matters() -> None:
    joins: list[Callable[..., Any]] = [
        lambda x, y, z: [z, x], lambda x, y, z: [z, y], lambda x, y, z: [x, z],
    ]  # fmt: skip
    found = {fingerprint.of(wired(join)) for join in joins}
    assert len(found) == len(joins)
    assert fingerprint.of(wired(joins[0])) in found


@pytest.mark.parametrize(
    "settings",
    [{"activation": "gelu"}, {"dtype": "mixed_bfloat16"}, {"use_bias": False}],
    ids=["activation", "precision", "bias"],
)
def test_settings_matter_at_any_depth(settings: dict[str, Any]) -> None:
    assert fingerprint.of(network(**settings)) != fingerprint.of(network())


def test_weights_pixels_and_shape_matter() -> None:
    given = keras.Sequential([keras.Input((None, None, 3)), Layers.Conv2D(2, 3)])
    backbones = [
        Backbone(given, (8, 8, 3)), Backbone(given, (9, 9, 3)),
        Backbone(given, (8, 8, 3), Pixels(0, 255)),
    ]  # fmt: skip
    found = {backbone.fingerprint() for backbone in backbones}
    given.layers[0].bias.assign([0.0, 0.1])
    found.add(backbones[0].fingerprint())
    assert len(found) == 4


def test_what_only_training_heeds_does_not_matter() -> None:
    given = network()
    known = fingerprint.of(given)
    given.trainable = False
    for norm in cloning.batch_norms(given):
        norm.synchronized = True
    assert fingerprint.of(given) == known
