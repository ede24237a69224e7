"""Images shifted, scaled, rotated and mirrored, each in its own way, with bilinear resampling."""

from __future__ import annotations

import tensorflow as tf

from bgadl_tf.models import noise

DRAWS = 6
"""Numbers that decide how one image is moved."""


def moved_at_random(
    images: tf.Tensor,
    seed: tf.Tensor,
    *,
    shift: float,
    zoom: float,
    rotation: float,
    mirrors: bool = False,
) -> tf.Tensor:
    """Every image moved by draws of its own; see ``moved``.

    Args:
        images: ``[B, H, W, D]`` in [0, 1].
        seed: ``[2]``.
        shift: As for ``moved``.
        zoom: As for ``moved``.
        rotation: As for ``moved``.
        mirrors: As for ``moved``.
    """
    draws = noise.uniform(seed, tf.shape(images)[0], (DRAWS,))
    return moved(images, draws, shift=shift, zoom=zoom, rotation=rotation, mirrors=mirrors)


def moved(
    images: tf.Tensor,
    draws: tf.Tensor,
    *,
    shift: float,
    zoom: float,
    rotation: float,
    mirrors: bool = False,
) -> tf.Tensor:
    """Every image moved as its draws say, uniform up to the given strengths.

    Args:
        images: ``[B, H, W, D]`` in [0, 1].
        draws: ``[B, DRAWS]`` in [0, 1).
        shift: Largest shift in each direction, as a fraction of the image's side.
        zoom: Largest relative change of size.
        rotation: Largest rotation, in degrees.
        mirrors: Whether every other image, on average, is mirrored left to right.

    Returns:
        The same shape; what comes in from outside the image is 0.
    """
    height, width = images.shape[1:3]
    angle, zoom_x, zoom_y, shift_x, shift_y, mirror = tf.unstack(2.0 * draws - 1.0, axis=1)
    zoom_x, zoom_y = (1.0 + zoom * change for change in (zoom_x, zoom_y))
    if mirrors:
        zoom_x *= tf.where(mirror < 0.0, -1.0, 1.0)
    return resample(
        images,
        zoom_x,
        zoom_y,
        shift * width * shift_x,
        shift * height * shift_y,
        angle * (rotation * 3.141592653589793 / 180.0),
    )


def resample(
    images: tf.Tensor,
    zoom_x: tf.Tensor,
    zoom_y: tf.Tensor,
    shift_x: tf.Tensor,
    shift_y: tf.Tensor,
    angle: tf.Tensor,
) -> tf.Tensor:
    """Images read at the places ``R(angle) diag(zoom) (x - centre) + centre + shift``.

    Args:
        images: ``[B, H, W, D]``.
        zoom_x: ``[B]``; below 1 magnifies, negative mirrors left to right.
        zoom_y: ``[B]``, the same for the vertical.
        shift_x: ``[B]``, pixels.
        shift_y: ``[B]``, pixels.
        angle: ``[B]``, radians.

    Returns:
        The same shape, bilinear; what comes in from outside the image is 0.
    """
    height, width = images.shape[1:3]
    cos_x, sin_x = tf.cos(angle) * zoom_x, tf.sin(angle) * zoom_y
    sin_y, cos_y = tf.sin(angle) * zoom_x, tf.cos(angle) * zoom_y
    centre_x, centre_y = (width - 1) / 2.0, (height - 1) / 2.0
    offset_x = centre_x * (1.0 - cos_x) + centre_y * sin_x + shift_x
    offset_y = centre_y * (1.0 - cos_y) - centre_x * sin_y + shift_y
    zeros = tf.zeros_like(angle)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack(
            [cos_x, -sin_x, offset_x, sin_y, cos_y, offset_y, zeros, zeros], axis=1
        ),
        output_shape=[height, width],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
