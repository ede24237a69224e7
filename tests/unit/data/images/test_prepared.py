from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from bgadl_tf.core.types import Images
from bgadl_tf.data.images import formats, prepared, reading
from bgadl_tf.data.images.decode import decode_tensor
from tests.support import image_files
from tests.support.image_files import COLOUR, FORMATS, PICTURE, TURNED, TWELVE_BITS, file
from tests.support.repository import REPOSITORY

SOUND = image_files.sound()


def by_pillow(content: bytes, channels: int) -> Images:
    """Pixels as the people who wrote the decoders would have them."""
    with Image.open(io.BytesIO(content)) as image:
        turned = ImageOps.exif_transpose(image)
        turned.info.pop("transparency", None)
        pixels = np.asarray(turned.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], -1)


@pytest.mark.parametrize("name", [name for name in SOUND if "wide" not in name])
def test_pixels_are_those_of_pillow(name: str) -> None:
    found = prepared.pixels(SOUND[name])
    expected = by_pillow(SOUND[name], found.shape[-1])
    # Decoders of JPEG round differently.
    tolerance = (
        3 if reading.read_header(io.BytesIO(SOUND[name])).native and "j" in name.lower() else 0
    )
    np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=tolerance)


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sent_is_decoded_to_the_pixels_that_are_trained_on(name: str) -> None:
    sent, trained = prepared.prepared(SOUND[name]), prepared.pixels(SOUND[name])
    np.testing.assert_array_equal(decode_tensor(sent, trained.shape[-1]), trained)
    assert prepared.prepared(sent) is sent


LEFT_ALONE = (
    "colour.PNG", "grey.PNG", "colour.JPEG", "one bit.png", "palette.png", "alpha.png",
    "a png.txt", "trailer.jpg",
)  # fmt: skip


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_served_graphs_decode_is_left_alone(name: str) -> None:
    assert prepared.prepared(SOUND[name]) is SOUND[name]


@pytest.mark.parametrize("format_", TURNED)
@pytest.mark.parametrize("orientation", range(2, 9))
def test_turned_images_are_upright(format_: str, orientation: int) -> None:
    content = image_files.turned(format_, orientation)
    np.testing.assert_array_equal(prepared.pixels(content), by_pillow(content, 3))


@pytest.mark.parametrize("name", ["frames.GIF", "frames.WebP", "frames.PNG", "frames.TIFF"])
def test_the_first_of_several_frames_counts(name: str) -> None:
    assert prepared.pixels(SOUND[name]).any()  # the second is black


@pytest.mark.parametrize("name", ["alpha.png", "alpha.webp"])
def test_alpha_is_dropped(name: str) -> None:
    np.testing.assert_array_equal(prepared.pixels(SOUND[name]), COLOUR)


# Sixteen bits


@pytest.mark.parametrize(
    ("brightest", "bits"), [(0, 8), (255, 8), (256, 12), (4095, 12), (4096, 16), (65535, 16)]
)
def test_wide_pixels_are_scaled_by_the_fewest_bits(brightest: int, bits: int) -> None:
    wide = np.linspace(0, brightest, 50).astype(np.uint16).reshape(5, 10)
    expected = np.round(wide / (2**bits - 1) * 255)
    np.testing.assert_array_equal(prepared.scaled(wide), expected.astype(np.uint8))


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("wide.png", 1),
        ("wide grey alpha.png", 1),
        ("wide colour.png", 3),
        ("wide alpha.png", 3),
        ("wide.tif", 1),
        ("wide colour.tif", 3),
        ("wide packed.tif", 3),
        ("wide big end.tif", 3),
    ],
)
def test_twelve_bits_in_sixteen_are_not_black(name: str, channels: int) -> None:
    expected = np.round(TWELVE_BITS[..., :channels] / 4095 * 255).astype(np.uint8)
    np.testing.assert_array_equal(prepared.pixels(SOUND[name]), expected)


def test_wide_images_are_turned_too() -> None:
    content = image_files.with_exif(image_files.wide_png(TWELVE_BITS[..., :3]), 6)
    expected = np.rot90(prepared.pixels(SOUND["wide colour.png"]), -1)
    np.testing.assert_array_equal(prepared.pixels(content), expected)


# Large images


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("format_", ["PNG", "TIFF", "WebP"])
def test_large_images_are_averaged(
    monkeypatch: pytest.MonkeyPatch, format_: str, orientation: int
) -> None:
    monkeypatch.setattr(formats, "MOST_PIXELS", 70)
    exif = Image.Exif()
    exif[0x112] = orientation
    content = file(PICTURE, format_, exif=exif, **({"lossless": True} if format_ == "WebP" else {}))
    means = COLOUR.reshape(6, 2, 9, 2, 3).mean((1, 3))
    turned = means if orientation == 1 else np.rot90(means, -1)
    found = prepared.pixels(content)
    assert found.shape == turned.shape
    np.testing.assert_allclose(found, turned, atol=1.0)
    sent = prepared.prepared(content)
    np.testing.assert_array_equal(by_pillow(sent, 3), found)


def test_large_wide_images_are_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MOST_PIXELS", 70)
    narrow = prepared.scaled(TWELVE_BITS[..., 0])
    found = prepared.pixels(SOUND["wide.png"])[..., 0]
    np.testing.assert_allclose(found, narrow.reshape(6, 2, 9, 2).mean((1, 3)), atol=1.0)


def test_a_photo_of_a_phone() -> None:
    """24 million pixels, held upright."""
    smooth = Image.fromarray(COLOUR).resize((5712, 4284), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x112] = 6
    content = file(smooth, "JPEG", exif=exif, quality=90)
    found = prepared.pixels(content)
    assert found.shape == (2856, 2142, 3)
    expected = np.rot90(np.asarray(smooth.reduce(2)), -1).astype(int)
    assert np.abs(found - expected).mean() < 2
    with Image.open(io.BytesIO(prepared.prepared(content))) as sent:
        np.testing.assert_array_equal(np.asarray(sent), found)


@pytest.mark.parametrize("side", [(3, 23), (23, 3), (1, 71), (71, 1), (25, 25)])
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_sides_that_do_not_divide_keep_what_is_over(
    monkeypatch: pytest.MonkeyPatch, side: tuple[int, int], format_: str
) -> None:
    monkeypatch.setattr(formats, "MOST_PIXELS", 20)
    content = file(PICTURE.resize(side), format_)
    header = reading.read_header(io.BytesIO(content))
    assert prepared.pixels(content).shape == (header.height, header.width, 3)


@pytest.mark.parametrize("format_", FORMATS)
def test_bytes_need_no_file(format_: str) -> None:
    content = file(PICTURE, format_)
    assert prepared.pixels(content).shape == COLOUR.shape


def test_clients_prepare_images_without_tensorflow() -> None:
    program = (
        "import sys\n"
        "from tests.support import image_files\n"
        "from bgadl_tf.data.images.prepared import prepared\n"
        "for name, content in image_files.sound().items():\n"
        "    if not name.startswith('wide') or name.endswith('.tif'):\n"
        "        prepared(content)\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=REPOSITORY)
