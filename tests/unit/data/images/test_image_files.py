from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Images
from bgadl_tf.data.images import formats, image_files, prepared, resize
from bgadl_tf.data.images.decode_rows import PART
from bgadl_tf.data.images.image_files import ReadImages
from bgadl_tf.data.images.looking import look_at
from bgadl_tf.data.images.tree import read_tree
from bgadl_tf.data.intake import Intake
from tests.support import image_files as files
from tests.support.examples import tiny_png


def read_all(
    root: Path,
    size: int | None = None,
    mode: str = "stretch",
    *,
    stream: bool = False,
    most: float = 0.0,
) -> ReadImages:
    entries = [*read_tree(root).root.all_files()]
    return image_files.read_images(
        root,
        entries,
        look_at(entries),
        image_size=size,
        resize=mode,
        stream=stream,
        max_unreadable=most,
    )


def read(root: Path, size: int | None = None) -> Images:
    images = read_all(root, size).images
    assert isinstance(images, np.ndarray)
    return images


def opened(root: Path, size: int | None = None) -> image_files.ImageFiles:
    images = read_all(root, size, stream=True).images
    assert isinstance(images, image_files.ImageFiles)
    return images


def save(path: Path, pixels: Any, **options: Any) -> None:
    Image.fromarray(np.asarray(pixels)).save(path, **options)


def noise(*shape: int) -> Images:
    return np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def spoil_pixels(path: Path) -> None:
    """Makes a PNG whose checksums are right and whose pixels are not."""
    end = files.chunk(b"IEND", b"")
    path.write_bytes(path.read_bytes()[:33] + files.chunk(b"IDAT", b"no pixels") + end)


@pytest.mark.parametrize("suffix", ["png", "bmp", "PNG"])
def test_lossless_formats_keep_every_pixel(tmp_path: Path, suffix: str) -> None:
    pixels = noise(8, 9, 3)
    save(tmp_path / f"a.{suffix}", pixels)
    np.testing.assert_array_equal(read(tmp_path), pixels[np.newaxis])


