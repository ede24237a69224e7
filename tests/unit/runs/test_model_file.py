"""Settings of a classifier in a file, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs.model_export import bayesian_classifier, class_names
from bgadl_tf.runs.model_file import ModelFile, is_model_file, refuse_other_file
from tests.support.examples import some_images, some_vectors
from tests.support.model_files import of_any_size, saved, vector_model

Make = Callable[[], keras.Model]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cats.keras", True),
        ("models/cats.KERAS", True),
        ("cats.keras:pool", True),
        ("model:cats", True),
        ("classifier", False),
        ("keras", False),
        ("keras:VGG16", False),
        (".keras/classifier", False),
    ],
)
def test_a_file_is_told_from_the_name_of_a_served_model(name: str, expected: bool) -> None:
    assert is_model_file(name) == expected


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("cats.h5", "load it with keras.saving.load_model, and save it as FILE.keras"),
        ("gone/cats.HDF5:pool", "load it with keras.saving.load_model, and save it as FILE.keras"),
        ("cats.onnx", r"save the model by model\.save\('FILE\.keras'\)"),
        ("some/cats", r"save the model by model\.save\('FILE\.keras'\)"),
        ("saved", "serve what it holds, and give the name that it is served by"),
        ("classifier/", "serve what it holds, and give the name that it is served by"),
        ("some/classifier", "serve what it holds, and give the name that it is served by"),
    ],
)
def test_other_files_are_not_taken_for_names_of_served_models(
    name: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("saved", "classifier", "some/classifier"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("cats.onnx", "some/cats", "saved/saved_model.pb", "cats"):
        (tmp_path / file).touch()
    with pytest.raises(ConfigError, match=rf"--model is '{name}'; expected the .*FILE.*: {advice}"):
        refuse_other_file(name)
    for known in ("classifier", "classifier_uint8", "cats", "cats.v2", "team/cats"):
        refuse_other_file(known)


def test_what_a_model_is_called() -> None:
    file = ModelFile(model="some/where/cats.keras:pool")
    assert file.spec == "model:some/where/cats.keras:pool"
    assert file.name == "cats.keras:pool"
    assert ModelFile(model="model:cats.keras").spec == "model:cats.keras"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "cats"}, "--model is 'cats'; expected a file that model.save"),
        ({"dropout": 1.0}, "--dropout is 1; it must be between 0 and 1"),
        ({"mc_samples": 1}, "--mc-samples is 1; it must be at least 2"),
        ({"image_size": 0}, "--image-size is 0; it must be at least 1"),
        ({"resize": "squash"}, "--resize is 'squash'; choose from stretch, crop, pad"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ModelFile(**{"model": "cats.keras", **settings})  # type: ignore[arg-type]


def test_images_of_any_size_are_seen_at_one(tmp_path: Path) -> None:
    model = of_any_size()
    path = saved(model, tmp_path / "any.keras")
    file = ModelFile(model=str(path), image_size=9, pixel_range="-1,1", dropout=0.5)
    classifier = bayesian_classifier(file)
    assert classifier.example_shape == (9, 9, 3)
    images = some_images(4, (9, 9, 3))
    expected = tf.nn.log_softmax(model(images / 127.5 - 1))
    np.testing.assert_allclose(classifier(images), expected, atol=1e-5)


def test_two_classes_of_vectors(tmp_path: Path) -> None:
    model, vectors = vector_model(), some_vectors(5)
    path = saved(model, tmp_path / "vectors.keras")
    classifier = bayesian_classifier(ModelFile(model=str(path), dropout=0.5))
    yes = np.asarray(model(vectors))
    expected = np.concatenate([1 - yes, yes], 1)
    np.testing.assert_allclose(tf.exp(classifier(vectors)), expected, atol=1e-5)


def with_dropout() -> keras.Model:
    """Two Dropout layers behind the pooling, one before it."""
    layers = keras.layers
    return keras.Sequential([
        keras.Input((8, 8, 1)), layers.Dropout(0.9), layers.Conv2D(4, 3),
        layers.GlobalAveragePooling2D(name="pool"), layers.Dropout(0.2),
        layers.Dense(5, activation="gelu"), layers.Dropout(0.3), layers.Dense(3, "softmax"),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "dropout", "rates"),
    [
        ("", None, (0.2, 0.3)),  # its own
        ("", 0.6, (0.6,)),  # ours before the last layer
        (":pool", 0.6, (0.6, 0.6)),  # ours before every layer behind the pooling
    ],
)
def test_where_dropout_is(
    layer: str, dropout: float | None, rates: tuple[float, ...], tmp_path: Path
) -> None:
    model = with_dropout()
    path = saved(model, tmp_path / "model.keras")
    file = ModelFile(model=f"{path}{layer}", pixel_range="0,1", dropout=dropout)
    classifier = bayesian_classifier(file)
    assert classifier.head.rates == pytest.approx(rates)
    assert classifier.drawn_layers() == []
    images = some_images(4)
    np.testing.assert_allclose(tf.exp(classifier(images)), model(images / 255), atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "dropout", "message"),
    [
        ("pool", None, "'pool' of .* is where dropout of ours begins; add its rate"),
        ("pol", 0.5, "'pol', which is no layer of model .*; its last ones: .*pool"),
        ("conv2d", 0.5, r"'pool' \(GlobalAveragePooling2D\) .* stands behind 'conv2d'"),
        ("last", 0.5, "is its last one; name one before it"),
    ],
)
def test_a_layer_that_no_head_begins_at(
    layer: str, dropout: float | None, message: str, tmp_path: Path
) -> None:
    model = with_dropout()
    model.layers[-1].name, model.layers[1].name = "last", "conv2d"
    path = saved(model, tmp_path / "model.keras")
    file = ModelFile(model=f"model:{path}:{layer}", pixel_range="0,1", dropout=dropout)
    with pytest.raises(ConfigError, match=message):
        bayesian_classifier(file)


def normalised() -> keras.Model:
    layers = keras.layers
    return keras.Sequential([
        keras.Input((12,)), layers.Dropout(0.2), layers.Dense(5), layers.BatchNormalization(),
        layers.Dense(3),
    ])  # fmt: skip


def test_own_dropout_that_no_masks_can_be_drawn_for(tmp_path: Path) -> None:
    path = saved(normalised(), tmp_path / "model.keras")
    message = r"Dropout layers of its own: .*BatchNormalization.*add --dropout 0\.5"
    with pytest.raises(ConfigError, match=message):
        bayesian_classifier(ModelFile(model=str(path)))


def of_size() -> keras.Model:
    return keras.Sequential([keras.Input((8, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (of_any_size, {"pixel_range": "0,1"}, "images of any size; say .* --image-size 224"),
        (of_any_size, {"image_size": 8}, "does not say which pixels.*--pixel-range 0,255 .* -1,1"),
        (lambda: of_any_size(4), {"image_size": 8}, r"\(None, None, None, 4\); expected images"),
        (of_size, {"image_size": 8}, "--image-size is 8, but .* takes images of 8x6 pixels"),
        (of_size, {"pixel_range": "1,1"}, "the pixel range is 1,1; expected two different"),
        (vector_model, {}, "takes vectors of 12 features, and 'bgadl score' ranks images"),
    ],
    ids=["any size", "pixels", "channels", "size", "range", "vectors"],
)
def test_what_cannot_score_images(
    make: Make, settings: dict[str, object], message: str, tmp_path: Path
) -> None:
    path = saved(make(), tmp_path / "model.keras")
    file = ModelFile(model=str(path), **{"dropout": 0.5, **settings})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=message):
        bayesian_classifier(file, images=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pixel_range": "0,1"}, "--pixel-range is '0,1', but .* takes vectors"),
        ({"image_size": 8}, "--image-size is 8, but .* takes vectors of 12 features"),
        ({"dropout": None}, "no Dropout layer.*: add --dropout 0.5 .* not trained with"),
    ],
    ids=["pixels", "size", "dropout"],
)
def test_what_vectors_lack(settings: dict[str, object], message: str, tmp_path: Path) -> None:
    path = saved(vector_model(), tmp_path / "model.keras")
    file = ModelFile(model=str(path), **{"dropout": 0.5, **settings})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=message):
        bayesian_classifier(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("cat\ndog\n", "has 2 lines, and the model tells 3 classes apart"),
        ("cat\ndog\ncat\n", "names 'cat' twice"),
        ("cat\n\nowl", "has an empty line"),
        ("cat\xff\ndog\nowl", "cannot be read: it is not UTF-8"),
    ],
)
def test_names_that_do_not_fit(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError, match=message):
        class_names(path, 3)


def test_names_of_classes(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("Katze \r\nKäuz chen\nowl\n\n", encoding="utf-8")
    assert class_names(path, 3) == ["Katze", "Käuz chen", "owl"]
    assert class_names(None, 2) == ["0", "1"]
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        class_names(tmp_path / "other.txt", 3)
