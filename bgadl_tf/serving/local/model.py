"""A classifier in a file that ranks images in this process, without a server."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json
from bgadl_tf.serving.client.transport import Transport
from bgadl_tf.serving.work_file import WorkFile


class Exportable(Protocol):
    """What can be exported for serving; how is its own matter."""

    @property
    def name(self) -> str:
        """What it is called in a ranking."""

    def settings(self) -> Json:
        """What its scores follow from, beside its file."""

    def digest(self) -> str:
        """By which its file is recognised."""

    def export(self, out: Path) -> Path:
        """Export it below a folder; the folder of the new version."""


@dataclass(frozen=True)
class LocalModel:
    """A model that is exported to be asked, as it would be for a server.

    Args:
        exportable: The model.
        digest: Of its file, now.
        version: What scores are said to be of.
    """

    exportable: Exportable
    digest: str
    version: int = 1

    @property
    def header(self) -> Json:
        """What a work file says of it."""
        return {**self.exportable.settings(), "model_digest": self.digest}

    def check(self, work: WorkFile) -> None:
        """Refuse to go on with scores of another model.

        Raises:
            ConfigError: The file has changed, or how it is scored with.
        """
        work.check(self.exportable.settings())
        if (work.header or {}).get("model_digest") != self.digest:
            raise ConfigError(
                f"the file of {self.exportable.name!r} has changed since the scores in {work.path} "
                "were made: put the former one back to go on, or add --restart to begin anew"
            )

    def open(self) -> Transport:
        """The exported model, loaded; nothing of it stays on disk.

        Raises:
            BgadlError: It cannot be exported.
        """
        from bgadl_tf.serving.local.transport import LocalTransport

        with tempfile.TemporaryDirectory(prefix="bgadl-") as folder:
            exported = self.exportable.export(Path(folder))
            return LocalTransport(exported, self.exportable.name, self.version)
