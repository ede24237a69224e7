"""A user's network as the classifier of a run, which outlives the file that it came from."""

from __future__ import annotations

import dataclasses
import functools
import json
import random
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, wraps
from bgadl_tf.core.errors import ConfigError, RunFolderError, UnknownNameError
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.loop import checkpoints
from bgadl_tf.loop.callback import Callback
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.pretrained import applications
from bgadl_tf.models.pretrained.pixels import Pixels
from bgadl_tf.runs import build as build_module
from bgadl_tf.runs import loading
from bgadl_tf.runs.build import build, names_of
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.export import export_run
from bgadl_tf.runs.train import train
from tests.support.examples import some_images, some_labels
from tests.support.learners import weights_of
from tests.support.photos import rows_of, save_digits
from tests.support.run_tools import differences, no_export, no_pictures

__all__ = ["no_export", "no_pictures"]

pytestmark = pytest.mark.usefixtures("no_pictures", "no_export")

Layers = keras.layers
SETTINGS: dict[str, Any] = {
    "method": "bald", "rounds": 2, "query_size": 4, "initial_size": 12, "candidates": 20,
    "mc_samples": 3, "steps": 4, "batch_size": 8, "pixel_range": "0,255", "fine_tune": "all",
}  # fmt: skip


class KilledError(Exception):
    """Stands for kill -9."""


class Killing(Callback):
    """Kills in the middle of round 1."""

    def on_step(self, round_: int, stage: str, step: int, means: dict[str, float]) -> None:
        if (round_, step) == (1, 4):
            raise KilledError


def model(classes: int = 10) -> keras.Model:
    """Draws at random in its trunk, too."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)), Layers.Rescaling(1 / 255), Layers.Conv2D(6, 3, strides=2),
            Layers.BatchNormalization(), Layers.ReLU(), Layers.Dropout(0.2), Layers.Flatten(),
            Layers.Dense(9, "gelu"), Layers.Dropout(0.4), Layers.Dense(classes, "softmax"),
        ]
    )  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    model().save(path := tmp_path / "own.keras")
    return path


@pytest.fixture
def saved_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint in the middle of every round, and runs that repeat bit by bit."""
    monkeypatch.setattr(Trainer, "train", functools.partialmethod(Trainer.train, report_every=2))
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    tf.config.experimental.enable_op_determinism()


@pytest.mark.usefixtures("saved_often")
def test_killed_and_without_its_file_it_ends_the_same_and_is_exported(
    file: Path, tmp_path: Path
) -> None:
    config = RunConfig(**SETTINGS, classifier=f"model:{file}", own_dropout=True)
    run, killed = tmp_path / "run", tmp_path / "killed"
    random.seed(5)
    train(config, run)
    random.seed(6)  # of which nothing may depend
    with pytest.raises(KilledError):
        train(config, killed, (Killing(),))
    file.rename(tmp_path / "gone.keras")
    train(config, killed)
    assert differences(run, killed) == []
    model(11).save(file)
    with pytest.raises(RunFolderError, match=r"another configuration: network_digest was"):
        train(config, killed)
    file.unlink()
    described = json.loads((run / "config.json").read_text())
    assert described["fine_tune"] == "all"
    assert len(described["network_digest"]) == 32
    exported = export_run(killed, tmp_path / "export")
    version = exported.folder("classifier")
    metadata = json.loads((version / "assets.extra/metadata.json").read_text())
    assert metadata["classifier"] == f"model:{file}"
    assert metadata["network"]["expects_pixels"] == Pixels(0, 255).to_json()
    # Its weights, and the seed that it names, are those of the loop's next query.
    longer = dataclasses.replace(config, rounds=3)
    train(longer, run)
    examples = build(longer, build_module.RunFolder(run)).dataset.train
    loaded = tf.saved_model.load(str(version))
    query = json.loads((run / "queries/round_03.json").read_text())
    assert query["mask_seed"] == metadata["mask_seed"]
    rows = np.array([[*examples.ids].index(id_) for id_ in query["ids"]])
    served = loaded.signatures["bald_seeded"](
        images=tf.constant(examples.examples[rows]),
        seed=tf.fill([len(rows)], tf.constant(query["mask_seed"], tf.int64)),
    )
    np.testing.assert_allclose(served["bald"], query["scores"], rtol=0, atol=1e-5)
    assert min(query["scores"]) > 1e-3


@pytest.mark.slow
def test_a_new_class_joins_a_network(tmp_path: Path) -> None:
    save_digits(tmp_path / "images", rows_of((0, 1), 0, 120))
    model(2).save(tmp_path / "own.keras")
    settings: dict[str, Any] = {
        **SETTINGS, "dataset": f"folder:{tmp_path / 'images'}", "rounds": 1, "query_size": 2,
        "initial_size": 6, "candidates": 8, "classifier": f"model:{tmp_path / 'own.keras'}",
    }  # fmt: skip
    train(RunConfig(**settings), tmp_path / "run")
    save_digits(tmp_path / "images", rows_of((2,), 0, 120))
    (tmp_path / "own.keras").unlink()
    out = train(RunConfig(**{**settings, "rounds": 2}), tmp_path / "run")
    assert len(out.rounds) == 3
    described = json.loads((tmp_path / "run/config.json").read_text())
    assert len(described["class_names"]) == 3
    assert export_run(tmp_path / "run", tmp_path / "export").version == 1


