"""Networks that tell more classes apart than before: what fits of the old weights is kept.

Classes are only ever appended. Wherever a network counts them, in the last layer of a classifier
and among the inputs of a generator, they come last along an axis, so that old weights are a corner
of the new.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.learners.learner import Learner


def overlaid(old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
    """``new`` with the values of ``old`` where both have some.

    Raises:
        ValueError: They differ along more than the one axis that counts classes.
    """
    if old.ndim != new.ndim or sum(a != b for a, b in zip(old.shape, new.shape, strict=True)) > 1:
        raise ValueError(f"weights are {new.shape}, those that are kept are {old.shape}")
    common = tuple(slice(0, min(sizes)) for sizes in zip(old.shape, new.shape, strict=True))
    grown = new.copy()
    grown[common] = old[common]
    return grown


def with_classes(learner: Learner, classes: int) -> Learner:
    """A learner alike in all but the number of classes, compiled if the other is.

    Args:
        learner: Its weights are copied where they fit.
        classes: C of the new one, whose other weights are zero until they are drawn.

    Raises:
        ConfigError: The classifier does not say in ``get_config`` how many it tells apart.
    """
    config = learner.get_config()
    for name in learner.networks:
        if config[name]["config"].get("classes"):  # 0 of an encoder that sees no label
            config[name]["config"]["classes"] = classes
    grown: Learner = type(learner).from_config(config)
    if learner.previous_is_kept:
        grown.keep_previous()
    if learner.optimizers:
        grown.compile_from_config(learner.get_compile_config())
    for name, network in grown.saved_networks.items():
        before = learner.saved_networks[name].variables
        for old, new in zip(before, network.variables, strict=True):
            value = np.asarray(old.numpy())
            if value.shape != tuple(new.shape):
                value = overlaid(value, np.zeros(new.shape, value.dtype))
            new.assign(value)
    if grown.classifier.classes != classes:
        raise learner.classifier.cannot_be_made_for(classes)
    return grown
