"""Whether a run could learn in features at all, before any are computed."""

from __future__ import annotations

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.options import Options
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from bgadl_tf.models.pretrained.choice import is_network
from bgadl_tf.runs.config import RunConfig

FEATURES, CLASSES = 2, 2
"""Of a trial: how many there will be is not known yet, and does not matter."""


def check(config: RunConfig, learner: str, options: Options) -> None:
    """Make a learner of a few features, to see what it says.

    Args:
        config: With ``backbone``.
        learner: Registered name.
        options: Of the learner.

    Raises:
        ConfigError: The classifier or the learner takes images alone, or needs views, or its
            options cannot be in features.
    """
    name = config.classifier or "mlp"
    if is_network(name):
        return
    try:
        classifier = CLASSIFIERS.get(name)((FEATURES,), CLASSES)
    except ConfigError:
        raise ConfigError(
            f"--classifier {name} takes images, and with --backbone it would be given features; "
            "use mlp, or leave out --backbone"
        ) from None
    try:
        tried = LEARNERS.get(learner).create(classifier, options)
    except ConfigError as error:
        raise ConfigError(
            f"with --backbone, learner {learner!r} would be given features: {error}"
        ) from None
    if tried.needs_views and not config.views:
        raise ConfigError(
            f"learner {learner!r} learns from views of the images, and --views is 0; give --views "
            "4 or so, or use another learner"
        )
