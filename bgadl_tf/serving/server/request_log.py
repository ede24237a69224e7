"""What a model was asked about, kept as image files: the traffic that ``bgadl harvest`` reads.

Only the images are kept, each once, under the digest of its content, nothing that says who asked.
Answering never waits for it, and what it cannot keep up with is left out and counted.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import numpy as np

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.images import formats
from bgadl_tf.data.images.png import to_png
from bgadl_tf.serving.server.savedmodel import Array

ENCODED, PIXELS = "image_bytes", "images"
"""Inputs of signatures that hold images: files, and uint8 [N, H, W, D]."""

SUFFIXES = {"PNG": ".png", "JPEG": ".jpg"}
WAITING = 1024
"""Images that wait to be written at most."""

WAITING_BYTES = 64 * 2**20
"""Bytes of these at most; one that is larger waits alone."""

_log = logging.getLogger(__name__)


class RequestLog:
    """Writes images of requests to ``FOLDER/MODEL/DIGEST.png`` or ``.jpg``, the newest ones.

    Args:
        folder: Made if need be; may hold what an earlier server has kept.
        most_bytes: Of all files together; the oldest go first.

    Raises:
        ConfigError: The folder cannot be written.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes
        self._waiting: queue.Queue[tuple[str, Array | bytes] | None] = queue.Queue(WAITING)
        self._counts = threading.Lock()
        self._bytes, self._left_out, self._failed = 0, 0, False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._kept = OrderedDict(_oldest_first(folder))
        except OSError as error:
            raise ConfigError(f"--request_log_dir {folder}: {error.strerror}") from error
        self._total = sum(self._kept.values())
        self._thread = threading.Thread(target=self._write_all, name="request log", daemon=True)
        self._thread.start()

    def offer(self, model: str, inputs: Mapping[str, Array]) -> None:
        """The inputs of a request that was answered; returns at once."""
        encoded, pixels = inputs.get(ENCODED), inputs.get(PIXELS)
        for content in () if encoded is None else encoded.ravel():
            if isinstance(content, bytes):
                self._put(model, content)
        if pixels is not None and pixels.ndim == 4 and pixels.dtype == np.uint8:
            for image in pixels:
                self._put(model, image.copy())  # what it is a view of may be reused

    def close(self) -> None:
        """Write what waits, and end."""
        self._waiting.put(None)
        self._thread.join()
        if self._left_out:
            _log.warning(
                "%s lacks %d images, which came faster than they could be written",
                self._folder, self._left_out,
            )  # fmt: skip

    def _put(self, model: str, image: Array | bytes) -> None:
        size = _size(image)
        with self._counts:
            if self._bytes and self._bytes + size > WAITING_BYTES:
                self._left_out += 1
                return
            self._bytes += size
        try:
            self._waiting.put_nowait((model, image))
        except queue.Full:
            with self._counts:
                self._bytes -= size
                self._left_out += 1

    def _write_all(self) -> None:
        while (one := self._waiting.get()) is not None:
            try:
                self._write(*one)
                self._failed = False
            except Exception as error:  # whatever it is, the server and what comes next go on
                if not self._failed:  # a full disk is told of once, not a thousand times
                    _log.error("%s: %s", self._folder, error)
                self._failed = True
            finally:
                with self._counts:
                    self._bytes -= _size(one[1])

    def _write(self, model: str, image: Array | bytes) -> None:
        content = image if isinstance(image, bytes) else to_png(image)
        suffix = SUFFIXES.get(formats.kind_of(content[: formats.HEAD]).format or "")
        if suffix is None or len(content) > self._most:
            return
        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        path = self._folder / quote(model, safe="") / f"{digest}{suffix}"
        if path in self._kept:
            self._kept.move_to_end(path)
            return
        path.parent.mkdir(exist_ok=True)
        partial = path.with_name(f".{path.name}")
        try:
            partial.write_bytes(content)
            partial.replace(path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        self._kept[path] = len(content)
        self._total += len(content)
        while self._total > self._most:
            oldest, size = self._kept.popitem(last=False)
            oldest.unlink(missing_ok=True)
            self._total -= size


def _size(image: Array | bytes) -> int:
    return len(image) if isinstance(image, bytes) else image.nbytes


def _oldest_first(folder: Path) -> Iterator[tuple[Path, int]]:
    """Files that were kept before, and their sizes; what a crash has left half written goes."""
    found = []
    for path in folder.glob("*/*"):
        if path.suffix not in SUFFIXES.values() or not path.is_file():
            continue
        if path.name.startswith("."):
            path.unlink(missing_ok=True)
            continue
        known = path.stat()
        found.append((known.st_mtime_ns, path, known.st_size))
    yield from ((path, size) for _, path, size in sorted(found))
