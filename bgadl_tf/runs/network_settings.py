"""What the settings of a run say of a classifier that is a user's network; needs no dataset."""

from __future__ import annotations

import dataclasses

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from bgadl_tf.models.pretrained import applications, fine_tuning
from bgadl_tf.models.pretrained.choice import NetworkChoice, is_network
from bgadl_tf.models.pretrained.pixels import Pixels
from bgadl_tf.runs.config import RunConfig, flag

SEPARATE = {
    "weights": "keras:NAME",
    "pixel_range": "model:FILE.keras",
    "own_dropout": "model:FILE.keras",
    "fine_tune": "keras:NAME or model:FILE.keras",
}
"""Settings that concern a network from elsewhere alone, and which."""


def check(config: RunConfig) -> None:
    """Make sure that the names are known, and that no setting is given that concerns nothing.

    Raises:
        ConfigError: A name or a value is wrong, or a setting is given without its network.
    """
    check_backbone(config)
    spec = config.classifier or ""
    if not is_network(spec):
        if config.classifier is not None:
            CLASSIFIERS.get(config.classifier)
        backbone = ("weights", "pixel_range") if config.backbone is not None else ()
        for name, whose in SEPARATE.items():
            value = getattr(config, name)
            if value not in (None, False) and name not in backbone:
                told = flag(name) if value is True else f"{flag(name)} {value}"
                raise ConfigError(
                    f"{told} is given, but it concerns a network from elsewhere, and --classifier "
                    f"is {config.classifier or 'one of ours'}: give --classifier {whose}, or leave "
                    "it out"
                )
        return
    choice = choice_of(config)
    if config.backbone is not None and choice.kind == "keras":
        raise ConfigError(
            f"--classifier {spec} takes images, and --backbone gives vectors; leave out the one or "
            "the other"
        )
    if choice.kind == "keras":
        applications.refuse_unknown(choice.argument)
        if config.own_dropout:
            raise ConfigError(
                f"--own-dropout is given, but {spec} has no Dropout layer behind its last pooling: "
                "a Dropout of ours (--dropout) is put there; leave it out"
            )
    if config.own_dropout and config.dropout is not None:
        raise ConfigError(
            f"--own-dropout takes its rates from the model, and --dropout is {config.dropout}; "
            "leave out the one or the other"
        )
    if config.fine_tune is not None:
        fine_tuning.parse(config.fine_tune)
    if choice.pixel_range is not None:
        Pixels.parse(choice.pixel_range)


def check_backbone(config: RunConfig) -> None:
    """Make sure that ``--backbone`` can be what it says, whatever the images are.

    Raises:
        ConfigError: It names no network, the weights are none, or the pixel range is no range.
    """
    if config.backbone is None:
        return
    choice = NetworkChoice(config.backbone, config.weights, config.pixel_range)
    if config.weights == "none":
        raise ConfigError(
            f"--weights is none, and features of {config.backbone!r} with random weights tell "
            "nothing about images; give imagenet or a file of weights"
        )
    if choice.kind == "keras":
        applications.refuse_unknown(choice.argument)
    if choice.pixel_range is not None:
        Pixels.parse(choice.pixel_range)


def resolved(config: RunConfig) -> RunConfig:
    """The settings with what follows from the others: whose weights, and what is trained of it."""
    if not is_network(config.classifier or ""):
        return config
    weights = config.weights
    if choice_of(config).kind == "keras":
        weights = weights or "imagenet"
    trained = config.fine_tune or ("all" if weights == "none" else "head")
    return dataclasses.replace(config, weights=weights, fine_tune=trained)


def choice_of(config: RunConfig) -> NetworkChoice:
    """The classifier's network; what a backbone is given is not the classifier's."""
    own = config.backbone is None
    return NetworkChoice(
        config.classifier or "",
        config.weights if own else None,
        config.pixel_range if own else None,
    )
