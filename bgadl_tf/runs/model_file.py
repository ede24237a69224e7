"""A classifier that was trained elsewhere: which file, and what cannot be read off it.

Imports nothing that starts TensorFlow: the command line's flags are made from it.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json
from bgadl_tf.runs.config import RESIZE_MODES, flag

_FILE = re.compile(r"model:.+|.+\.(?i:keras)(:[^:/]+)?", re.DOTALL)
_OLD_FILE = re.compile(r".+\.(?i:h5|hdf5)(:[^:/]+)?", re.DOTALL)


def is_model_file(name: str) -> bool:
    """Whether a name stands for a file rather than for a model on a server."""
    return _FILE.fullmatch(name) is not None


def refuse_other_file(name: str) -> None:
    """Refuse what is meant for a file, but is none that Keras saves models in now.

    Args:
        name: Of a model on a server, it seems.

    Raises:
        ConfigError: It is a file or a SavedModel, or is called as one.
    """
    path = Path(name).expanduser()
    is_path = len(path.parts) > 1 or name.endswith("/")
    if _OLD_FILE.fullmatch(name):
        advice = "load it with keras.saving.load_model, and save it as FILE.keras"
    elif path.is_file() and (is_path or path.suffix):  # a bare word is a name
        advice = "save the model by model.save('FILE.keras')"
    elif (path / "saved_model.pb").is_file() or (path.is_dir() and is_path):
        advice = "serve what it holds, and give the name that it is served by"
    else:
        return
    raise ConfigError(
        f"--model is {name!r}; expected the name of a model on a server, or a file that "
        f"model.save(...) wrote, FILE.keras: {advice}"
    )


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A classifier in a file, and how it is to be scored with.

    Attributes:
        model: ``FILE.keras`` or ``model:FILE.keras``, with ``:LAYER`` behind it or not.
        pixel_range: What it expects black and white to be, ``LOW,HIGH``; None for vectors.
        dropout: Rate of our dropout before the last layer; None for the model's own Dropout layers.
        image_size: Pixels a side, where the model takes images of any size.
        resize: How encoded images of another size get that of the model.
        mc_samples: K of the BALD signatures.
        class_names: File with a name a line; None for 0, 1, ….

    Raises:
        ConfigError: A value is out of range.
    """

    model: str
    pixel_range: str | None = None
    dropout: float | None = None
    image_size: int | None = None
    resize: str = "stretch"
    mc_samples: int = 20
    class_names: Path | None = None

    def __post_init__(self) -> None:
        if not is_model_file(self.model):
            raise ConfigError(
                f"--model is {self.model!r}; expected a file that model.save(...) wrote, "
                "FILE.keras or model:FILE.keras:LAYER"
            )
        if self.dropout is not None and not 0.0 < self.dropout < 1.0:
            raise ConfigError(
                f"--dropout is {self.dropout:g}; it must be between 0 and 1, e.g. 0.5: without "
                "dropout there is no BALD"
            )
        for name, least in {"mc_samples": 2, "image_size": 1}.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise ConfigError(f"{flag(name)} is {value}; it must be at least {least}")
        if self.resize not in RESIZE_MODES:
            raise ConfigError(f"--resize is {self.resize!r}; choose from {', '.join(RESIZE_MODES)}")

    @classmethod
    def of_flags(cls, model: str, given: Json) -> Self:
        """From the command line's flags, None where one was not given."""
        return cls(model=model, **{key: value for key, value in given.items() if value is not None})

    @property
    def spec(self) -> str:
        """``model:FILE.keras`` or ``model:FILE.keras:LAYER``."""
        return self.model if self.model.startswith("model:") else f"model:{self.model}"

    @property
    def name(self) -> str:
        """What the model is called in a ranking: its file's name, and the layer behind it."""
        return Path(self.spec.partition(":")[2]).name

    def settings(self) -> Json:
        """What scores follow from, beside the file."""
        return {
            "layer": self.spec,
            **{key: getattr(self, key) for key in ("pixel_range", "dropout", "image_size")},
            "resize": self.resize,
            "mc_samples": self.mc_samples,
        }

    def digest(self) -> str:
        """By which the file is recognised.

        Raises:
            ConfigError: It is not there.
        """
        from bgadl_tf.runs import model_export

        return model_export.digest(self)

    def export(self, out: Path) -> Path:
        """Export it for serving; where the new version is.

        Raises:
            BgadlError: It cannot be made a Bayesian classifier of images, or not be exported.
        """
        from bgadl_tf.runs import model_export

        return model_export.export_model_file(self, out, images=True).folder("classifier")


FLAGS = tuple(field.name for field in dataclasses.fields(ModelFile) if field.name != "model")


def add_model_file_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of a classifier in a file, beside ``--model``; None where they are not given."""
    group = parser.add_argument_group(
        "of a model in a file", "what cannot be read off --model FILE.keras"
    ).add_argument
    pixel_range = (
        "what it expects black and white to be, LOW,HIGH, e.g. 0,255 for one that rescales by "
        "itself, 0,1, or -1,1; needed for images, and never guessed"
    )
    group("--pixel-range", metavar="LOW,HIGH", help=pixel_range)
    dropout = (
        "put dropout of this rate before its last layer; default: its own Dropout layers behind "
        "the last pooling"
    )
    group("--dropout", type=float, metavar="RATE", help=dropout)
    size = "pixels a side, for a model that takes images of any size"
    group("--image-size", type=int, metavar="N", help=size)
    resize = "how images of another size get the model's (default: stretch)"
    group("--resize", choices=RESIZE_MODES, help=resize)
    samples = "MC-dropout passes K behind every score (default: 20)"
    group("--mc-samples", type=int, metavar="K", help=samples)
    names = "text file with the names of its classes, one a line in their order (default: 0, 1, ..)"
    group("--class-names", type=Path, metavar="FILE", help=names)


def taken(flags: dict[str, Any]) -> Json:
    """The flags of a model in a file, taken out of all that were parsed."""
    return {name: flags.pop(name) for name in FLAGS}


def refuse(given: Json) -> None:
    """Refuse flags of a model in a file where there is none.

    Raises:
        ConfigError: One was given.
    """
    if named := [flag(name) for name, value in given.items() if value is not None]:
        raise ConfigError(
            f"{', '.join(named)}: only a model in a file, --model FILE.keras, takes that; any "
            "other model has its own"
        )
