"""Training sets whose classes are of unequal sizes, made of those of about equal ones."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.id_hash import hash_of

PROFILES = ("long_tailed", "step")
RATIO = 10.0

Counts = NDArray[np.int64]
"""int64 [C]: examples of each class."""


@dataclass(frozen=True)
class Imbalance:
    """How many examples of each class are left, from 0 to C - 1 in the order of the classes.

    Of class c, with n the size of the largest one:

    - ``long_tailed``: n R^(-c / (C - 1)) (Cui et al. 2019, "Class-Balanced Loss Based on Effective
      Number of Samples", section 5.1);
    - ``step``: n, and n / R of the later half of the classes (Buda et al. 2018, "A Systematic Study
      of the Class Imbalance Problem in Convolutional Neural Networks", section 3.2, at mu = 0.5).

    A class that has fewer keeps all of them, and one that has any keeps one.

    Args:
        profile: One of ``PROFILES``.
        ratio: R, of the largest class to the smallest one.

    Raises:
        ConfigError: There is no such profile or ratio.
    """

    profile: str
    ratio: float = RATIO

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ConfigError(
                f"--imbalance is {self.profile!r}; choose from none, {', '.join(PROFILES)}"
            )
        if not (self.ratio >= 1 and math.isfinite(self.ratio)):
            raise ConfigError(f"--imbalance-ratio is {self.ratio}; it must be a number from 1 on")

    @classmethod
    def asked_for(cls, profile: str, ratio: float) -> Self | None:
        """None for ``none``.

        Raises:
            ConfigError: As above, or a ratio is given without a profile.
        """
        if profile != "none":
            return cls(profile, ratio)
        if ratio != RATIO:
            raise ConfigError(
                f"--imbalance-ratio is {ratio:g}, but --imbalance is none: give long_tailed or "
                "step, or leave it out"
            )
        return None

    def sizes(self, counts: Counts) -> Counts:
        """Examples that are left of each class, of as many as there are, ``[C]``."""
        classes = len(counts)
        places = np.arange(classes)
        if self.profile == "step":
            shares = np.where(places < classes - classes // 2, 1.0, 1.0 / self.ratio)
        else:
            shares = self.ratio ** (-places / max(1, classes - 1))
        wanted = np.maximum(1, np.rint(counts.max() * shares)).astype(np.int64)
        left: Counts = np.minimum(counts, wanted)
        return left

    def of(self, dataset: Dataset) -> Dataset:
        """The same with fewer training examples of some classes; the test set stays.

        Which of a class are left follows from a hash of their ids: the same everywhere, and of a
        larger class that has grown the same ones and others.

        Raises:
            ConfigError: A training example has no label.
        """
        train = dataset.train
        if unknown := int((train.labels == UNLABELLED).sum()):
            raise ConfigError(
                f"--imbalance is {self.profile!r}, but {unknown} of the {len(train)} training "
                f"examples of {dataset.name!r} have no label, so that nobody knows their classes; "
                "leave it out, or label them all"
            )
        hashes = np.array([hash_of(id_, "imbalance") for id_ in train.ids], np.uint64)
        sizes = self.sizes(np.bincount(train.labels, minlength=dataset.classes))
        left = [
            own[np.argsort(hashes[own], kind="stable")[:size]]
            for label, size in enumerate(sizes.tolist())
            for own in [np.flatnonzero(train.labels == label)]
        ]
        rows = np.sort(np.concatenate(left))
        note = (
            f"classes are imbalanced, {self.profile} at a ratio of {self.ratio:g}: {len(rows)} of "
            f"{len(train)} training examples are used"
        )
        return dataclasses.replace(
            dataset,
            name=f"{dataset.name} ({self.profile} {self.ratio:g})",
            train=train.part(rows),
            intake=dataclasses.replace(dataset.intake, notes=(*dataset.intake.notes, note)),
        )
