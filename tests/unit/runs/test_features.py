"""The features of a run's images, from a cache that all its arms and seeds share."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError, DataError, RunFolderError
from bgadl_tf.core.types import Rows
from bgadl_tf.data.contents import Digests
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.embeddings.store import Lacking
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.load import load_dataset
from bgadl_tf.engine.embedding import Embedder
from bgadl_tf.runs import embedding, features
from bgadl_tf.runs.config import RunConfig
from tests.support.backbones import save_tiny, tiny
from tests.support.photos import rows_of, save_digits

SHOWN = rows_of((0, 1), 0, 150)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    """A folder of digits and a backbone."""
    save_digits(tmp_path / "photos", SHOWN)
    return {
        **save_tiny(tmp_path / "tiny.keras"),
        "dataset": f"folder:{tmp_path / 'photos'}",
        "embeddings": str(tmp_path / "cache"),
    }


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images went through the backbone, each time."""
    counts: list[int] = []
    embed = Embedder.__call__

    def counted(self: Embedder, images: Any, digests: Any, lacking: Lacking) -> Any:
        counts.append(len(lacking.rows))
        return embed(self, images, digests, lacking)

    monkeypatch.setattr(Embedder, "__call__", counted)
    return counts


def load(settings: dict[str, Any], **others: Any) -> Dataset:
    config = RunConfig(**{**settings, **others})
    images = load_dataset(
        config.dataset, seed=config.seed, image_size=config.image_size, part=config.part
    )
    strategy = tf.distribute.get_strategy()
    return features.home_of(images, config, strategy).computed(images, strategy)


def by_id(dataset: Dataset) -> dict[str, list[float]]:
    return {
        id_: vector
        for part in (dataset.train, dataset.test)
        for id_, vector in zip(part.ids, part.examples[:].tolist(), strict=True)
    }


def test_everything_but_the_examples_is_the_images(settings: dict[str, Any]) -> None:
    images, vectors = load_dataset(settings["dataset"]), load(settings, store="float32")
    model = tiny()
    assert (vectors.name, vectors.class_names) == (images.name, images.class_names)
    assert vectors.shape == (6,)
    assert vectors.dtype == np.float32
    for ours, theirs in ((vectors.train, images.train), (vectors.test, images.test)):
        assert ours.ids == theirs.ids
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        np.testing.assert_array_equal(ours.digests(), theirs.digests())
        expected = model(theirs.examples[:] / np.float32(255.0))
        np.testing.assert_allclose(ours.examples[:], expected, atol=1e-6)
    assert vectors.embedded is not None
    ids = [vectors.test.ids[0], *vectors.train.ids[:2]]
    for id_, image in zip(ids, vectors.embedded.images(ids), strict=True):
        part = images.train if id_ in images.train else images.test
        np.testing.assert_array_equal(image, part.examples_of([id_])[0])
    with pytest.raises(DataError, match=r"no image of .* is called 'x'"):
        vectors.embedded.images(["x"])
    saved = keras.saving.load_model(vectors.embedded.backbone)
    assert saved.fingerprint() == vectors.embedded.fingerprint


