"""The images of a run as a person is to see them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Id
from bgadl_tf.data.images import formats
from bgadl_tf.data.images.looking import open_regular
from bgadl_tf.data.images.png import to_png
from bgadl_tf.data.images.prepared import pixels
from bgadl_tf.data.images.reading import why
from bgadl_tf.runs.open_run import OpenRun

MEDIA_TYPES = {
    "PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WebP": "image/webp",
    "BMP": "image/bmp", "AVIF": "image/avif",
}  # fmt: skip
"""Of what browsers show by themselves, upright; a TIFF becomes a PNG."""


class Picture(NamedTuple):
    """An image for a browser.

    Fields:
        content: Of its file.
        media_type: What HTTP calls it.
    """

    content: bytes
    media_type: str


class Originals:
    """Images by id: the file itself where there is one, and else the pixels that are learnt from.

    Args:
        run: Open.

    Attributes:
        root: The folder that all files are in; None where images are no files.

    Raises:
        DataError: It learns from vectors of which there are no images: nobody can label them.
    """

    def __init__(self, run: OpenRun) -> None:
        kind, _, path = run.setup.config.dataset.partition(":")
        self.root = Path(path).expanduser() if kind == "folder" else None
        self._loop, self._embedded = run.loop, run.loop.dataset.embedded
        if self.root is None and self._embedded is None and len(run.loop.dataset.shape) != 3:
            raise DataError(
                f"dataset {run.setup.config.dataset!r} holds vectors, which nobody can look at; "
                "label in to_label.csv, or begin a run on images with --backbone"
            )

    def of(self, id_: Id) -> Picture:
        """One image.

        Raises:
            DataError: There is no such id, or its file is gone or damaged by now.
        """
        if not self._loop.labelling.pool.knows(id_):
            raise DataError(f"no example of the pool is called {id_!r}")
        if self.root is not None and not self._loop.examples.is_synthesised(id_):
            return _shown(self._file_of(id_))
        if self._embedded is not None:
            image = self._embedded.images([id_])[0]
        else:
            image = np.asarray(self._loop.examples.of([id_]))[0]
        return Picture(to_png(image), "image/png")

    def file(self, id_: Id) -> Path | None:
        """The file of an image, if browsers show it as it is.

        Raises:
            DataError: It is gone or damaged by now.
        """
        if self.root is None or self._loop.examples.is_synthesised(id_):
            return None
        file = self._file_of(id_)
        return file if _format(file) in MEDIA_TYPES else None

    def _file_of(self, id_: Id) -> Path:
        assert self.root is not None
        file = self.root / id_
        # A copy that --repeated makes is called ID#2.
        of, mark, _ = id_.rpartition("#")
        return self.root / of if mark and not file.exists() else file


def _format(file: Path) -> str:
    try:
        with open_regular(str(file)) as opened:
            return formats.kind_of(opened.read(formats.HEAD)).format or ""
    except OSError as error:
        raise DataError(f"{file} cannot be shown: {why(error)}") from error


def _shown(file: Path) -> Picture:
    try:
        with open_regular(str(file)) as opened:
            content = opened.read(formats.LARGEST_FILE)
        format_ = formats.kind_of(content[: formats.HEAD]).format or ""
        if format_ in MEDIA_TYPES:
            return Picture(content, MEDIA_TYPES[format_])
        return Picture(to_png(pixels(content)), "image/png")
    except OSError as error:
        raise DataError(f"{file} cannot be shown: {why(error)}") from error
