from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bgadl_tf.core.errors import ConfigError, DataError
from bgadl_tf.data.images import prepared
from bgadl_tf.data.load import load_dataset
from bgadl_tf.data.records import tfds_records
from bgadl_tf.serving.sources import dataset_source, folder_source
from tests.support.examples import some_images, tiny_png
from tests.support.small_datasets import WRITERS


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "PNG"
        return np.asarray(image)


def test_ids_are_those_of_training(tmp_path: Path) -> None:
    for id_ in ("cat/1.png", "cat/2.png", "dog/3.png", "dog/4.png", "5.png", "unlabelled/6.png"):
        (tmp_path / id_).parent.mkdir(exist_ok=True)
        Image.fromarray(some_images(1)[0, ..., 0]).save(tmp_path / id_)
    trained = load_dataset(f"folder:{tmp_path}")
    expected = sorted((*trained.train.ids, *trained.test.ids))
    assert folder_source(tmp_path).ids == expected
    assert dataset_source(f"folder:{tmp_path}", data_dir=None, split="train").ids == expected


def test_files_travel_as_they_are(tmp_path: Path) -> None:
    content = tiny_png("a")
    (tmp_path / "a.txt").write_bytes(content)
    item = folder_source(tmp_path).item("a.txt")
    assert (item.id, item.size, item.read()) == ("a.txt", len(content), content)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("format_", ["BMP", "GIF", "WebP", "TIFF", "AVIF"])
def test_formats_that_servers_do_not_read(tmp_path: Path, format_: str, mode: str) -> None:
    image = Image.fromarray(some_images(1, (9, 12, 3))[0]).convert(mode)
    image.save(tmp_path / "a", format_)
    read = prepared.pixels((tmp_path / "a").read_bytes())
    source = folder_source(tmp_path)
    sent = pixels(source.item("a").read())
    np.testing.assert_array_equal(sent.reshape(read.shape), read)
    assert source.copy_of("a") == (tmp_path / "a").read_bytes()


def test_what_is_no_image_is_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(tiny_png("a"))
    (tmp_path / "b.txt").write_text("b")
    (tmp_path / "c.svg").write_text("<svg/>")
    (tmp_path / ".d.png").write_bytes(tiny_png("d"))
    source = folder_source(tmp_path)
    assert source.ids == ["a.png"]
    assert source.intake.left_out == {
        "b.txt": "not an image",
        "c.svg": "SVG, which is not read: convert it to PNG",
        ".d.png": "hidden",
    }


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"GIF89a junk", "damaged"), (b"junk", "not an image"), (b"", "the file is empty")],
)
def test_broken_files(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a.gif").write_bytes(content)
    with pytest.raises(OSError, match=why):
        folder_source(tmp_path).item("a.gif").read()


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(tiny_png("a"))
    source = folder_source(tmp_path)
    (tmp_path / "a.png").unlink()
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(OSError, match="not a regular file"):
        source.item("a.png").read()


def test_a_folder_without_images_says_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(DataError, match=r"holds no images; expected PNG, .*a\.txt.*not an image"):
        folder_source(tmp_path)


def test_a_dataset_by_name() -> None:
    dataset = load_dataset("digits")
    for split, images in (("train", dataset.train), ("test", dataset.test)):
        source = dataset_source("digits", data_dir=None, split=split)
        assert list(source.ids) == sorted(images.ids)
        id_ = images.ids[3]
        np.testing.assert_array_equal(pixels(source.item(id_).read()), images.examples[3, ..., 0])
    with pytest.raises(ConfigError, match="choose from train, test"):
        dataset_source("digits", data_dir=None, split="all")


@pytest.mark.parametrize("kind", ["arrays", "tfds"])
def test_datasets_stay_on_disk_and_a_bad_image_costs_no_other(kind: str, tmp_path: Path) -> None:
    spec, *data_dir = WRITERS[kind](tmp_path / "data")[1::2]
    source = dataset_source(spec, data_dir=data_dir[0] if data_dir else None, split="train")
    images = load_dataset(spec, data_dir=data_dir[0] if data_dir else None).train
    assert list(source.ids) == sorted(images.ids)
    for row in (3, 100):
        sent = pixels(source.item(images.ids[row]).read())
        np.testing.assert_array_equal(sent, images.examples[row : row + 1][0, ..., 0])
    if kind == "tfds":
        *_, last = sorted((tmp_path / "data").rglob("*-train.tfrecord-*"))
        last.write_bytes(b"")
        with pytest.raises(OSError, match=r"1 of 1 examples cannot be read .* is shorter than it"):
            source.item(images.ids[-1]).read()
        assert source.item(images.ids[0]).read()


def test_vectors_are_not_sent(tmp_path: Path) -> None:
    spec = WRITERS["embeddings"](tmp_path / "data")[1]
    with pytest.raises(DataError, match=r"holds vectors; 'bgadl score' sends images only"):
        dataset_source(spec, data_dir=None, split="train")


def test_a_dataset_that_cannot_stay_on_disk_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, *data_dir = WRITERS["tfds"](tmp_path / "data")[1::2]
    monkeypatch.setattr(tfds_records, "_no_plain_records", lambda *_: "is in riegeli")
    source = dataset_source(spec, data_dir=data_dir[0], split="train")
    images = load_dataset(spec, data_dir=data_dir[0]).train
    sent = pixels(source.item(images.ids[5]).read())
    np.testing.assert_array_equal(sent, images.examples[5:6][0, ..., 0])


@pytest.mark.real_data
def test_mnist(shared_tfds: Path) -> None:
    source = dataset_source("mnist", data_dir=str(shared_tfds), split="test")
    assert len(source.ids) == 10_000
    assert pixels(source.item(source.ids[0]).read()).shape == (28, 28)