def test_all_arms_and_seeds_share_what_is_computed(
    settings: dict[str, Any], seen: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    first = load(settings)
    assert sum(seen) == len(SHOWN)
    assert f"computing the features of {len(SHOWN)} images" in caplog.text
    caplog.clear()
    half = load(settings, part="1/2")
    assert 0 < len(half.train) < len(first.train)
    other = load(settings, seed=1, method="random", stream=True)
    assert sum(seen) == len(SHOWN)
    assert "computing" not in caplog.text
    assert other.train.ids != first.train.ids
    assert by_id(other) == by_id(first)


def test_what_is_new_is_computed_alone(settings: dict[str, Any], seen: list[int]) -> None:
    first = load(settings)
    folder, seen[:] = Path(settings["dataset"].removeprefix("folder:")), []
    (folder / "one").rename(folder / "unity")
    gone = sorted((folder / "zero").iterdir())[:2]
    for path in gone:
        path.unlink()
    more = save_digits(folder, rows_of((0,), 150, 200))
    changed = sorted((folder / "unity").iterdir())[0]
    changed.write_bytes(more[0].read_bytes())  # there twice now, and computed once
    second = load(settings)
    assert sum(seen) == len(more)
    before, after = by_id(first), by_id(second)
    assert after[f"unity/{changed.name}"] == after[f"zero/{more[0].name}"]
    for id_, vector in after.items():
        old = before.get(id_.replace("unity", "one"))
        assert old is None or id_.endswith(changed.name) or old == vector


def test_files_that_are_known_are_not_read_again(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load(settings)
    read: list[int] = []
    digests = embedding._digests

    def counted(part: ExampleSet, rows: Rows) -> Digests:
        read.append(len(rows))
        return digests(part, rows)

    monkeypatch.setattr(embedding, "_digests", counted)
    assert by_id(load(settings)) == by_id(first)
    assert sum(read) == 0
    path = next((Path(settings["dataset"].removeprefix("folder:")) / "one").iterdir())
    os.utime(path, ns=(1, 1))
    load(settings)
    assert sum(read) == 1


def test_other_features_are_kept_elsewhere(settings: dict[str, Any], tmp_path: Path) -> None:
    images = load_dataset(settings["dataset"])

    def key(**others: Any) -> str:
        config = RunConfig(**{**settings, **others})
        return embedding.load_frozen(images, config, tf.distribute.get_strategy()).facts.key

    save_digits(tmp_path / "other", SHOWN)
    others: list[dict[str, Any]] = [
        {}, {"store": "float32"}, {"precision": "mixed_bfloat16"},
        {"pixel_range": "-1,1"}, {"dataset": f"folder:{tmp_path / 'other'}"},
    ]  # fmt: skip
    assert len({key(**other) for other in others}) == len(others)
    assert key(seed=1, method="random", stream=True, max_unreadable=0.5, views=1) == key()


def test_another_backbone_in_the_same_file_is_noticed(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    first = load(settings)
    save_tiny(tmp_path / "tiny.keras", seed=2)
    second = load(settings)
    assert first.embedded is not None
    assert second.embedded is not None
    assert first.embedded.fingerprint != second.embedded.fingerprint
    assert by_id(first) != by_id(second)
    config, images = RunConfig(**settings), load_dataset(settings["dataset"])
    with pytest.raises(RunFolderError, match="another network than the one in whose features"):
        features.home_of(images, config, tf.distribute.get_strategy(), first.embedded.fingerprint)


def test_views_of_an_image_are_the_same_whenever_they_are_drawn(
    settings: dict[str, Any], seen: list[int]
) -> None:
    first = load(settings, views=2)
    seen[:] = []
    second = load(settings, views=2, seed=1)
    # Only those that were held out by the other seed have no views yet.
    assert 0 < sum(seen) < len(SHOWN) / 2
    assert first.train.views is not None
    assert second.train.views is not None
    assert (first.train.views.shape, first.test.views) == ((len(first.train), 2, 6), None)
    shared = [id_ for id_ in first.train.ids if id_ in second.train]
    ours, theirs = (part.rows(shared) for part in (first.train, second.train))
    np.testing.assert_array_equal(first.train.views[ours], second.train.views[theirs])
    fresh = load(settings, views=2, seed=1, embeddings=settings["embeddings"] + "2")
    assert fresh.train.views is not None
    np.testing.assert_allclose(fresh.train.views[:], second.train.views[:], atol=2e-3)


def test_more_views_are_added_to_those_that_are_there(
    settings: dict[str, Any], seen: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int | None] = []
    see, see_view = Embedder._see_features, Embedder._of_view

    def features_seen(self: Embedder, chunk: Any) -> Any:
        looks.append(None)
        return see(self, chunk)

    def view_seen(self: Embedder, chunk: Any, digests: Any, view: int) -> Any:
        looks.append(view)
        return see_view(self, chunk, digests, view)

    monkeypatch.setattr(Embedder, "_see_features", features_seen)
    monkeypatch.setattr(Embedder, "_of_view", view_seen)
    none = load(settings)
    two, three = load(settings, views=2), load(settings, views=3)
    again, plain = load(settings, views=1), load(settings)
    assert looks == [None, None, 0, 1, 2]  # training and test set, then each view once
    assert by_id(none) == by_id(two) == by_id(three) == by_id(plain)
    assert (none.train.views, plain.train.views) == (None, None)
    assert two.train.views is not None
    assert three.train.views is not None
    assert again.train.views is not None
    np.testing.assert_array_equal(three.train.views[:][:, :2], two.train.views[:])
    np.testing.assert_array_equal(again.train.views[:], two.train.views[:][:, :1])
    whole = load(settings, views=3, embeddings=settings["embeddings"] + "2").train.views
    assert whole is not None
    np.testing.assert_array_equal(whole[:], three.train.views[:])
    (folder,) = Path(settings["embeddings"]).iterdir()
    assert folder.is_dir()


def test_where_nothing_is_held_out_the_test_set_is_empty(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    save_digits(tmp_path / "pool", SHOWN[:20], "unlabelled")
    for name in ("a", "b"):
        (tmp_path / "pool" / name).mkdir()
    dataset = load(settings, dataset=f"folder:{tmp_path / 'pool'}")
    assert (len(dataset.train), len(dataset.test), dataset.test.examples.shape) == (20, 0, (0, 6))


# What is refused


def test_vectors_have_no_backbone(settings: dict[str, Any]) -> None:
    config = RunConfig(**settings)
    vectors, labels = np.zeros((8, 3), np.float32), [0, 1] * 4
    dataset = Dataset.from_arrays(vectors, labels, test_examples=vectors, test_labels=labels)
    with pytest.raises(ConfigError, match=r"--backbone is .* but dataset 'arrays' holds vectors"):
        features.home_of(dataset, config, tf.distribute.get_strategy())


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"backbone": "keras:MobileNetV3Small", "pixel_range": None, "weights": "none"}, "random"),
        ({"pixel_range": None}, "--pixel-range"),
        ({"image_size": 12}, r"takes examples of shape .* give --image-size 8"),
        ({"backbone": "model:{tmp}/no.keras"}, "does not exist"),
        ({"backbone": "model:{tmp}/two.keras"}, "has 2 outputs; expected one"),
        ({"backbone": "model:{tmp}/both.keras"}, "has 2 inputs; expected one"),
        ({"backbone": "model:{tmp}/tiny.keras:nowhere"}, "cut is 'nowhere', which is no layer"),
        ({"backbone": "model:{tmp}/own.keras"}, "layer of the class 'Own', which Keras does not"),
        ({"backbone": "tiny"}, "expected keras:NAME"),
    ],
)
def test_what_is_no_backbone_is_refused(
    settings: dict[str, Any], tmp_path: Path, others: dict[str, Any], message: str
) -> None:
    one = tiny()
    keras.Model(one.inputs, [one.outputs[0], one.layers[0].output], name="tiny_two").save(
        tmp_path / "two.keras"
    )
    left, right = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    keras.Model([left, right], one(left + right)).save(tmp_path / "both.keras")

    class Own(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

    keras.Sequential([keras.Input((8, 8, 1)), Own(), keras.layers.Flatten()]).save(
        tmp_path / "own.keras"
    )
    if "backbone" in others:
        others = {**others, "backbone": others["backbone"].format(tmp=tmp_path)}
    with pytest.raises(ConfigError, match=message) as caught:
        load(settings, **others)
    assert "\n" not in str(caught.value)
    assert not Path(settings["embeddings"]).exists()


def test_features_that_are_not_finite_are_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, kernel_initializer=keras.initializers.Constant(1e6)),
        ]
    )
    model.save(tmp_path / "large.keras")
    settings["backbone"] = f"model:{tmp_path / 'large.keras'}"
    with pytest.raises(DataError, match=r"more than float16 holds; give --store float32"):
        load(settings)
    assert 1e5 < load(settings, store="float32").train.examples[:].max() < 1e6
    model.layers[-1].kernel.assign([[float("nan")] * 2])
    model.save(tmp_path / "large.keras")
    with pytest.raises(DataError, match=r"gives a feature of nan for image '(one|zero)/.*png'"):
        load(settings)


