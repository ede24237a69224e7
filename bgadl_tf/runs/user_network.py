"""A user's network as the classifier of a run: ``--classifier keras:NAME`` or ``model:FILE.keras``.

What it is made of is kept in the run folder, ``network.json``, and its weights by the journal: the
run goes on, and is exported, when the file or the weights are gone.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keras

from bgadl_tf.core import durable, seeding
from bgadl_tf.core.errors import ConfigError, RunFolderError
from bgadl_tf.core.types import Json, Shape
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.classifiers.keras_model import KerasModelClassifier, classifier_of
from bgadl_tf.models.pretrained import applications, cloning, cut, files
from bgadl_tf.models.pretrained.choice import NetworkChoice, is_network
from bgadl_tf.models.pretrained.pixels import Pixels
from bgadl_tf.runs import network_settings
from bgadl_tf.runs.config import RunConfig

FILE = "network.json"
"""Of a run folder: what the classifier is made of, as Keras describes it."""


@dataclass(frozen=True)
class UserNetwork:
    """What a classifier is made of.

    Args:
        choice: The network; None where only what is kept is known.
        model: That a file holds.
        kept: What a run folder holds: the classifier as Keras describes it. It comes before the
            others.
        digest: Of the file or of the file of weights, by which it is recognised.
    """

    choice: NetworkChoice | None = None
    model: keras.Model | None = None
    kept: Json | None = None
    digest: str | None = None

    def classifier(self, shape: Shape, classes: int, described: Json) -> Classifier:
        """The classifier for examples of a shape; its weights are the network's own, if not kept.

        Args:
            shape: Of an example.
            classes: C.
            described: The run's ``config.json``.

        Raises:
            ConfigError: It cannot be made for these examples.
        """
        # Keras draws seeds of its initializers and Dropout layers from Python's generator.
        with _python_draws_by(seeding.seed_pair(described["seed"], 0, "weights", FILE)[0]):
            if self.kept is not None:
                config = {**self.kept["config"], "classes": classes}
                rebuilt = keras.saving.deserialize_keras_object({**self.kept, "config": config})
                if not isinstance(rebuilt, KerasModelClassifier):
                    raise RunFolderError(f"{FILE} holds a {type(rebuilt).__name__}; restore it")
                return rebuilt
            return self._made(shape, classes, described)

    def _made(self, shape: Shape, classes: int, described: Json) -> Classifier:
        choice = self.choice
        if choice is None:
            raise ConfigError("a run's network is not known any more: restore its network.json")
        model, pixels = self.model, None
        if choice.kind == "keras":
            if len(shape) != 3:
                raise ConfigError(
                    f"--classifier {choice.spec} takes images, and examples have shape {shape}; "
                    "the classifier of vectors is mlp, or a model:FILE.keras of yours"
                )
            model = applications.create(choice.argument, shape, choice.weights)
            pixels = applications.pixels_of(choice.argument)
        elif choice.pixel_range is not None:
            if len(shape) != 3:  # a model that does not say itself what it takes
                raise ConfigError(_no_pixels(choice))
            pixels = Pixels.parse(choice.pixel_range)
        return classifier_of(
            model,
            classes,
            cut=choice.layer if choice.kind == "model" else None,
            dropout=described["dropout"],
            pixels=pixels,
            own=described["own_dropout"],
            shape=shape,
            fine_tune=described["fine_tune"],
            dtype=described["precision"],
        )

    def keep(self, run: Path, classifier: Classifier) -> None:
        """Write what a classifier is made of into a run folder, once.

        Raises:
            RunFolderError: It cannot be written.
        """
        if self.kept is None:
            described = keras.saving.serialize_keras_object(classifier)
            durable.atomic_write_text(run / FILE, json.dumps(described, indent=1) + "\n")


def find(config: RunConfig, run: Path | None, resumed: Json, begun: bool) -> UserNetwork | None:
    """What the classifier of a run is made of, found before its dataset is read.

    Args:
        config: The settings.
        run: The run folder, if there is one.
        resumed: The ``config.json`` of a run that goes on; empty for a new one.
        begun: Whether the journal holds the weights that the network had.

    Returns:
        None where the classifier is one of the package's own.

    Raises:
        ConfigError: There is no such file, it is damaged or nothing that a classifier can be made
            of, or weights are not to be had.
    """
    if not is_network(config.classifier or ""):
        return None
    choice = network_settings.choice_of(config)
    file = choice.file if choice.kind == "model" else _file_of_weights(choice)
    digest = files.digest(file) if file is not None and file.is_file() else None
    kept = None if run is None or not begun else read_kept(run)
    if kept is not None:
        # Gone or not to be had, it is what the run began with.
        return UserNetwork(kept=kept, digest=digest or resumed.get("network_digest"))
    if choice.kind == "keras":
        applications.check_weights(choice.argument, choice.weights or "imagenet")
        return UserNetwork(choice, digest=digest)
    model = files.load(choice.file)
    cut.refuse_unusable(model, choice.layer)
    takes_images = cloning.is_subclassed(model) or len(model.inputs[0].shape) == 4
    if takes_images:
        Pixels.said(choice.pixel_range, f"--classifier {choice.spec}")
    elif choice.pixel_range is not None:
        raise ConfigError(_no_pixels(choice))
    return UserNetwork(choice, model, digest=digest)


def read_kept(run: Path) -> Json | None:
    """What a run folder says that its classifier is made of; None where it says nothing.

    Raises:
        RunFolderError: It cannot be read.
    """
    try:
        kept = json.loads((run / FILE).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{run / FILE} cannot be read: {error}; restore it") from None
    if not isinstance(kept, dict) or not isinstance(kept.get("config"), dict):
        raise RunFolderError(f"{run / FILE} is no network's description; restore it")
    return kept


def kept_in(run: Path) -> UserNetwork | None:
    """What the classifier of a run is made of, by its folder alone; None for one of ours."""
    kept = read_kept(run)
    return None if kept is None else UserNetwork(kept=kept)


def _no_pixels(choice: NetworkChoice) -> str:
    return (
        f"--pixel-range is {choice.pixel_range!r}, but {choice.spec} takes vectors, which have no "
        "pixels; leave it out"
    )


def _file_of_weights(choice: NetworkChoice) -> Path | None:
    if choice.weights in (None, "imagenet", "none"):
        return None
    return Path(choice.weights or "").expanduser()


@contextlib.contextmanager
def _python_draws_by(seed: int) -> Iterator[None]:
    """Python's generator draws by a seed, and afterwards goes on as if nothing had been drawn."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
