"""Settings that every learner has."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.models.spaces import Space


@dataclass(frozen=True, kw_only=True)
class Options:
    """A learner's own options extend these.

    Args:
        optimizer: Of the classifier: sgd, adam or adadelta.
        learning_rate: Of the classifier.
        trunk_learning_rate: Of what is below the head of the classifier, e.g. a pre-trained
            network that is to change slowly; None for ``learning_rate``.
        transforms: Label-preserving transforms of every real example, of the pool or labelled,
            drawn anew at every step: ``none``; ``standard``, which is shift+zoom+rotation of grey
            images, the same and mirror of colour images, and stored views, where there are any,
            of vectors; or some of shift, zoom, rotation, mirror, crop and colour joined by '+'
            (``views`` for vectors, which then must have some).
        batch_augmentation: Forms of each labelled example in a step, each transformed anew (of
            two or more forms of an image, the last is the image itself) and under dropout masks
            of its own; C descends the mean of their losses (Hoffer et al. 2020, "Augment your
            batch", arXiv:1901.09335). Other networks see the first form.
        shift: Largest shift in each direction, as a fraction of the image's side.
        zoom: Largest relative change of size.
        rotation: Largest rotation, in degrees.
        smallest_crop: Least share of the image's area that a crop shows.
        jitter: Largest relative change of brightness, contrast and saturation; a quarter of it,
            of a whole turn, is the largest change of hue.
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3
    trunk_learning_rate: float | None = None
    transforms: str = "none"
    batch_augmentation: int = 1
    shift: float = 0.07
    zoom: float = 0.1
    rotation: float = 10.0
    smallest_crop: float = 0.5
    jitter: float = 0.4

    by_space: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """By the name of an example space: what options that are None stand for there."""

    def __post_init__(self) -> None:
        self.require(self.batch_augmentation >= 1, "batch_augmentation", "at least 1")
        self.require(self.rotation >= 0, "rotation", "at least 0")
        for name in ("shift", "jitter"):
            self.require(0 <= getattr(self, name) <= 1, name, "in [0, 1]")
        self.require(0 <= self.zoom < 1, "zoom", "in [0, 1)")
        self.require(0 < self.smallest_crop <= 1, "smallest_crop", "in (0, 1]")

    def require(self, holds: bool, name: str, expected: str) -> None:
        """Refuse an option.

        Args:
            holds: What must.
            name: Of the option.
            expected: What it must be.

        Raises:
            ConfigError: It does not hold.
        """
        if not holds:
            raise ConfigError(f"--option {name} is {getattr(self, name)}; must be {expected}")

    def for_space(self, space: Space, before: Mapping[str, Any] | None = None) -> Self:
        """The same with what is left open chosen.

        Args:
            space: Of the examples.
            before: Options of the run that goes on: what was chosen for it stays.
        """
        chosen = {
            name: (before or {}).get(name, value)
            for name, value in self.by_space.get(space.name, {}).items()
            if getattr(self, name) is None
        }
        return dataclasses.replace(self, **chosen)
