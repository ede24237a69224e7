"""What a network expects of pixels: a range, and perhaps what its authors do to them first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json


@dataclass(frozen=True)
class Pixels:
    """From images in [0, 1] to what a network takes.

    Args:
        low: What it expects the darkest value of a pixel to be.
        high: What it expects the brightest value to be.
        application: Module of ``keras.applications`` whose ``preprocess_input`` follows; None for
            none. It takes pixels from 0 to 255.

    Raises:
        ConfigError: The two are equal or not finite.
    """

    low: float = 0.0
    high: float = 1.0
    application: str | None = None

    def __post_init__(self) -> None:
        finite = math.isfinite(self.low) and math.isfinite(self.high)
        if not finite or self.low == self.high:
            raise ConfigError(
                f"the pixel range is {self.low:g},{self.high:g}; expected two different finite "
                "numbers, what black and what white is to the network, e.g. 0,255"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``LOW,HIGH``.

        Raises:
            ConfigError: It is something else.
        """
        try:
            low, high = (float(part) for part in text.split(","))
        except ValueError:
            raise ConfigError(
                f"--pixel-range is {text!r}; expected LOW,HIGH, e.g. 0,255, 0,1 or -1,1"
            ) from None
        return cls(low, high)

    @classmethod
    def said(cls, text: str | None, network: str) -> Self:
        """From ``LOW,HIGH``, which has to be given.

        Args:
            text: It; None where it is not given.
            network: What does not say it by itself, as a user calls it.

        Raises:
            ConfigError: It is not given, or something else.
        """
        if text is None:
            raise ConfigError(
                f"{network} does not say which pixels it expects, and a wrong range gives silent "
                "nonsense: add --pixel-range 0,255 (it rescales by itself), 0,1 or -1,1"
            )
        return cls.parse(text)

    def __call__(self, images: tf.Tensor, channels: int) -> tf.Tensor:
        """Images as the network takes them.

        Args:
            images: ``[B, H, W, D]`` in [0, 1].
            channels: That it takes; grey images become 3 equal ones.

        Returns:
            ``[B, H, W, channels]``.
        """
        if images.shape[-1] == 1 and channels == 3:
            images = tf.repeat(images, 3, axis=-1)
        if (self.low, self.high) != (0.0, 1.0):
            images = self.low + images * (self.high - self.low)
        if self.application is not None:
            images = getattr(keras.applications, self.application).preprocess_input(images)
        return images

    def to_json(self) -> Json:
        """For a configuration, or for whoever asks a served model."""
        return {"low": self.low, "high": self.high, "application": self.application}
