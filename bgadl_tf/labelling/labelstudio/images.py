"""Where a task takes its image from: the task itself, or a folder that Label Studio serves."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from bgadl_tf.core.errors import ConfigError, RejectedError
from bgadl_tf.core.types import Id
from bgadl_tf.labelling.labelstudio.api import LabelStudio
from bgadl_tf.labelling.originals import Originals


class Images(Protocol):
    """Finds images for tasks."""

    def url(self, id_: Id) -> str:
        """What the task is to show.

        Raises:
            DataError: The image is gone or damaged by now.
        """


@dataclass(frozen=True)
class Uploaded:
    """Images that are part of their tasks.

    Args:
        originals: Of the run.
    """

    originals: Originals

    def url(self, id_: Id) -> str:
        """See ``Images.url``."""
        picture = self.originals.of(id_)
        content = base64.b64encode(picture.content).decode()
        return f"data:{picture.media_type};base64,{content}"


@dataclass(frozen=True)
class LocalFiles:
    """Images that Label Studio serves from its document root; the others are part of their tasks.

    Args:
        originals: Of the run.
        document_root: ``LOCAL_FILES_DOCUMENT_ROOT`` of Label Studio.
    """

    originals: Originals
    document_root: Path

    def url(self, id_: Id) -> str:
        """See ``Images.url``."""
        file = self.originals.file(id_)
        if file is None:
            return Uploaded(self.originals).url(id_)
        relative = file.absolute().relative_to(self.document_root)
        return f"/data/local-files/?d={quote(relative.as_posix())}"


def local_files(
    studio: LabelStudio, project: int, originals: Originals, document_root: Path
) -> LocalFiles:
    """Let a project serve the images of a run, if it does not yet.

    Args:
        studio: Where.
        project: Its number.
        originals: Of the run.
        document_root: Of Label Studio; the same path there and here.

    Raises:
        ConfigError: The images are not below it, or Label Studio does not serve it.
        ServerError: It does not answer, or says no.
    """
    folder, root = originals.root, document_root.expanduser().absolute()
    if folder is None:
        raise ConfigError(
            "--document-root needs a run on a folder of images; leave it out, and images are "
            "uploaded"
        )
    folder = folder.absolute()
    if root not in folder.parents:
        raise ConfigError(
            f"--document-root {root} does not contain {folder}, the folder of the images; Label "
            "Studio serves what is in folders below its LOCAL_FILES_DOCUMENT_ROOT alone: give "
            "one that does, or leave it out, and images are uploaded"
        )
    storages = studio.get("/api/storages/localfiles/", project=project)
    paths = [Path(one.get("path") or "/") for one in storages]
    if not any(path == folder or (path in folder.parents and path != root) for path in paths):
        body = {"project": project, "title": "bgadl", "path": str(folder), "use_blob_urls": True}
        try:
            studio.send("POST", "/api/storages/localfiles/", body)
        except RejectedError as error:
            raise ConfigError(
                f"{error}; is Label Studio started with LOCAL_FILES_SERVING_ENABLED=true and "
                f"LOCAL_FILES_DOCUMENT_ROOT={root}, and {folder} there, too?"
            ) from error
    return LocalFiles(originals, root)
