"""Images of requests are kept, bounded, and nothing else; answering never waits for it."""

from __future__ import annotations

import io
import logging
import os
import queue
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.serving.server import request_log
from bgadl_tf.serving.server.request_log import RequestLog
from tests.support import image_files

PNG = image_files.file(image_files.PICTURE, "PNG")
JPEG = image_files.file(image_files.PICTURE, "JPEG")
PLENTY = 2**20


def strings(*values: bytes) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_files_and_pixels_are_kept_once_each(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "traffic", PLENTY)
    log.offer("a/b", {"image_bytes": strings(PNG, JPEG, PNG), "seed": np.arange(3)})
    log.offer("a/b", {"image_bytes": strings(JPEG)})
    log.offer("other", {"images": image_files.COLOUR[None]})
    log.offer("other", {"features": np.ones((2, 3), np.float32), "images": np.ones((2, 3))})
    log.offer("other", {"images": np.ones((1, 4, 4, 3), np.float32)})
    log.close()
    files = kept(tmp_path / "traffic")
    assert {path.parent.name for path in files} == {"a%2Fb", "other"}
    assert {path.read_bytes() for path in files if path.parent.name == "a%2Fb"} == {PNG, JPEG}
    (pixels,) = [path for path in files if path.parent.name == "other"]
    assert np.array_equal(np.asarray(Image.open(pixels)), image_files.COLOUR)


def test_what_is_no_image_is_not_kept(tmp_path: Path) -> None:
    log = RequestLog(tmp_path, PLENTY)
    log.offer("m", {"image_bytes": strings(b"", b"secret", image_files.HEIC)})
    log.close()
    assert not kept(tmp_path)


def different(count: int) -> list[bytes]:
    files = []
    for number in range(count):
        file = io.BytesIO()
        noise = np.random.default_rng(number).integers(0, 256, (20, 20), dtype=np.uint8)
        Image.fromarray(noise).save(file, "PNG")
        files.append(file.getvalue())
    return files


def test_the_oldest_go_first_also_after_a_restart(tmp_path: Path) -> None:
    files = different(6)
    most = sum(len(file) for file in files[:3]) + len(files[0]) // 2
    log = RequestLog(tmp_path, most)
    log.offer("m", {"image_bytes": strings(*files[:3])})
    log.close()
    for path in kept(tmp_path):  # the order of writing may be too fast for clocks
        os.utime(path, ns=(0, files.index(path.read_bytes())))
    (tmp_path / "m" / ".half.png").write_bytes(b"cut short")
    log = RequestLog(tmp_path, most)
    assert not (tmp_path / "m" / ".half.png").exists()
    log.offer("m", {"image_bytes": strings(files[0])})  # seen again: it is the newest
    log.offer("m", {"image_bytes": strings(*files[3:5])})
    log.close()
    assert {path.read_bytes() for path in kept(tmp_path)} == {files[0], files[3], files[4]}
    assert sum(path.stat().st_size for path in kept(tmp_path)) <= most


def test_one_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    large = different(1)[0]
    log = RequestLog(tmp_path, len(large) - 1)
    log.offer("m", {"image_bytes": strings(large)})
    log.close()
    assert not kept(tmp_path)


def test_what_it_cannot_keep_up_with_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(RequestLog, "_write_all", lambda self: None)  # never gets to it
    log = RequestLog(tmp_path, PLENTY)
    log.offer("m", {"image_bytes": strings(*[PNG] * (request_log.WAITING + 7))})
    large = np.zeros((2, 6000, 4000, 3), np.uint8)
    log.offer("m", {"images": large})
    log._waiting = queue.Queue()
    with caplog.at_level(logging.WARNING):
        log.close()
    assert "lacks 9 images, which came faster than they could be written" in caplog.text


def test_a_folder_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"--request_log_dir .*file/traffic: Not a directory"):
        RequestLog(tmp_path / "file" / "traffic", PLENTY)


def test_what_it_cannot_write_keeps_it_from_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = RequestLog(tmp_path, PLENTY)
    with caplog.at_level(logging.ERROR):
        log.offer("m", {"images": np.zeros((1, 4, 4, 2), np.uint8), "image_bytes": strings(PNG)})
        log.offer("m", {"images": np.zeros((1, 4, 4, 2), np.uint8)})
        log.close()
    assert [path.read_bytes() for path in kept(tmp_path)] == [PNG]
    assert "[4, 4, 2]" in caplog.text


def test_a_full_disk_is_told_once_and_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = RequestLog(tmp_path, PLENTY)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with caplog.at_level(logging.ERROR):
        log.offer("m", {"image_bytes": strings(PNG, JPEG)})
        log.close()
    assert caplog.text.count("No space left on device") == 1
    assert not kept(tmp_path)