def test_a_network_without_weights_is_drawn_by_the_seed_of_the_run() -> None:
    config = RunConfig(
        method="random", classifier="keras:VGG16", weights="none", image_size=32, rounds=0
    )
    drawn = []
    for state in (5, 6):
        random.seed(state)
        setup = build(config)
        assert random.getstate() == random.Random(state).getstate()
        drawn.append([variable.numpy() for variable in setup.learner.classifier.trunk.variables])
        assert setup.described["weights"] == "none"
        assert setup.described["fine_tune"] == "all"
        assert setup.learner.classifier.trunk.pixels == Pixels(0, 255, "vgg16")
        assert setup.learner.classifier.example_shape == (32, 32, 1)
    for one, other in zip(*drawn, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_every_acquisition_asks_with_a_users_network(file: Path, tmp_path: Path) -> None:
    refused: dict[str, str] = {}
    for acquisition in ACQUISITIONS:
        name = f"{acquisition}:bald" if wraps(acquisition) else acquisition
        settings = {**SETTINGS, "method": None, "rounds": 1, "steps": 1, "fine_tune": "head"}
        config = RunConfig(
            **settings, learner="plain", acquisition=name, classifier=f"model:{file}"
        )
        try:
            outcome = train(config, tmp_path / acquisition)
        except ConfigError as error:
            refused[acquisition] = str(error)
        else:
            assert len(outcome.rounds[1]["queried"]) == 4
    for acquisition, reason in refused.items():
        assert f"{acquisition!r} needs" in reason
    assert len(refused) < 0.3 * len([*ACQUISITIONS])


PREPARED = ("simsiam", "self_taught")
"""Learners whose trunk a pretext task prepares."""


@pytest.mark.slow
@pytest.mark.parametrize("learner", LEARNERS.names())
@pytest.mark.parametrize("fine_tune", ["head", "all"])
def test_every_learner_trains_a_users_network(learner: str, fine_tune: str) -> None:
    options: dict[str, Any] = {"freeze": False} if learner in PREPARED else {}
    kind = LEARNERS.get(learner)
    if "width" in {*kind.options_type.__dataclass_fields__}:
        options |= {"width": 0.1, "latent_dim": 5, "warmup_steps": 0}
    classifier = Classifier.from_model(
        model(), 10, own_dropout=True, pixel_range=(0, 255), fine_tune=fine_tune
    )
    if learner in PREPARED and fine_tune == "head":
        with pytest.raises(ConfigError, match="has nothing to train"):
            kind.create(classifier, kind.options_type(**options))
        return
    network = kind.create(classifier, kind.options_type(**options))
    network.compile()
    before = weights_of(network)
    trunk = [weight.numpy() for weight in classifier.trunk.weights]
    Trainer(network, network.space, tf.distribute.get_strategy(), 8).train(
        some_images(16), some_labels(16), (1, 2), 2, unlabelled=some_images(16)
    )
    after = weights_of(network)
    others = [key for key in before if not key.startswith("classifier")]
    moved = [key for key in others if not np.array_equal(before[key], after[key])]
    assert len(moved) >= 0.9 * len(others)
    stayed = all(map(np.array_equal, trunk, [w.numpy() for w in classifier.trunk.weights]))
    assert stayed is (fine_tune == "head")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classifier": "keras:MobilNetV3Small"}, r"no 'MobilNetV3Small' \(did you mean 'MobileNe"),
        ({"classifier": "lenet", "pixel_range": "0,1"}, r"--pixel-range 0,1 is given, .* lenet"),
        ({"own_dropout": True}, r"--own-dropout is given, but .*--classifier is one of ours"),
        ({"weights": "none"}, r"--weights none is given, but .*give --classifier keras:NAME"),
        ({"classifier": "mlp", "fine_tune": "3"}, r"--fine-tune 3 is given, but"),
        ({"classifier": "keras:VGG16", "fine_tune": "x"}, r"--fine-tune is 'x'; expected all"),
        ({"classifier": "keras:VGG16", "own_dropout": True}, r"--own-dropout is given, but keras"),
        ({"classifier": "keras:VGG16", "pixel_range": "0,1"}, r"--pixel-range is '0,1', but 'k"),
        ({"classifier": "model:a.keras", "weights": "none"}, r"--weights is 'none', but 'model:a"),
        ({"classifier": "model:a.keras", "pixel_range": "white"}, r"expected LOW,HIGH"),
        (
            {"classifier": "model:a.keras", "own_dropout": True, "dropout": 0.2},
            r"--own-dropout takes its rates from the model, and --dropout is 0.2",
        ),
        (
            {"classifier": "keras:VGG16", "backbone": "keras:VGG16"},
            r"--classifier keras:VGG16 takes images, and --backbone gives vectors",
        ),
        ({"backbone": "tiny"}, r"the network is 'tiny'; expected keras:NAME"),
        ({"backbone": "keras:VGG17"}, r"keras.applications has no 'VGG17'"),
        ({"backbone": "keras:VGG16", "weights": "none"}, r"--weights is none, and features of"),
        ({"backbone": "model:a.keras", "pixel_range": "white"}, r"expected LOW,HIGH"),
    ],
)  # fmt: skip
def test_settings_are_refused_before_anything_is_read(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises((ConfigError, UnknownNameError), match=message):
        names_of(RunConfig(method="bald", **settings))


def test_with_a_backbone_weights_and_pixels_are_its_own() -> None:
    names_of(RunConfig(method="bald", backbone="keras:VGG16", weights="a.weights.h5"))
    names_of(RunConfig(method="bald", backbone="model:a.keras", pixel_range="0,255"))


@pytest.fixture
def no_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where a dataset is read."""
    monkeypatch.setattr(loading, "load_dataset", lambda *_, **__: pytest.fail("it was read"))


def lambda_layer() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 1)), Layers.Lambda(lambda x: x + 1), *head()])


def head() -> list[keras.layers.Layer]:
    return [Layers.Flatten(), Layers.Dense(4)]


class Custom(keras.layers.Layer):
    """Known to nobody else."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs


def custom_layer() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 1)), Custom(), *head()])


