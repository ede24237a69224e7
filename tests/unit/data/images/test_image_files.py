from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Images
from bgadl_tf.data.images import decode, image_files, image_paths, resize
from bgadl_tf.data.images.decode_rows import PART


def read(root: Path, size: int | None = None) -> Images:
    return image_files.read_images(root, image_paths.all_images(root, set()), size)


def opened(root: Path, size: int | None = None) -> image_files.ImageFiles:
    names = [path.relative_to(root).as_posix() for path in image_paths.all_images(root, set())]
    return image_files.open_images(root, names, size)


def save(path: Path, pixels: Any, **options: Any) -> None:
    Image.fromarray(np.asarray(pixels)).save(path, **options)


def noise(*shape: int) -> Images:
    return np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)


@pytest.mark.parametrize("suffix", ["png", "bmp", "PNG"])
def test_lossless_formats_keep_every_pixel(tmp_path: Path, suffix: str) -> None:
    pixels = noise(8, 9, 3)
    save(tmp_path / f"a.{suffix}", pixels)
    np.testing.assert_array_equal(read(tmp_path), pixels[np.newaxis])


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
    np.testing.assert_array_equal(read(tmp_path), np.stack([grey, grey])[..., np.newaxis])
    save(tmp_path / "c.png", noise(8, 8, 3))
    assert read(tmp_path).shape == (3, 8, 8, 3)
    np.testing.assert_array_equal(read(tmp_path)[0], np.stack([grey] * 3, axis=-1))


def test_alpha_is_dropped(tmp_path: Path) -> None:
    pixels = noise(8, 8, 4)
    save(tmp_path / "a.png", pixels)
    np.testing.assert_array_equal(read(tmp_path)[0], pixels[..., :3])


def test_sixteen_bits_keep_the_high_byte(tmp_path: Path) -> None:
    pixels = np.full((8, 8), 0x1234, np.uint16)
    save(tmp_path / "a.png", pixels)
    assert (read(tmp_path) == 0x12).all()


def test_unreadable_images_are_counted_and_named(tmp_path: Path) -> None:
    save(tmp_path / "0.png", noise(32, 32, 3))
    content = (tmp_path / "0.png").read_bytes()
    (tmp_path / "1.png").write_bytes(content[: len(content) // 2])
    (tmp_path / "2.png").write_bytes(b"")
    (tmp_path / "3.jpg").write_text("<html>")
    (tmp_path / "4.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "5.png")
    with pytest.raises(DataError, match="5 images of ") as caught:
        read(tmp_path)
    message = str(caught.value)
    assert "2.png (not an image), 3.jpg (not an image), 4.png (a broken link)" in message
    assert "and 2 more; mend or remove them" in message


def test_one_truncated_image(tmp_path: Path) -> None:
    save(tmp_path / "1.png", noise(32, 32, 3))
    content = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"1 image of .* cannot be read: 1\.png \("):
        read(tmp_path, 8)


@pytest.mark.parametrize("limit", [40, 70])
def test_decompression_bombs_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Pillow only warns up to twice its limit and raises above."""
    save(tmp_path / "1.png", noise(10, 10))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(DataError, match=r"1\.png \(too many pixels to be safe\)"):
        read(tmp_path, 8)


def test_what_served_graphs_refuse_is_refused_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "1.bmp", noise(10, 10))
    monkeypatch.setattr(decode, "MOST_PIXELS", 99)
    with pytest.raises(DataError, match=r"1\.bmp \(too many pixels to be safe\)"):
        read(tmp_path, 8)


def test_mixed_sizes_name_two_examples(tmp_path: Path) -> None:
    save(tmp_path / "a.png", noise(8, 9))
    save(tmp_path / "b.png", noise(10, 11))
    with pytest.raises(DataError, match=r"a\.png is 9x8, b\.png is 11x10 .*--image-size"):
        read(tmp_path)
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


def test_what_headers_show_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    save(tmp_path / "a.png", noise(8, 9))
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"1 image of .* cannot be read: b\.png \(not an image\)"):
        opened(tmp_path)
    save(tmp_path / "b.png", noise(10, 11))
    with pytest.raises(DataError, match=r"a\.png is 9x8, b\.png is 11x10 .*--image-size"):
        opened(tmp_path)


def test_what_only_pixels_show_is_found_when_they_are_read(tmp_path: Path) -> None:
    for number in range(9):
        save(tmp_path / f"{number}.png", noise(32, 32, 3))
    source = opened(tmp_path)
    content = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(content[: len(content) // 2])
    (tmp_path / "4.png").unlink()
    save(tmp_path / "6.png", noise(1, 1, 3))  # NumPy would spread it over a whole image
    assert source[7:].shape == (2, 32, 32, 3)
    with pytest.raises(DataError, match=r"3 images of .* cannot be read") as caught:
        source[:8]
    message = str(caught.value)
    for name in ("1.png", "4.png", "6.png"):
        assert f"{name} (" in message
    assert "No such file" in message
