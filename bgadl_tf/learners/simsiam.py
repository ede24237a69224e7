"""Self-supervised features first: SimSiam on the whole pool before any label is used.

Bengar, van de Weijer, Twardowski and Raducanu, "Reducing Label Effort: Self-Supervised meets
Active Learning" (ICCV workshops 2021). Before round 0 the trunk of the classifier learns from all
training examples without a label (``siamese.SimSiam``). What it is then, every round begins from;
the rounds train the head on it, which is the paper's setting, or all of the classifier.

Only images: SimSiam needs changes that keep what an example means. None is known of vectors, which
come from a backbone that has been pre-trained already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.pretext import PretextLearner, PretextOptions, check_trunk
from bgadl_tf.learners.siamese import SimSiam
from bgadl_tf.learners.views import ColourViews, GreyViews, Views
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.perceptron import Perceptron

BOTTLENECK = 4
"""How many times wider the predictor's output is than its hidden layer (Chen and He 2021)."""


@dataclass(frozen=True, kw_only=True)
class SimSiamOptions(PretextOptions):
    """How the trunk is prepared, and whether it stays so; the rest is of the classifier's rounds.

    Args:
        pretext_learning_rate: Of SGD with momentum 0.9; falls to 0 along half a cosine. Higher than
            the 0.03 that suits 800 epochs, for a thousand steps are few.
        pretext_weight_decay: Of the same.
        projection_dim: d, width of projector and predictor.
        smallest_crop: Colour images: least share of the area that a view shows.
        jitter: Colour images: largest relative change of brightness, contrast and saturation; a
            quarter of it, of a whole turn, is that of hue.
        greyscale: Colour images: share of views without colour.
        shift: Other images: largest shift in each direction, as a fraction of the image's side.
        zoom: Other images: largest relative change of size.
        rotation: Other images: largest rotation, in degrees.
    """

    pretext_learning_rate: float = 0.1
    pretext_weight_decay: float = 5e-4
    projection_dim: int = 128
    smallest_crop: float = 0.2
    jitter: float = 0.4
    greyscale: float = 0.2
    shift: float = 0.1
    zoom: float = 0.2
    rotation: float = 15.0

    def __post_init__(self) -> None:
        super().__post_init__()
        least = f"at least {BOTTLENECK}"
        self.require(self.projection_dim >= BOTTLENECK, "projection_dim", least)
        self.require(self.pretext_weight_decay >= 0, "pretext_weight_decay", "at least 0")
        self.require(0 <= self.greyscale <= 1, "greyscale", "in [0, 1]")

    def views(self, channels: int) -> Views:
        """What draws views of images of so many channels."""
        if channels == 3:
            return ColourViews(self.smallest_crop, self.jitter, self.greyscale)
        return GreyViews(self.shift, self.zoom, self.rotation)


@LEARNERS.register("simsiam")
@keras.saving.register_keras_serializable("bgadl_tf")
class SimSiamLearner(PretextLearner):
    """Supervised learning on a trunk that SimSiam has prepared."""

    options_type = SimSiamOptions
    options: SimSiamOptions
    pretext: SimSiam

    def __init__(self, classifier: Classifier, options: Options | None = None, **kw: Any) -> None:
        super().__init__(classifier, options, **kw)
        task = pretext_task(classifier, self.options)
        self.projector, self.predictor = task.projector, task.predictor
        self.prepare_by(task)


def pretext_task(classifier: Classifier, options: SimSiamOptions) -> SimSiam:
    """SimSiam for the trunk of a classifier, with the 2-layer projector of the paper's CIFAR runs.

    Raises:
        ConfigError: Its examples are not images, or it has no trunk that could be trained.
    """
    shape = classifier.example_shape
    if len(shape) != 3:
        raise ConfigError(
            f"learner 'simsiam' draws views of images, and examples have shape {shape}; use "
            "another learner"
        )
    check_trunk("simsiam", classifier)
    width, policy = options.projection_dim, classifier.dtype_policy
    features = classifier.head.widths[0]
    return SimSiam(
        classifier,
        Perceptron(features, (width, width), normalises_output=True, dtype=policy),
        Perceptron(width, (width // BOTTLENECK, width), dtype=policy),
        options.views(shape[-1]),
        steps=options.pretext_steps,
        learning_rate=options.pretext_learning_rate,
        weight_decay=options.pretext_weight_decay,
    )
