"""What stored features are: of which backbone, of what, and kept as what."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bgadl_tf.core import durable
from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import ImageShape, Json

FILE = "embedding.json"
BACKBONE = "backbone.keras"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What ``embedding.json`` holds.

    Attributes:
        backbone: As after ``--backbone``.
        fingerprint: Of the backbone.
        dataset: The arguments of ``load_dataset``, paths made absolute, and ``dataset``, its name.
        image_shape: (H, W, D) of what the backbone saw.
        resize: How images got that size.
        store: ``float16`` or ``float32``.
        precision: Arithmetic of the backbone.
        views: V.
        view_settings: Kind and strengths of the views; empty where V is 0.
        features: F.
        train: Number of training examples; None where nothing is split, as in a cache.
        test: Number of test examples.
        complete: Whether all of it is there.
    """

    backbone: str
    fingerprint: str
    dataset: Json
    image_shape: ImageShape
    resize: str
    store: str
    precision: str
    views: int
    view_settings: Json = field(default_factory=dict)
    features: int
    train: int | None = None
    test: int | None = None
    complete: bool = False

    @property
    def key(self) -> str:
        """The same for features that are the same, whatever their views; others for others."""
        about = {**self.without_views()._of_features(), "dataset": self.dataset["dataset"]}
        text = json.dumps(about, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()

    def without_views(self) -> Self:
        """Of the same features, where views are kept one by one beside them."""
        return dataclasses.replace(self, views=0, view_settings={})

    def differences(self, other: Facts) -> list[str]:
        """In which features are others, in words; those of one dataset that has changed are not.

        Args:
            other: What is asked for now.
        """
        found = []
        if self.fingerprint != other.fingerprint:
            same = " of the same name" if self.backbone == other.backbone else ""
            found.append(f"they are of another backbone{same} ({self.backbone})")
        before, now = self._of_features(), other._of_features()
        other_count = self.views != other.views
        found += [
            f"{name} was {before[name]}, now {now[name]}"
            for name in ("image_shape", "resize", "store", "precision", "views", "view_settings")
            if before[name] != now[name] and not (name == "view_settings" and other_count)
        ]
        for name in ("dataset", "part"):
            was, is_now = (facts.dataset.get(name) for facts in (self, other))
            if was != is_now:
                found.append(f"{name} was {was!r}, now {is_now!r}")
        return found

    def _of_features(self) -> Json:
        names = (
            "fingerprint", "image_shape", "resize", "store", "precision", "views", "view_settings",
            "features",
        )  # fmt: skip
        return {name: self.to_json()[name] for name in names}

    def to_json(self) -> Json:
        """As a JSON object."""
        return {
            "format": FORMAT,
            **dataclasses.asdict(self),
            "image_shape": list(self.image_shape),
        }

    def write(self, folder: Path) -> None:
        """Into a folder.

        Raises:
            RunFolderError: It cannot be written.
        """
        durable.atomic_write_text(folder / FILE, json.dumps(self.to_json(), indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Those of a folder; None where it has none.

        Raises:
            DataError: They cannot be read, or are of another version.
        """
        path = folder / FILE
        try:
            saved: Any = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read: {error}; {_ANEW}") from None
        if not isinstance(saved, dict) or saved.pop("format", None) != FORMAT:
            raise DataError(f"{path} is not of format {FORMAT}, which this version reads; {_ANEW}")
        try:
            return cls(**{**saved, "image_shape": tuple(saved["image_shape"])})
        except (KeyError, TypeError) as error:
            raise DataError(f"{path} does not say what is needed ({error}); {_ANEW}") from None


_ANEW = "write the features anew into another folder, with bgadl embed"
