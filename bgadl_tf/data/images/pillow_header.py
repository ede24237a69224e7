"""The header of an image that Pillow alone decodes. Imports no TensorFlow."""

from __future__ import annotations

import re
import sys
from typing import Any, BinaryIO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from bgadl_tf.data.images import formats
from bgadl_tf.data.images.exif import UPRIGHT, orientation_of
from bgadl_tf.data.images.header import Header, UnreadableError

GREY_MODES = frozenset({"1", "L", "LA", "La"})
SIXTEEN_BITS = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_OTHER_BYTE = re.compile(r"RGB[AX]?;16[LBN]")
"""How Pillow calls the order of bytes that it takes every other of."""

BITS_PER_SAMPLE, SUBFILE_TYPE, DNG_VERSION = 258, 254, 50706

_DECODERS: dict[str, type[ImageFile.ImageFile]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}


def open_image(format_: str, file: BinaryIO) -> ImageFile.ImageFile:
    """A file as Pillow's reader of one format sees it, pixels not decoded.

    ``Image.open`` would try every format, and refuses photos that we reduce.
    """
    file.seek(0)
    return _DECODERS[format_](file)


def read(format_: str, file: BinaryIO) -> Header:
    """Reads the header of a file.

    Raises:
        UnreadableError: Its pixels cannot be used.
        Exception: Whatever Pillow raises where it is damaged.
    """
    with open_image(format_, file) as image:
        if format_ == "TIFF":
            _check_tiff(image)
        if image.mode in ("I", "F"):
            kind = "32-bit integers" if image.mode == "I" else "floating-point numbers"
            raise UnreadableError(
                f"its pixels are {kind}, whose range nobody knows: save it with 8 or 16 bits"
            )
        # Pillow turns a TIFF itself.
        exif = image.info.get("exif", b"") if format_ != "TIFF" else b""
        return Header(
            format_,
            image.size,
            image.mode in GREY_MODES | SIXTEEN_BITS,
            orientation_of(exif) if isinstance(exif, bytes) else UPRIGHT,
            16 if image.mode in SIXTEEN_BITS or wide_colours(image) else 8,
            bool(getattr(image, "is_animated", False)),
        )


def _check_tiff(image: ImageFile.ImageFile) -> None:
    tags = getattr(image, "tag_v2", {})
    # In raw files the first picture is a preview the size of a stamp.
    if DNG_VERSION in tags or int(tags.get(SUBFILE_TYPE, 0)) & 1:
        raise UnreadableError("a camera's raw file, which is not read: convert it to JPEG")
    most = 2 * (Image.MAX_IMAGE_PIXELS or formats.LARGEST)
    if image.width * image.height > most:
        raise UnreadableError(
            f"{image.width}x{image.height} pixels; at most {most} are read of a TIFF: reduce it"
        )
    bits = tags.get(BITS_PER_SAMPLE, (1,))
    if max(bits) > 8 and not (image.mode in SIXTEEN_BITS | {"I", "F"} or wide_colours(image)):
        raise UnreadableError(
            f"a TIFF of {len(bits)} channels with {max(bits)} bits, which is not read: save it as "
            "PNG"
        )


def wide_colours(image: ImageFile.ImageFile) -> bool:
    """Whether it has 16 bits a channel and colour, of which Pillow keeps the high bytes."""
    if image.format != "TIFF" or image.mode not in ("RGB", "RGBA", "RGBX"):
        return False
    return all(_OTHER_BYTE.fullmatch(_raw_mode(tile)) for tile in image.tile)


def take_low_bytes(image: ImageFile.ImageFile) -> None:
    """Makes Pillow take the low bytes of such an image: the high ones in the other order."""
    other = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
    image.tile = [
        tile._replace(args=(raw[:-1] + other[raw[-1]], *_arguments(tile)[1:]))
        for tile, raw in ((tile, _raw_mode(tile)) for tile in image.tile)
    ]


def _arguments(tile: Any) -> tuple[Any, ...]:
    return tile.args if isinstance(tile.args, tuple) else (tile.args,)


def _raw_mode(tile: Any) -> str:
    return str(_arguments(tile)[0])