@pytest.mark.parametrize("mode", resize.MODES)
@pytest.mark.parametrize("stream", [False, True])
def test_files_of_every_kind_are_read_together(tmp_path: Path, stream: bool, mode: str) -> None:
    sound = files.sound()
    for name, content in sound.items():
        (tmp_path / name).write_bytes(content)
    found = read_all(tmp_path, 10, mode, stream=stream)
    assert found.ids == tuple(sorted(sound))
    assert not found.unreadable
    for id_, image in zip(found.ids, found.images[:], strict=True):
        pixels = prepared.pixels(sound[id_])
        coloured = np.repeat(pixels, 3 // pixels.shape[-1], axis=-1)[np.newaxis]
        np.testing.assert_array_equal(image, resize.resize(coloured, 10, mode)[0])


def test_jpeg_and_the_first_frame_of_gif(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", np.full((8, 8, 3), 90, np.uint8))
    frames = [Image.new("RGB", (8, 8), (value, 0, 0)) for value in (10, 250)]
    frames[0].save(tmp_path / "b.gif", save_all=True, append_images=frames[1:])
    images = read(tmp_path)
    assert images.shape == (2, 8, 8, 3)
    assert abs(int(images[0, 0, 0, 0]) - 90) <= 2
    assert images[1, 0, 0].tolist() == [10, 0, 0]


def test_grey_images_have_one_channel_unless_another_has_three(tmp_path: Path) -> None:
    grey = noise(8, 8)
    save(tmp_path / "a.png", grey)
    save(tmp_path / "b.png", np.stack([grey, np.full_like(grey, 9)], axis=-1))
    save(tmp_path / "c.bmp", grey)
    np.testing.assert_array_equal(read(tmp_path), np.stack([grey] * 3)[..., np.newaxis])
    save(tmp_path / "d.png", noise(8, 8, 3))
    assert read(tmp_path).shape == (4, 8, 8, 3)
    for row in (0, 2):
        np.testing.assert_array_equal(read(tmp_path)[row], np.stack([grey] * 3, axis=-1))


def test_turned_images_count_as_they_are_seen(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(files.turned("JPEG", 6))
    (tmp_path / "b.png").write_bytes(files.turned("PNG", 8))
    assert read(tmp_path).shape == (2, files.WIDTH, files.HEIGHT, 3)


def test_mixed_sizes_name_two_examples(tmp_path: Path) -> None:
    save(tmp_path / "a.png", noise(8, 9))
    save(tmp_path / "b.png", noise(10, 11))
    for read_them in (read, opened):
        with pytest.raises(DataError, match=r"a\.png is 9x8, b\.png is 11x10 .*--image-size"):
            read_them(tmp_path)
    assert read(tmp_path, 8).shape == (2, 8, 8, 1)


def test_each_image_is_resized_on_its_own(tmp_path: Path) -> None:
    first, second = noise(20, 30), noise(9, 11)
    save(tmp_path / "a.png", first)
    save(tmp_path / "b.png", second)
    images = read(tmp_path, 12)
    for image, pixels in zip(images, (first, second), strict=True):
        expected = resize.resize(pixels[np.newaxis, ..., np.newaxis], 12)[0]
        np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("shape", [(1, 3), (300, 7)])
def test_images_of_any_one_size_are_read(tmp_path: Path, shape: tuple[int, int]) -> None:
    save(tmp_path / "a.png", noise(*shape))
    assert read(tmp_path).shape == opened(tmp_path).shape == (1, *shape, 1)


def test_names_in_latin_1_bytes(tmp_path: Path) -> None:
    for name, content in ((b"/caf\xe9.png", tiny_png("a")), (b"/\xfc.bmp", b"")):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + name))
        path.write_bytes(content or files.file(Image.fromarray(noise(8, 8)), "BMP"))
    for stream in (False, True):
        found = read_all(tmp_path, stream=stream)
        assert found.ids == ("café.png", "ü.bmp")
        assert found.images[:].shape == (2, 8, 8, 1)


# Images that cannot be read


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """Twenty images, of which three cannot be read; of one, only decoding finds it."""
    for number in range(20):
        save(tmp_path / f"{number:02}.png", noise(20, 20, 3) // (number + 1))
    cut(tmp_path / "03.png")
    (tmp_path / "07.png").write_bytes(b"")
    spoil_pixels(tmp_path / "00.png")
    return tmp_path


def test_unreadable_images_are_left_out_and_named(spoilt: Path) -> None:
    found = read_all(spoilt, most=0.15)
    assert {id_: why.partition(":")[0] for id_, why in found.unreadable.items()} == {
        "00.png": "damaged",
        "03.png": "cut short",
        "07.png": "the file is empty",
    }
    assert len(found.ids) == len(found.images) == 17
    for id_, image in zip(found.ids, found.images[:], strict=True):
        np.testing.assert_array_equal(image, noise(20, 20, 3) // (int(id_[:2]) + 1))


def test_too_many_unreadable_images_are_counted_and_named(spoilt: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_all(spoilt, most=0.1)
    message = str(caught.value)
    assert message.startswith(f"3 images of {spoilt} cannot be read: 03.png (cut short), 07.png (")
    assert ": 15.0% of 20, at most 10.0% may be; mend or remove them, or allow" in message
    assert message.endswith("with --max-unreadable 0.15")
    for number in range(2):
        (spoilt / f"text {number}.png").write_text("<html>")
    with pytest.raises(DataError, match=r"^4 images .* and 1 more: 18\.2% of 22.* 0\.182$"):
        read_all(spoilt, most=0.1)


def test_headers_alone_can_show_that_there_are_too_many(spoilt: Path) -> None:
    with pytest.raises(DataError, match=r"^2 images of .* cannot be read"):
        read_all(spoilt, most=0.05, stream=True)
    found = read_all(spoilt, most=0.1, stream=True)
    assert list(found.unreadable) == ["03.png", "07.png"]
    assert len(found.ids) == len(found.images) == 18


def test_nothing_that_can_be_read_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no images; expected PNG, JPEG, GIF"):
        read_all(tmp_path)
    (tmp_path / "a.png").write_bytes(b"")
    for stream in (False, True):
        with pytest.raises(DataError, match=r"1 image of .* a\.png \(the file is empty\): 100"):
            read_all(tmp_path, most=1.0, stream=stream)
    save(tmp_path / "a.png", noise(20, 20, 3))
    spoil_pixels(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"1 image of .* a\.png \(damaged: .*\): 100"):
        read_all(tmp_path, most=1.0)


def test_decompression_bombs_are_refused(tmp_path: Path) -> None:
    content, _ = files.damaged()["bomb.png"]
    (tmp_path / "1.png").write_bytes(content)
    with pytest.raises(DataError, match=r"1\.png \(16384x16384 pixels .*too many to be safe"):
        read(tmp_path, 8)


# Decoded when they are needed


@pytest.mark.parametrize("size", [None, 12])
def test_opened_images_are_what_is_read_at_once(tmp_path: Path, size: int | None) -> None:
    # More than one thread decodes, and more than one decoder: BMP and GIF are Pillow's.
    suffixes = ("png", "jpg", "bmp", "png", "gif")
    for number, pixels in enumerate(noise(2 * PART + 5, 8, 9, 3)):
        save(tmp_path / f"{number:04}.{suffixes[number % 5]}", pixels)
    source, whole = opened(tmp_path, size), read(tmp_path, size)
    assert source.shape == whole.shape
    assert source.dtype == whole.dtype
    np.testing.assert_array_equal(source[:], whole)
    rows = np.array([7, 3, 3, 500])
    np.testing.assert_array_equal(source[rows], whole[rows])
    assert source[:0].shape == (0, *whole.shape[1:])


def test_nothing_is_decoded_before_it_is_needed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / f"{name}.png", noise(8, 8))
    source = opened(tmp_path)
    save(tmp_path / "b.png", 255 - noise(8, 8))
    np.testing.assert_array_equal(source[1:2][0, ..., 0], 255 - noise(8, 8))


def test_what_only_pixels_show_is_found_when_they_are_read(tmp_path: Path) -> None:
    for number in range(9):
        save(tmp_path / f"{number}.png", noise(32, 32, 3))
        save(tmp_path / f"{number}.bmp", noise(32, 32, 3))
    source = opened(tmp_path)
    cut(tmp_path / "1.png")
    cut(tmp_path / "1.bmp")
    (tmp_path / "4.png").unlink()
    (tmp_path / "4.bmp").unlink()
    for name in ("6.png", "6.bmp"):
        save(tmp_path / name, noise(1, 1, 3))  # NumPy would spread it over a whole image
    assert source[14:].shape == (4, 32, 32, 3)
    for rows, name in enumerate(("1.bmp", "1.png", "4.bmp", "4.png", "6.bmp", "6.png")):
        row = np.array([2 * int(name[0]) + rows % 2])
        with pytest.raises(DataError, match=rf"1 image of .* cannot be read: {name} \("):
            source[row]
    with pytest.raises(DataError, match=r"4\.bmp \(No such file"):
        source[np.array([8])]
    with pytest.raises(DataError, match=r"4\.png \(.*No such file"):
        source[np.array([9])]
    with pytest.raises(DataError) as caught:
        source[:14]
    message = str(caught.value)
    assert message.startswith("6 images of ")
    assert "and 3 more; mend them, or remove them and run the same command again" in message


# What is said of images


def test_what_was_done_to_images_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MOST_PIXELS", files.WIDTH * files.HEIGHT)
    names = ("wide.png", "wide.tif", "frames.GIF", "turned 6.JPEG", "colour.PNG", "a webp.png")
    for name in names:
        (tmp_path / name).write_bytes(files.sound()[name])
    save(tmp_path / "large.png", noise(40, 30))
    entries = [*read_tree(tmp_path).root.all_files()]
    looked = look_at(entries)
    told = image_files.describe(looked, [entry.id for entry in entries])
    wide, *others = told.notes
    assert wide == (
        "2 images have 16 bits a channel: scaled to 8 by the fewest of 8, 12 and 16 bits that "
        "hold the brightest value of the image"
    )
    assert others == [
        "1 image has more than 216 pixels: decoded at a half, a quarter or an eighth of their size",
        "1 image has several frames or pages: the first is used",
    ]
    assert told.formats == {"PNG": 3, "WebP": 1, "GIF": 1, "JPEG": 1, "TIFF": 1}
    assert told.sizes == {(18, 12): 5, (30, 40): 1, (12, 18): 1}
    assert image_files.describe(looked, ["colour.PNG"]) == Intake(
        formats={"PNG": 1}, sizes={(18, 12): 1}
    )
