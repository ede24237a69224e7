"""Random views of images: what a self-supervised network is to take for the same thing.

Which changes keep the meaning depends on the images. A photograph cropped, mirrored or under
another light shows the same object (Chen et al. 2020, "SimCLR"; the recipe of Chen and He 2021 for
CIFAR, which has no blur). A mirrored digit is another digit, and a fifth of its area any digit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import tensorflow as tf

from bgadl_tf.learners import affine
from bgadl_tf.models import noise


class Views(Protocol):
    """From images ``[B, H, W, D]`` in [0, 1] to one view of each, of that shape."""

    @property
    def draws(self) -> int:
        """Numbers that decide what one view is."""

    def of(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """One view of each image, as its draws ``[B, draws]`` in [0, 1) say."""

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """One view of each image, drawn from a seed ``[2]``."""


RATIO = 4 / 3
"""Of the sides of a crop, at most, to those of the image."""

JITTERED = 0.8
"""Share of the views whose colours are changed."""


@dataclass(frozen=True)
class GreyViews:
    """Shifted, scaled and rotated images; never mirrored.

    Args:
        shift: Largest shift in each direction, as a fraction of the image's side.
        zoom: Largest relative change of size.
        rotation: Largest rotation, in degrees.
    """

    shift: float
    zoom: float
    rotation: float

    @property
    def draws(self) -> int:
        return affine.DRAWS

    def of(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """One view of each image ``[B, H, W, D]``; what comes in from outside is 0."""
        return affine.moved(images, draws, shift=self.shift, zoom=self.zoom, rotation=self.rotation)

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return self.of(images, noise.uniform(seed, tf.shape(images)[0], (self.draws,)))


@dataclass(frozen=True)
class ColourViews:
    """Crops at full size, half of them mirrored, in changed colours or in grey.

    Args:
        smallest_crop: Least share of the image's area that a crop shows.
        jitter: Largest relative change of brightness, contrast and saturation; a quarter of it,
            of a whole turn, is the largest change of hue.
        greyscale: Share of views without colour.
    """

    smallest_crop: float
    jitter: float
    greyscale: float

    @property
    def draws(self) -> int:
        return 11

    def of(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """One view of each image ``[B, H, W, 3]`` in [0, 1]."""
        return self.recoloured(self.cropped(images, draws), draws)

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return self.of(images, noise.uniform(seed, tf.shape(images)[0], (self.draws,)))

    def cropped(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """A crop of each image ``[B, H, W, D]`` at full size, half of them mirrored."""
        height, width = images.shape[1:3]
        area, ratio, place_x, place_y, mirror = tf.unstack(draws[:, :5], axis=1)
        area = self.smallest_crop + (1.0 - self.smallest_crop) * area
        ratio = tf.exp(math.log(RATIO) * (2.0 * ratio - 1.0))
        ratio = tf.clip_by_value(ratio, area, 1.0 / area)  # no side is longer than the image's
        zoom_x, zoom_y = tf.sqrt(area * ratio), tf.sqrt(area / ratio)
        return affine.resample(
            images,
            tf.where(mirror < 0.5, -zoom_x, zoom_x),
            zoom_y,
            (1.0 - zoom_x) * (width - 1) * (place_x - 0.5),
            (1.0 - zoom_y) * (height - 1) * (place_y - 0.5),
            tf.zeros_like(area),
        )

    def recoloured(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Each image ``[B, H, W, 3]`` in other colours, some in none."""
        applied, grey, *changes = tf.unstack(draws[:, 5:, None, None], axis=1)
        applied = tf.cast(applied < JITTERED, tf.float32)
        brightness, contrast, saturation, hue = (
            applied * self.jitter * (2.0 * change - 1.0) for change in changes
        )
        images = _clipped(images * (1.0 + brightness)[..., None])
        luma = tf.reduce_mean(tf.image.rgb_to_grayscale(images), (1, 2), keepdims=True)
        images = _clipped(luma + (images - luma) * (1.0 + contrast)[..., None])
        # A change of saturation scales the two coordinates of chroma, one of hue turns them.
        scale = tf.where(grey < self.greyscale, 0.0, 1.0 + saturation)
        cos, sin = (scale * turn(0.5 * math.pi * hue) for turn in (tf.cos, tf.sin))
        y, i, q = tf.unstack(tf.image.rgb_to_yiq(images), axis=-1)
        turned = tf.stack([y, cos * i - sin * q, sin * i + cos * q], -1)
        return _clipped(tf.image.yiq_to_rgb(turned))


def _clipped(images: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(images, 0.0, 1.0)
