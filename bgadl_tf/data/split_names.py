"""What splits of datasets are called: folders, TFDS splits, files and a column of label files."""

from __future__ import annotations

from typing import Literal

Role = Literal["train", "test", "validation", "unlabelled"]

NAMES: dict[Role, tuple[str, ...]] = {
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "validation": ("validation", "valid", "val", "dev"),
    "unlabelled": ("unlabelled", "unlabeled", "pool"),
}

_ROLES: dict[str, Role] = {name: role for role, names in NAMES.items() for name in names}


def role_of(name: str) -> Role | None:
    """The split that a name stands for, in any case; None if it is no split's name."""
    return _ROLES.get(name.strip().casefold())


def known() -> str:
    """All names, for messages."""
    return "; ".join(", ".join(names) for names in NAMES.values())
