"""Exporting a classifier that was trained elsewhere, as a run's is exported."""

from __future__ import annotations

from pathlib import Path

import keras

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Shape
from bgadl_tf.export.models import ExportedModels, export_models
from bgadl_tf.learners.plain import Plain
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.classifiers.keras_model import classifier_of
from bgadl_tf.models.classifiers.trained_head import behind_layer
from bgadl_tf.models.pretrained import cloning, files
from bgadl_tf.models.pretrained.choice import NetworkChoice
from bgadl_tf.models.pretrained.outputs import ending_in_logits
from bgadl_tf.models.pretrained.pixels import Pixels
from bgadl_tf.runs.build import versions
from bgadl_tf.runs.model_file import ModelFile


def export_model_file(file: ModelFile, out: Path, *, images: bool = False) -> ExportedModels:
    """Publish the classifier of a file, with BALD signatures, as the next version in a folder.

    Args:
        file: The model, and how it is to be scored with.
        out: Holds one folder a model.
        images: Whether it is to score images, and one of vectors is refused.

    Raises:
        ConfigError: The file cannot be loaded, or holds no classifier that is or can be made
            Bayesian; found before anything is written.
        ExportError: The model cannot be written, or a server could not serve it.
    """
    digest_ = digest(file)
    classifier = bayesian_classifier(file, images=images)
    facts = {
        "classifier": file.spec,
        "model_digest": digest_,
        "dropout_rates": [*classifier.head.rates],
        "class_names": class_names(file.class_names, classifier.classes),
        "versions": versions(),
    }
    return export_models(
        Plain(classifier), out, mc_samples=file.mc_samples, facts=facts, resize=file.resize
    )


def digest(file: ModelFile) -> str:
    """By which a file is recognised.

    Raises:
        ConfigError: It is not there.
    """
    path = NetworkChoice(file.spec).file
    try:
        return files.digest(path)
    except OSError as error:
        raise ConfigError(f"model {path} cannot be read: {error.strerror}") from error


def bayesian_classifier(file: ModelFile, *, images: bool = False) -> Classifier:
    """The classifier of a file, its last layer included, with a stochastic head.

    Raises:
        ConfigError: As for ``export_model_file``.
    """
    choice = NetworkChoice(file.spec, pixel_range=file.pixel_range)
    model, classes = ending_in_logits(files.load(choice.file))
    shape = _example_shape(model, file, images)
    pixels = _pixels(file, shape)
    if choice.layer is not None:
        if file.dropout is None:
            raise ConfigError(
                f"layer {choice.layer!r} of {choice.file} is where dropout of ours begins; add its "
                "rate, e.g. --dropout 0.5, or leave the layer out"
            )
        return behind_layer(model, choice.layer, file.dropout, pixels=pixels, shape=shape)
    if file.dropout is not None:
        return classifier_of(model, classes, dropout=file.dropout, pixels=pixels, shape=shape)
    advice = (
        "add --dropout 0.5 or so: then dropout of ours is put before the last layer, and scores "
        "are only as good as a dropout that the model was not trained with"
    )
    if not any(isinstance(layer, keras.layers.Dropout) for layer in cloning.leaves(model)):
        raise ConfigError(
            f"model {choice.file} has no Dropout layer, without which there is no BALD: {advice}"
        )
    try:
        return classifier_of(model, classes, own=True, pixels=pixels, shape=shape)
    except ConfigError as error:
        reason = str(error).removeprefix("own_dropout: ")
        raise ConfigError(
            f"no BALD by the Dropout layers of its own: {reason} ({advice})"
        ) from error


def class_names(file: Path | None, classes: int) -> list[str]:
    """The names in a file, one a line, or the numbers of the classes.

    Raises:
        ConfigError: They cannot be read, are not as many, or not all different.
    """
    if file is None:
        return [str(number) for number in range(classes)]
    try:
        names = [line.strip() for line in file.read_text("utf-8").rstrip().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"--class-names {file} cannot be read: {reason}") from error
    if len(names) != classes:
        raise ConfigError(
            f"--class-names {file} has {len(names)} lines, and the model tells {classes} classes "
            "apart; expected the name of one in each line"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if "" in names or twice:
        what = f"names {twice[0]!r} twice" if twice and twice[0] else "has an empty line"
        raise ConfigError(f"--class-names {file} {what}; expected another name in each line")
    return names


def _example_shape(model: keras.Model, file: ModelFile, images: bool) -> Shape:
    """What examples the model takes, with the sides that it leaves open."""
    own = model.input_shape[1:]
    if len(own) == 1 and own[0] is not None and not images:
        if file.image_size is not None:
            raise ConfigError(
                f"--image-size is {file.image_size}, but {file.spec!r} takes vectors of {own[0]} "
                "features; leave it out"
            )
        return (int(own[0]),)
    if len(own) == 1 and images:
        raise ConfigError(
            f"{file.spec!r} takes vectors of {own[0]} features, and 'bgadl score' ranks images; "
            "give a model of images, or 'bgadl export' it and ask its signature 'bald_seeded'"
        )
    if len(own) != 3 or own[2] not in (None, 1, 3):
        raise ConfigError(
            f"the input of {file.spec!r} has shape {model.input_shape}; expected images "
            "(None, H, W, 1 or 3)" + ("" if images else " or vectors (None, F)")
        )
    size = file.image_size
    if None in own[:2] and size is None:
        raise ConfigError(
            f"{file.spec!r} takes images of any size; say at how many pixels a side it is to see "
            "them, e.g. --image-size 224"
        )
    if size is not None and any(side not in (None, size) for side in own[:2]):
        raise ConfigError(
            f"--image-size is {size}, but {file.spec!r} takes images of {own[0]}x{own[1]} pixels; "
            "leave it out"
        )
    height, width = (int(side or size or 0) for side in own[:2])
    return (height, width, int(own[2] or 3))


def _pixels(file: ModelFile, shape: Shape) -> Pixels | None:
    if len(shape) == 1:
        if file.pixel_range is not None:
            raise ConfigError(
                f"--pixel-range is {file.pixel_range!r}, but {file.spec!r} takes vectors, as they "
                "are; leave it out"
            )
        return None
    return Pixels.said(file.pixel_range, file.spec)
