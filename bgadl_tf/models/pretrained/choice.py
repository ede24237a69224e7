"""Which network a user means by ``keras:NAME`` or ``model:FILE.keras[:LAYER]``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.core.errors import ConfigError

KINDS = ("keras", "model")


@dataclass(frozen=True)
class NetworkChoice:
    """A network by its name, and what cannot be read off it.

    Args:
        spec: ``keras:NAME`` or ``model:FILE.keras[:LAYER]``.
        weights: Of ``keras:NAME``: ``imagenet``, ``none``, or a file; None for ``imagenet``.
        pixel_range: Of ``model:FILE``, ``LOW,HIGH``; ``keras:NAME`` knows its own.

    Raises:
        ConfigError: It is neither, or a setting is of the other kind.
    """

    spec: str
    weights: str | None = None
    pixel_range: str | None = None

    def __post_init__(self) -> None:
        if not is_network(self.spec):
            raise ConfigError(
                f"the network is {self.spec!r}; expected keras:NAME, e.g. keras:MobileNetV3Small, "
                "or model:FILE.keras"
            )
        if not self.argument:
            raise ConfigError(f"{self.spec!r} names no network; write {self.kind}:NAME")
        if self.kind == "model" and self.weights is not None:
            raise ConfigError(
                f"--weights is {self.weights!r}, but {self.spec!r} is a file that has its own; "
                "leave it out"
            )
        if self.kind == "keras" and self.pixel_range is not None:
            raise ConfigError(
                f"--pixel-range is {self.pixel_range!r}, but {self.spec!r} has its own scaling, "
                "which is applied; leave it out"
            )

    @property
    def kind(self) -> str:
        """``keras`` or ``model``."""
        return self.spec.partition(":")[0]

    @property
    def argument(self) -> str:
        """What follows the colon."""
        return self.spec.partition(":")[2]

    @property
    def file(self) -> Path:
        """The file of ``model:FILE[:LAYER]``."""
        return Path(self._parted[0]).expanduser()

    @property
    def layer(self) -> str | None:
        """The layer of ``model:FILE:LAYER`` whose output are the features; None for the default."""
        return self._parted[1]

    @property
    def _parted(self) -> tuple[str, str | None]:
        whole = self.argument
        if Path(whole).expanduser().exists() or ":" not in whole:
            return whole, None
        file, _, layer = whole.rpartition(":")
        return file, layer or None


def is_network(spec: str) -> bool:
    """Whether a name stands for a network from elsewhere."""
    return spec.partition(":")[0] in KINDS and ":" in spec
