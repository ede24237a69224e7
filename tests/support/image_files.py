"""Image files of every kind, sound and not, as people have them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

HEIGHT, WIDTH = 12, 18
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WebP", "TIFF", "AVIF")
TURNED = ("PNG", "JPEG", "WebP", "TIFF", "AVIF")
"""Formats that have EXIF data."""

COLOUR = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
PICTURE = Image.fromarray(COLOUR)
TWELVE_BITS = np.random.default_rng(4).integers(0, 4096, (HEIGHT, WIDTH, 4), dtype=np.uint16)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
FLOATS = "its pixels are floating-point numbers, whose range nobody knows: save it with 8 or 16"
TO_PNG, TO_JPEG = (f"which is not read: convert it to {format_}" for format_ in ("PNG", "JPEG"))
RAW = f"a camera's raw file, {TO_JPEG}"


def file(image: Image.Image, format_: str, **options: Any) -> bytes:
    """An image as a file of a format."""
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def turned(format_: str, orientation: int) -> bytes:
    """The picture with an EXIF orientation."""
    exif = Image.Exif()
    exif[0x112] = orientation
    return file(PICTURE, format_, exif=exif)


def chunk(name: bytes, content: bytes) -> bytes:
    """One chunk of a PNG."""
    checksum = zlib.crc32(content, zlib.crc32(name))
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def wide_png(pixels: NDArray[np.uint16]) -> bytes:
    """A PNG of 16 bits a channel, which Pillow does not write in colour.

    Args:
        pixels: uint16 [H, W, channels], 1 to 4 channels.
    """
    height, width, channels = pixels.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def wide_tiff(pixels: NDArray[np.uint16], order: str = "<", *, packed: bool = False) -> bytes:
    """A TIFF of 16 bits a channel in colour, which Pillow does not write.

    Args:
        pixels: uint16 [H, W, 3].
        order: Of the bytes, ``<`` or ``>``.
        packed: Whether it is compressed.
    """
    height, width, channels = pixels.shape
    data = pixels.astype(f"{order}u2").tobytes()
    data = zlib.compress(data) if packed else data
    behind = 8 + 2 + 12 * 10 + 4
    longs = {273: behind + 6, 279: len(data), 258: behind}
    shorts = {256: width, 257: height, 259: 8 if packed else 1, 262: 2, 277: channels,
              278: height, 284: 1}  # fmt: skip
    entries = b""
    for tag, value in sorted({**longs, **shorts}.items()):
        if tag == 258:
            entries += struct.pack(f"{order}HHII", tag, 3, channels, value)
        elif tag in shorts:
            entries += struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)
        else:
            entries += struct.pack(f"{order}HHII", tag, 4, 1, value)
    start = b"II*\0" if order == "<" else b"MM\0*"
    bits = struct.pack(f"{order}HHH", 16, 16, 16)
    head = struct.pack(f"{order}I", 8) + struct.pack(f"{order}H", 10)
    return start + head + entries + bytes(4) + bits + data


def with_exif(content: bytes, orientation: int) -> bytes:
    """A PNG with an eXIf chunk behind its pixels."""
    exif = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x112, 3, 1, orientation, 0, 0)
    end = content.rindex(b"IEND") - 4
    return content[:end] + chunk(b"eXIf", exif) + content[end:]


def with_late_exif(orientation: int) -> bytes:
    """The picture as a PNG whose eXIf chunk stands behind the pixels."""
    return with_exif(file(PICTURE, "PNG"), orientation)


def frames(format_: str) -> bytes:
    """Two frames or pages, the first of which is the picture, or close to it."""
    return file(PICTURE, format_, save_all=True, append_images=[Image.new("RGB", PICTURE.size)])


def transparent() -> bytes:
    """A PNG with a palette, one colour of which is transparent."""
    return file(PICTURE.quantize(16), "PNG", transparency=3)


def sound() -> dict[str, bytes]:
    """Files that are read, by a name each; not all of one size."""
    return {
        **{f"colour.{f}": file(PICTURE, f) for f in FORMATS},
        **{f"grey.{f}": file(PICTURE.convert("L"), f) for f in FORMATS},
        **{f"turned {n}.{f}": turned(f, n) for f in TURNED for n in (3, 5, 6, 8)},
        **{f"frames.{f}": frames(f) for f in ("GIF", "WebP", "PNG", "TIFF")},
        "late.png": with_late_exif(6),
        "lzw.tif": file(PICTURE, "TIFF", compression="tiff_lzw"),
        "fax.tif": file(PICTURE.convert("1"), "TIFF", compression="group4"),
        "one bit.png": file(PICTURE.convert("1"), "PNG"),
        "palette.png": transparent(),
        "alpha.png": file(PICTURE.convert("RGBA"), "PNG"),
        "grey alpha.png": file(PICTURE.convert("LA"), "PNG"),
        "alpha.webp": file(PICTURE.convert("RGBA"), "WebP", lossless=True),
        "inks.jpg": file(PICTURE.convert("CMYK"), "JPEG"),
        "progressive.jpg": file(PICTURE, "JPEG", progressive=True),
        "trailer.jpg": file(PICTURE, "JPEG") + b"a video" * 9,
        "wide.png": wide_png(TWELVE_BITS[..., :1]),
        "wide grey alpha.png": wide_png(TWELVE_BITS[..., :2]),
        "wide colour.png": wide_png(TWELVE_BITS[..., :3]),
        "wide alpha.png": wide_png(TWELVE_BITS),
        "wide.tif": file(Image.fromarray(TWELVE_BITS[..., 0]), "TIFF", compression="tiff_lzw"),
        "wide colour.tif": wide_tiff(TWELVE_BITS[..., :3]),
        "wide packed.tif": wide_tiff(TWELVE_BITS[..., :3], packed=True),
        "wide big end.tif": wide_tiff(TWELVE_BITS[..., :3], ">"),
        "a webp.png": file(PICTURE, "WebP"),
        "a png.txt": file(PICTURE, "PNG"),
        "a jpeg.jfif": file(PICTURE, "JPEG"),
        "no ending": file(PICTURE, "PNG"),
    }


def damaged() -> dict[str, tuple[bytes, str]]:
    """Files that should be images and are not read, by a name each, and why."""
    png, jpeg = file(PICTURE, "PNG"), file(PICTURE, "JPEG")
    end = len(png) // 2
    flipped = png[:end] + bytes([png[end] ^ 1]) + png[end + 1 :]
    bomb = png[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 2**14, 2**14, 8, 2, 0, 0, 0)) + png[33:]
    return {
        "cut.png": (png[:end], "cut short"),
        "no end.png": (png[:-12], "cut short"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], "cut short"),
        "no end.jpg": (jpeg[:-2], "cut short"),
        "checksum.png": (flipped, "damaged: a wrong checksum in IDAT"),
        "empty.png": (b"", "the file is empty"),
        "text.png": (b"<html>not found</html>", "not an image"),
        "bomb.png": (bomb, "16384x16384 pixels in "),
        "cut.gif": (file(PICTURE, "GIF")[:9], "damaged"),
        "cut.webp": (file(PICTURE, "WebP")[:40], "damaged"),
        "cut.tif": (file(PICTURE, "TIFF")[:30], "damaged"),
        "cut.avif": (file(PICTURE, "AVIF")[:60], "damaged"),
        "floats.tif": (file(Image.fromarray(np.ones((3, 3), np.float32)), "TIFF"), FLOATS),
        "integers.tif": (file(Image.fromarray(np.ones((3, 3), np.int32)), "TIFF"), "its pixels "),
        "photo.jpg": (HEIC, f"HEIC, {TO_JPEG}"),
        "photo.tif": (preview(), RAW),
    }


def preview() -> bytes:
    """A TIFF whose first picture says that it is a small one of another, as in raw files."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254] = 1
    return file(PICTURE, "TIFF", tiffinfo=tags)


def others() -> dict[str, tuple[bytes, str]]:
    """Files that are no images that are read, and what they are."""
    no, video = "not an image", "a video, which is not read"
    return {
        "notes.txt": (b"cats and dogs", no),
        "BMW.txt": (b"BMW has four wheels and an engine", no),
        "nothing": (b"", "the file is empty"),
        "photo.heic": (HEIC, f"HEIC, {TO_JPEG}"),
        "photo.cr2": (b"II*\0\x10\0\0\0CR\2\0", RAW),
        "photo.cr3": (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", RAW),
        "drawing.svg": (b"<?xml version='1.0'?>\n<svg/>", f"SVG, {TO_PNG}"),
        "paper.pdf": (b"%PDF-1.7", f"PDF, {TO_JPEG}"),
        "film.mp4": (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", video),
        "film.avi": (b"RIFF\0\0\0\0AVI LIST", video),
        "sound.wav": (b"RIFF\0\0\0\0WAVEfmt ", no),
        "scan.jp2": (b"\0\0\0\x0cjP  \r\n\x87\n", f"JPEG 2000, {TO_JPEG}"),
        "grey.pgm": (b"P5\n1 1\n255\n\0", f"PNM, {TO_PNG}"),
    }
