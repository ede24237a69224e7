"""The newest classifier that a run has exported, asked in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json
from bgadl_tf.export import publish
from bgadl_tf.models.pretrained import files
from bgadl_tf.serving.local.model import LocalModel

MODEL = "classifier"


@dataclass(frozen=True)
class ExportedClassifier:
    """A version of it; a ``serving.local.model.Exportable``.

    Args:
        folder: Of the version.
    """

    folder: Path

    @property
    def name(self) -> str:
        """What servers call it."""
        return MODEL

    def settings(self) -> Json:
        """Nothing beside its file."""
        return {}

    def digest(self) -> str:
        """Of its graph and weights."""
        found = sorted(file for file in self.folder.rglob("*") if file.is_file())
        return " ".join(files.digest(file) for file in found)

    def export(self, out: Path) -> Path:
        """It is there already."""
        return self.folder


def newest(run: Path) -> LocalModel:
    """That of a run.

    Raises:
        ConfigError: The run has exported none.
    """
    folder = run / "export" / MODEL
    versions = publish.versions(folder)
    if not versions:
        raise ConfigError(
            f"{folder} holds no exported classifier, which is to score the images: 'bgadl export "
            f"{run}' writes one, or name a server with --server"
        )
    exported = ExportedClassifier(folder / str(versions[-1]))
    return LocalModel(exported, exported.digest(), versions[-1])
