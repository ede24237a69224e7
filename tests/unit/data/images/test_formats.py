from __future__ import annotations

import pytest

from bgadl_tf.data.images import formats
from tests.support import image_files


@pytest.mark.parametrize("format_", image_files.FORMATS)
def test_what_is_read_is_told_by_its_first_bytes(format_: str) -> None:
    content = image_files.file(image_files.PICTURE, format_)
    assert formats.kind_of(content[: formats.HEAD]) == formats.Kind(format_)


@pytest.mark.parametrize("name", sorted({*image_files.others()} - {"nothing"}))
def test_what_is_not_read_says_what_it_is(name: str) -> None:
    content, what = image_files.others()[name]
    assert formats.kind_of(content) == formats.Kind(None, what)


@pytest.mark.parametrize(
    ("brands", "expected"),
    [
        (b"avif\0\0\0\0avifmif1", "AVIF"),
        (b"mif1\0\0\0\0mif1avif", "AVIF"),
        (b"mif1\0\0\0\0mif1heic", None),
        (b"heix\0\0\0\0mif1heix", None),
    ],
)
def test_heic_and_avif_differ_in_their_brands(brands: bytes, expected: str | None) -> None:
    head = (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands
    assert formats.kind_of(head).format == expected


def test_a_brand_behind_the_list_of_brands_does_not_count() -> None:
    head = b"\0\0\0\x14ftypheic\0\0\0\0mif1avif"
    assert formats.kind_of(head).reason.startswith("HEIC")


@pytest.mark.parametrize("size", [0, 1, 2, 3, 8])
def test_the_beginning_of_a_beginning_is_no_image(size: int) -> None:
    assert formats.kind_of(b"\x89PNG\r\n\x1a\n"[: min(size, 7)]).format is None
    assert formats.kind_of(b"BM"[:size]).format is None
