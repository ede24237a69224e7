from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from bgadl_tf.core.errors import ConfigError, DataError, UnknownNameError
from bgadl_tf.data import load
from bgadl_tf.data.intake import Intake
from bgadl_tf.data.loader import LOADERS, LoadRequest
from tests.support.photos import rows_of, save_digits


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, LoadRequest]]:
    made: list[tuple[str, LoadRequest]] = []

    class Loaded(NamedTuple):
        name: str = "found"
        intake: Intake = Intake(notes=("two of them are alike",))

    def loader_of(kind: str) -> Callable[[LoadRequest], Loaded]:
        def load(request: LoadRequest) -> Loaded:
            made.append((kind, request))
            return Loaded()

        return load

    monkeypatch.setattr(LOADERS, "get", loader_of)
    return made


def test_kinds_of_datasets() -> None:
    assert LOADERS.names() == ("arrays", "digits", "embeddings", "folder", "tfds")


@pytest.mark.parametrize(
    ("spec", "kind", "argument"),
    [
        ("digits", "digits", ""),
        ("folder:/a:b/c", "folder", "/a:b/c"),
        ("arrays:/a/b", "arrays", "/a/b"),
        ("embeddings:/a/b", "embeddings", "/a/b"),
        ("folder", "folder", ""),
        ("mnist", "tfds", "mnist"),
        ("imagenet_resized/32x32", "tfds", "imagenet_resized/32x32"),
        ("tfds:mnist:3.0.1", "tfds", "mnist:3.0.1"),
    ],
)
def test_a_spec_picks_loader_and_argument(
    spec: str,
    kind: str,
    argument: str,
    calls: list[tuple[str, LoadRequest]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    load.load_dataset(spec, data_dir="d", image_size=16, seed=3, stream=True)
    assert calls == [(kind, LoadRequest(argument, "d", 16, 3, True))]
    assert caplog.messages == ["found: two of them are alike"]


@pytest.mark.parametrize("kind", ["folder", "arrays", "embeddings"])
def test_a_dataset_is_found_without_being_read(kind: str, tmp_path: Path) -> None:
    load.find_dataset(f"{kind}:{tmp_path}")
    with pytest.raises(DataError, match=r"none does not exist"):
        load.find_dataset(f"{kind}:{tmp_path}/none")


def test_a_dataset_of_tfds_is_found_by_its_name(tmp_path: Path) -> None:
    load.find_dataset("digits")
    load.find_dataset("mnist", str(tmp_path))
    assert not [*tmp_path.iterdir()]
    with pytest.raises(DataError, match="no dataset is called 'mnsit'"):
        load.find_dataset("mnsit")
    with pytest.raises(UnknownNameError, match="'xyz' in 'xyz:1'"):
        load.find_dataset("xyz:1")


def test_an_unknown_kind_lists_the_known_ones() -> None:
    known = "arrays, digits, embeddings, folder, tfds"
    with pytest.raises(UnknownNameError, match=f"'xyz' in 'xyz:1'; known: {known}"):
        load.load_dataset("xyz:1")


def test_digits_end_to_end() -> None:
    assert len(load.load_dataset("digits").train) == 1300


@pytest.mark.parametrize("kind", ["digits", "arrays:x", "embeddings:x", "mnist"])
def test_a_file_of_labels_belongs_to_a_folder(kind: str) -> None:
    with pytest.raises(ConfigError, match=r"--labels is 'a\.csv', but .* is no folder of images"):
        load.load_dataset(kind, labels="a.csv")


def test_new_classes_come_last_and_none_comes_twice() -> None:
    names = load.load_dataset("digits", new_classes=("x", "3", "a", "x")).class_names
    assert names == (*"0123456789", "x", "a")


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (("1.0",), "--new-class '1.0' is the class '1' already; leave it out"),
        ((" 7 ",), "--new-class ' 7 ' is the class '7' already; leave it out"),
        (("x", "X"), "--new-class 'X' is the class 'x' already; leave it out"),
        (("ANT",), "--new-class 'ANT' is the class 'ant' already; leave it out"),
        (("Bee",), "--new-class 'Bee' could be 'bee' or 'BEE'; write it exactly as one of them"),
    ],
)
def test_a_new_class_that_is_one_but_for_its_spelling_is_refused(
    new: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load.load_dataset("digits", new_classes=new, classes_before=("ant", "bee", "BEE"))
    assert str(caught.value) == message


def test_an_index_is_no_name_of_a_class(tmp_path: Path) -> None:
    save_digits(tmp_path, rows_of((0, 1), 0, 30))
    spec = f"folder:{tmp_path}"
    assert load.load_dataset(spec, new_classes=("0", "zero")).class_names == ("one", "zero", "0")
    with pytest.raises(ConfigError, match="'ZERO' is the class 'zero' already"):
        load.load_dataset(spec, new_classes=("ZERO",))


def test_classes_of_a_run_come_before_new_ones_however_they_are_spelt() -> None:
    given = {"new_classes": ("x", "ant"), "classes_before": ("ant", "3", "ANT", "1.0")}
    names = load.load_dataset("digits", **given).class_names
    assert names == (*"0123456789", "ant", "ANT", "1.0", "x")


def grown(root: Path) -> str:
    """A folder of grey digits of 8x8 pixels, to which unlike images have come."""
    save_digits(root, rows_of((0, 1), 0, 100))
    Image.new("L", (9, 7)).save(root / "one" / "other size.png")
    Image.new("RGB", (8, 8), (255, 0, 0)).save(root / "zero" / "red.png")
    Image.new("RGB", (8, 8), (255, 0, 0)).save(root / "zero" / "red.bmp")
    return f"folder:{root}"


@pytest.mark.parametrize("stream", [False, True])
def test_unlike_images_in_a_run_that_goes_on(tmp_path: Path, stream: bool) -> None:
    dataset = load.load_dataset(grown(tmp_path), shape=(8, 8, 1), stream=stream)
    assert dataset.shape == (8, 8, 1)
    assert dataset.intake.unreadable == {
        "one/other size.png": "9x7 pixels, those of the run are 8x8: resize it, or begin a run "
        "with --image-size"
    }
    assert "2 images in colour are converted to grey, as those of the run are grey" in (
        dataset.intake.notes
    )
    images = {
        id_: image
        for part in (dataset.train, dataset.test)
        for id_, image in zip(part.ids, part.examples[:], strict=True)
    }
    np.testing.assert_array_equal(images["zero/red.png"], np.full((8, 8, 1), 76))
    np.testing.assert_array_equal(images["zero/red.bmp"], images["zero/red.png"])
    with pytest.raises(DataError, match=r"other size\.png \(9x7 pixels.*--max-unreadable 0\.0"):
        load.load_dataset(grown(tmp_path), shape=(8, 8, 1), stream=stream, max_unreadable=0.0)


@pytest.mark.parametrize("stream", [False, True])
def test_grey_images_in_a_run_in_colour(tmp_path: Path, stream: bool) -> None:
    save_digits(tmp_path, rows_of((0, 1), 0, 100))
    spec = f"folder:{tmp_path}"
    grey, colour = (
        load.load_dataset(spec, shape=shape, stream=stream) for shape in (None, (8, 8, 3))
    )
    assert (grey.shape, colour.shape) == ((8, 8, 1), (8, 8, 3))
    np.testing.assert_array_equal(colour.train.examples[:], grey.train.examples[:].repeat(3, -1))
    assert colour.intake == grey.intake


@pytest.mark.parametrize("stream", [False, True])
def test_where_a_size_is_given_only_the_channels_are_those_of_the_run(
    tmp_path: Path, stream: bool
) -> None:
    dataset = load.load_dataset(grown(tmp_path), image_size=6, shape=(6, 6, 1), stream=stream)
    assert dataset.shape == (6, 6, 1)
    assert dataset.intake.unreadable == {}
    assert "one/other size.png" in {*dataset.train.ids, *dataset.test.ids}


def test_the_shape_of_vectors_says_nothing_of_images(tmp_path: Path) -> None:
    save_digits(tmp_path, rows_of((0, 1), 0, 100))
    assert load.load_dataset(f"folder:{tmp_path}", shape=(64,)).shape == (8, 8, 1)
