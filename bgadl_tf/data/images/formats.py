"""What a file is, by its first bytes; its name decides nothing. Imports no TensorFlow."""

from __future__ import annotations

from typing import NamedTuple

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"

HEAD = 1024
"""Bytes that are enough to tell what a file is."""

MOST_PIXELS = 2**24
"""Height times width of the largest image that is decoded as it is; larger ones are reduced."""

LARGEST = 2**28
"""Height times width of the largest image that is decoded at all."""

LARGEST_FILE = 2**30
"""Bytes of the largest file that is read."""

MOST_A_BYTE = 1024
"""Pixels a byte of a file above ``MOST_PIXELS``; more are claimed only to fill the memory."""

SUFFIXES = frozenset(
    {
        ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".dib", ".webp", ".tif",
        ".tiff", ".avif",
    }
)  # fmt: skip
"""Endings of names that promise an image that is read."""

READ = "PNG, JPEG, GIF, BMP, WebP, TIFF or AVIF"
"""What messages say is read."""

NOT_AN_IMAGE = "not an image"

_READ = {
    PNG: "PNG", JPEG: "JPEG", b"GIF87a": "GIF", b"GIF89a": "GIF", b"BM": "BMP",
    b"II*\0": "TIFF", b"MM\0*": "TIFF", b"II+\0": "TIFF", b"MM\0+": "TIFF",
}  # fmt: skip

_CONVERT = {"JPEG": "convert it to JPEG", "PNG": "convert it to PNG"}
_RAW = "a camera's raw file"
_OTHERS = {
    b"FUJIFILMCCD-RAW": (_RAW, "JPEG"), b"IIRO": (_RAW, "JPEG"), b"IIRS": (_RAW, "JPEG"),
    b"MMOR": (_RAW, "JPEG"), b"IIU\0": (_RAW, "JPEG"), b"\0MRM": (_RAW, "JPEG"),
    b"FOVb": (_RAW, "JPEG"), b"\0\0\0\x0cjP  ": ("JPEG 2000", "JPEG"),
    b"\xff\x4f\xff\x51": ("JPEG 2000", "JPEG"), b"\xff\x0a": ("JPEG XL", "JPEG"),
    b"\0\0\0\x0cJXL ": ("JPEG XL", "JPEG"), b"II\xbc": ("JPEG XR", "JPEG"),
    b"%PDF": ("PDF", "JPEG"), b"%!PS": ("PostScript", "PNG"), b"8BPS": ("Photoshop", "PNG"),
    b"gimp xcf": ("GIMP", "PNG"), b"\0\0\1\0": ("an icon", "PNG"), b"qoif": ("QOI", "PNG"),
    b"v/1\x01": ("OpenEXR", "PNG"), b"#?RADIANCE": ("Radiance", "PNG"),
    b"SIMPLE  =": ("FITS", "PNG"),
    b"\x1aE\xdf\xa3": ("a video", None), b"\0\0\1\xba": ("a video", None),
    b"\0\0\1\xb3": ("a video", None), b"FLV\1": ("a video", None),
    b"0&\xb2u\x8ef\xcf\x11": ("a video", None),
}  # fmt: skip
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


class Kind(NamedTuple):
    """What a file is.

    Attributes:
        format: Of an image that is read, e.g. ``PNG``; else None.
        reason: Why it is not read; empty for what is.
    """

    format: str | None
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether it is anything at all that is known."""
        return self.reason != NOT_AN_IMAGE


def kind_of(head: bytes) -> Kind:
    """Tells what a file is.

    Args:
        head: Its first ``HEAD`` bytes, or all of them.
    """
    if head[8:10] == b"CR" and head.startswith(b"II*\0"):
        return _not_read(_RAW, "JPEG")
    for magic, name in _READ.items():
        if head.startswith(magic):
            # Two letters alone begin many a text.
            return Kind(name) if name != "BMP" or _is_bmp(head) else Kind(None, NOT_AN_IMAGE)
    if head.startswith(b"RIFF"):
        return _of_riff(head[8:12])
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    for magic, (name, better) in _OTHERS.items():
        if head.startswith(magic):
            return _not_read(name, better)
    if head[:1] == b"P" and head[1:2] in b"1234567" and head[2:3].isspace():
        return _not_read("PNM", "PNG")
    if head[128:132] == b"DICM":
        return _not_read("DICOM", "PNG")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"<svg") or (start.startswith((b"<?xml", b"<!--")) and b"<svg" in start):
        return _not_read("SVG", "PNG")
    return Kind(None, NOT_AN_IMAGE)


def _is_bmp(head: bytes) -> bool:
    """Whether the size of the header behind ``BM`` is one that a BMP can have."""
    return int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124)


def _of_riff(form: bytes) -> Kind:
    if form == b"WEBP":
        return Kind("WebP")
    return _not_read("a video", None) if form == b"AVI " else Kind(None, NOT_AN_IMAGE)


def _of_brands(head: bytes) -> Kind:
    """Of what is built like an MP4 file: its main brand, or one it is compatible with."""
    end = min(len(head), int.from_bytes(head[:4], "big"))
    main, *others = [head[8:12], *(head[at : at + 4] for at in range(16, end, 4))]
    brands = {main, *others}
    if brands & {b"avif", b"avis"}:
        return Kind("AVIF")
    if main in _HEIC:
        return _not_read("HEIC", "JPEG")
    if main == b"crx ":
        return _not_read(_RAW, "JPEG")
    return _not_read("a video", None)


def _not_read(name: str, better: str | None) -> Kind:
    what = f"{name}, which is not read"
    return Kind(None, what if better is None else f"{what}: {_CONVERT[better]}")
