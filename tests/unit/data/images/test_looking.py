from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bgadl_tf.data.images import looking
from bgadl_tf.data.images.looking import Looked, look_at
from bgadl_tf.data.images.tree import read_tree
from tests.support import image_files
from tests.support.examples import tiny_png


def look(root: Path) -> Looked:
    return look_at([*read_tree(root).root.all_files()])


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).write_bytes(content)


def test_every_image_is_found_whatever_it_is_called(tmp_path: Path) -> None:
    write(tmp_path, image_files.sound())
    found = look(tmp_path)
    assert list(found.headers) == sorted(image_files.sound())
    assert not found.unreadable
    assert not found.others
    for name in ("a webp.png", "a png.txt", "a jpeg.jfif", "no ending"):
        assert found.headers[name].stored == image_files.PICTURE.size
    assert found.headers["a webp.png"].format == "WebP"
    assert found.headers["a png.txt"].format == "PNG"


def test_what_should_be_an_image_is_told_from_what_should_not(tmp_path: Path) -> None:
    damaged, others = image_files.damaged(), image_files.others()
    write(tmp_path, {name: content for name, (content, _) in {**damaged, **others}.items()})
    found = look(tmp_path)
    # Streaming finds the damage behind a header when it comes to it.
    found_later = set(damaged) - set(found.unreadable)
    assert found_later <= {"cut.gif", "cut.webp", "cut.avif"}
    assert found.headers.keys() == found_later
    for name, why in found.unreadable.items():
        assert why.startswith(damaged[name][1])
    assert found.others == {name: what for name, (_, what) in others.items()}


def test_an_image_that_is_damaged_is_one_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(tiny_png("a")[:-20])
    assert look(tmp_path).unreadable == {"notes.txt": "cut short"}


def test_files_that_are_gone_or_became_something_else(tmp_path: Path) -> None:
    write(tmp_path, {"gone.png": b"", "pipe.png": b"", "folder.png": b"", "gone.txt": b""})
    entries = [*read_tree(tmp_path).root.all_files()]
    for name in ("gone.png", "pipe.png", "folder.png", "gone.txt"):
        (tmp_path / name).unlink()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    found = look_at(entries)
    assert found.unreadable == {
        "folder.png": "not a regular file",
        "gone.png": "No such file or directory",
        "pipe.png": "not a regular file",
    }
    assert found.others == {"gone.txt": "No such file or directory"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read(tmp_path: Path) -> None:
    write(tmp_path, {"a.png": tiny_png("a")})
    (tmp_path / "a.png").chmod(0)
    assert look(tmp_path).unreadable == {"a.png": "Permission denied"}


def test_files_that_cannot_be_read_to_their_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    write(tmp_path, {"a.png": tiny_png("a"), "b.txt": b"b"})
    monkeypatch.setattr(looking, "open_regular", lambda _: Broken())
    found = look(tmp_path)
    assert found.unreadable == {"a.png": "Input/output error"}
    assert found.others == {"b.txt": "Input/output error"}


def test_names_in_latin_1_bytes(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.png"
    Path(os.fsdecode(name)).write_bytes(tiny_png("a"))
    assert list(look(tmp_path).headers) == ["café.png"]


@pytest.mark.parametrize("format_", image_files.FORMATS)
def test_files_of_any_length_are_opened_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 500, 3), dtype=np.uint8)
    write(tmp_path, {"large": image_files.file(Image.fromarray(noise), format_), "small": b"x"})
    assert (tmp_path / "large").stat().st_size > looking.AT_ONCE
    opened = []
    real = os.open

    def recorded(path: str, *flags: int) -> int:
        opened.append(path)
        return real(path, *flags)

    monkeypatch.setattr(os, "open", recorded)
    assert look(tmp_path).headers["large"].stored == (500, 600)
    assert opened == [str(tmp_path / name) for name in ("large", "small")]


def test_headers_that_are_alike_are_kept_once(tmp_path: Path) -> None:
    write(tmp_path, {f"{number}.png": tiny_png(str(number)) for number in range(5)})
    headers = look(tmp_path).headers
    assert len({id(header) for header in headers.values()}) == 1
