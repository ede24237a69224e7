"""What one call of the command asks of every case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Attributes:
    quick: Smallest sizes: only proves that it works.
    full: The largest sizes, too.
    repeats: Timed repetitions of everything.
    threads: Of TensorFlow and of PyTorch, each.
    data_dir: Folder of prepared TFDS datasets with ``mnist`` and ``cifar10``; None for stand-ins
        made from scikit-learn's digits.
    backbone: File of a backbone that takes pixels from 0 to 255; None for MobileNetV3Small.
    """

    quick: bool = False
    full: bool = False
    repeats: int = 5
    threads: int = 2
    data_dir: str | None = None
    backbone: str | None = None

    def pick(self, usual: T, quick: T) -> T:
        """One of two sizes."""
        return quick if self.quick else usual