def without_weights() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 1)), Layers.Flatten()])


def two_inputs() -> keras.Model:
    inputs = [keras.Input((8, 8, 1)), keras.Input((8, 8, 1))]
    return keras.Model(inputs, Layers.Dense(3)(Layers.Flatten()(Layers.Add()(inputs))))


def two_outputs() -> keras.Model:
    inputs = keras.Input((8, 8, 1))
    flat = Layers.Flatten()(inputs)
    return keras.Model(inputs, [Layers.Dense(3)(flat), Layers.Dense(2)(flat)])


def refuses(path: Path, message: str) -> None:
    config = RunConfig(method="bald", classifier=f"model:{path}", pixel_range="0,1")
    with pytest.raises(ConfigError, match=message):
        build(config)


@pytest.mark.usefixtures("no_dataset")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda_layer, r"has a Lambda layer, whose code a file must not bring"),
        (custom_layer, r"layer of the class 'Custom', which Keras does not know"),
        (without_weights, r"has no weights; expected a network that was built and trained"),
        (two_inputs, r"has 2 inputs; expected one"),
        (two_outputs, r"has 2 outputs; expected one"),
    ],
)
def test_a_file_that_is_no_classifier(make: Any, message: str, tmp_path: Path) -> None:
    make().save(tmp_path / "bad.keras")
    refuses(tmp_path / "bad.keras", message)


@pytest.mark.usefixtures("no_dataset")
def test_a_file_that_is_no_model(tmp_path: Path, file: Path) -> None:
    refuses(
        tmp_path / "none.keras", r"none\.keras does not exist; expected a file that model\.save"
    )
    refuses(tmp_path, r"is a folder; expected a file that model\.save")
    (tmp_path / "weights.h5").write_bytes(b"HDF")
    refuses(tmp_path / "weights.h5", r"does not end in \.keras; save it with model\.save")
    (tmp_path / "text.keras").write_text("not a zip")
    refuses(tmp_path / "text.keras", r"is damaged or cut short")
    file.write_bytes(file.read_bytes()[:-200])
    refuses(file, r"is damaged or cut short")


@pytest.mark.usefixtures("no_dataset")
def test_pixels_are_never_guessed(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not say which pixels it expects.*--pixel-range 0"):
        build(RunConfig(method="bald", classifier=f"model:{file}"))


@pytest.mark.usefixtures("no_dataset")
def test_vectors_have_no_pixels(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((6,)), Layers.Dense(4)]).save(tmp_path / "bad.keras")
    refuses(tmp_path / "bad.keras", r"--pixel-range is '0,1', but .* takes vectors")


def test_images_of_another_size(file: Path) -> None:
    config = RunConfig(**SETTINGS, classifier=f"model:{file}", image_size=16)
    with pytest.raises(ConfigError, match=r"those of the dataset have shape \(16, 16, 1\); give "
                       r"--image-size 8, or another model"):  # fmt: skip
        build(config)


@pytest.mark.usefixtures("no_dataset")
def test_weights_that_are_not_to_be_had_are_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(applications, "_is_reachable", lambda: False)
    monkeypatch.setattr(keras.applications, "VGG16", lambda *_, **__: pytest.fail("it was made"))
    config = RunConfig(method="bald", classifier="keras:VGG16")
    with pytest.raises(ConfigError, match=r"weights of keras:VGG16 are not in .*models, and"):
        build(config)
    with pytest.raises(ConfigError, match=r"--weights is '/no/file', which is no file; expected"):
        build(RunConfig(method="bald", classifier="keras:VGG16", weights="/no/file"))
    # There, or to be downloaded: it goes on to the dataset.
    name = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / name).touch()
    applications.check_weights("VGG16", "imagenet")
    (tmp_path / "models" / name).unlink()
    monkeypatch.setattr(applications, "_is_reachable", lambda: True)
    applications.check_weights("VGG16", "imagenet")