def test_a_damaged_cache_is_refused(settings: dict[str, Any]) -> None:
    load(settings)
    (folder,) = Path(settings["embeddings"]).iterdir()
    rows = folder / "features.rows"
    content = rows.read_bytes()
    rows.write_bytes(content[:-3])
    with pytest.raises(DataError, match=r"features\.rows is cut short: .* remove the folder"):
        load(settings)
    broken = np.frombuffer(content, np.float16).copy()
    broken[5::6] = np.nan
    rows.write_bytes(broken.tobytes())
    with pytest.raises(DataError, match=r"component 5 of vector '.*png' is nan"):
        load(settings)  # test vectors are read at once
    text = (folder / "embedding.json").read_text()
    (folder / "embedding.json").write_text(text.replace('"float16"', '"float32"'))
    with pytest.raises(DataError, match=r"store was float32, now float16; remove that folder"):
        load(settings)


@pytest.mark.parametrize("name", ["views", "embeddings", "store"])
def test_without_a_backbone_there_is_nothing_to_keep(name: str) -> None:
    value: Any = {"views": 2, "embeddings": "folder", "store": "float32"}[name]
    with pytest.raises(ConfigError, match=f"--{name} is {value!r}, but there is no --backbone"):
        dataclasses.replace(RunConfig(), **{name: value})


def test_the_cache_is_where_the_user_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert features.cache_folder(None) == tmp_path / "bgadl_tf" / "embeddings"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert features.cache_folder(None).is_relative_to(Path("~/.cache").expanduser())
    assert features.cache_folder("~/x") == Path("~/x").expanduser()
