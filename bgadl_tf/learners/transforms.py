"""Label-preserving transforms of examples, each drawn anew at every step.

Which changes keep a label is a property of the data: a mirrored photograph shows the same object, a
mirrored digit another one. So their kinds and strengths are options of every learner. The features
of a backbone cannot be moved; the images were, before it saw them: of each example and step one of
these stored views is taken, or the example as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Shape
from bgadl_tf.learners import affine
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.views import ColourViews
from bgadl_tf.models import noise

MOVES = ("shift", "zoom", "rotation", "mirror")
KINDS = (*MOVES, "crop", "colour")
"""Kinds of transforms of images."""

VIEWS = "views"
"""The kind of vectors."""

_SHIFT, _CROP = 1, 2


@dataclass(frozen=True)
class Transforms:
    """Random transforms of examples of one shape.

    Args:
        kinds: Some of ``KINDS`` for images, ``VIEWS`` for vectors; none: nothing changes.
        options: How strong they are.
    """

    kinds: tuple[str, ...]
    options: Options

    @classmethod
    def of(cls, options: Options, shape: Shape) -> Self:
        """What ``options.transforms`` stands for with examples of this shape.

        Raises:
            ConfigError: A kind is unknown, or is none of such examples.
        """
        text, vectors = options.transforms, len(shape) == 1
        if text == "none":
            return cls((), options)
        if text == "standard":
            mirror = ("mirror",) * (shape[-1] == 3)
            return cls((VIEWS,) if vectors else ("shift", "zoom", "rotation", *mirror), options)
        kinds, known = tuple(text.split("+")), (VIEWS,) if vectors else KINDS
        if unknown := [kind for kind in kinds if kind not in known]:
            raise ConfigError(
                f"--option transforms is {text!r}, and {unknown[0]!r} is no transform of examples "
                f"of shape {tuple(shape)}; use none, standard, or some of {', '.join(known)} "
                "joined by '+'"
            )
        if "colour" in kinds and shape[-1] != 3:
            raise ConfigError("--option transforms: images in grey have no colour to change")
        return cls(kinds, options)

    @property
    def uses_views(self) -> bool:
        """Whether they take stored views."""
        return VIEWS in self.kinds

    def forms(
        self, examples: tf.Tensor, seed: tf.Tensor, count: int, views: tf.Tensor | None = None
    ) -> list[tf.Tensor]:
        """Several forms of every example, each drawn anew.

        Of two or more forms of an image the last is the image as it is: transforms may cost it
        what tells it from others. Of vectors that is one of what each form is drawn from.

        Args:
            examples: ``[B, *shape]``, images in [0, 1].
            seed: ``[2]``.
            count: Forms.
            views: ``[B, V, F]`` of vectors; None where there are none.

        Returns:
            ``count`` tensors of the same shape.
        """
        if not self.kinds:
            return [examples] * count
        kept = [examples] if count > 1 and not self.uses_views else []
        seeds = [seed, *(noise.fold(seed, number) for number in range(1, count - len(kept)))]
        return [self(examples, own, views) for own in seeds] + kept

    def __call__(
        self, examples: tf.Tensor, seed: tf.Tensor, views: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Every example in a form of its own.

        Args:
            examples: ``[B, *shape]``, images in [0, 1].
            seed: ``[2]``.
            views: ``[B, V, F]`` of vectors; None where there are none.

        Returns:
            The same shape; what comes into an image from outside is 0.
        """
        if self.uses_views:
            return examples if views is None else one_of(examples, views, seed)
        options = self.options
        strengths = {
            kind: getattr(options, kind) if kind in self.kinds else 0.0
            for kind in ("shift", "zoom", "rotation")
        }
        if "mirror" in self.kinds or any(strengths.values()):
            examples = affine.moved_at_random(
                examples, noise.fold(seed, _SHIFT), **strengths, mirrors="mirror" in self.kinds
            )
        if "crop" in self.kinds or "colour" in self.kinds:
            crops = ColourViews(
                options.smallest_crop if "crop" in self.kinds else 1.0, options.jitter, 0.0
            )
            draws = noise.uniform(noise.fold(seed, _CROP), tf.shape(examples)[0], (crops.draws,))
            if "crop" in self.kinds:
                never = tf.ones_like(draws[:, :1])  # mirrored: that is a kind of its own
                examples = crops.cropped(examples, tf.concat([draws[:, :4], never], 1))
            if "colour" in self.kinds:
                examples = crops.recoloured(examples, draws)
        return examples


def one_of(examples: tf.Tensor, views: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Each example as it is, or one of its views; all are equally probable.

    Args:
        examples: ``[B, *shape]``.
        views: ``[B, V, *shape]``.
        seed: ``[2]``.

    Returns:
        ``[B, *shape]``.
    """
    forms = tf.concat([examples[:, None], views], 1)
    draws = noise.uniform(seed, tf.shape(examples)[0], ())
    count = tf.shape(forms)[1]
    # A draw close to 1 may be rounded up.
    chosen = tf.minimum(tf.cast(draws * tf.cast(count, tf.float32), tf.int32), count - 1)
    return tf.gather(forms, chosen, axis=1, batch_dims=1)
