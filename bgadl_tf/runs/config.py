"""Every setting of a run, in one frozen dataclass whose fields are the command line's flags."""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json
from bgadl_tf.runs import methods

GROWING_SETTINGS = (
    "rounds", "dataset", "data_dir", "labels", "new_classes", "class_names", "max_unreadable",
    "fingerprint", "backbone_file",
)  # fmt: skip
"""Entries of config.json that may be others when a run goes on: they say what it is by now."""

RESIZE_MODES = ("stretch", "crop", "pad")
STORED = ("float16", "float32")
SCALINGS = ("standard", "none")
IMBALANCES = ("none", "long_tailed", "step")
LABEL_NOISES = ("none", "uniform", "confused")
STRATEGIES = ("one_device", "mirrored", "multi_worker_mirrored")
PRECISIONS = ("float32", "mixed_bfloat16")
MACHINE_SETTINGS = ("versions", "devices", "stream", "embeddings")
"""Entries of config.json in which a resumed run may differ; results follow from the others."""

SINGULAR = {"options": "option", "new_classes": "new-class"}
"""Flags of settings that may be given several times, a value at a time."""

_LARGEST = 2**31 - 1


def setting(
    default: Any, help_: str, choices: tuple[str, ...] | None = None, words: tuple[str, ...] = ()
) -> Any:
    """A dataclass field that knows its help text, and its values or words beside numbers."""
    return field(default=default, metadata={"help": help_, "choices": choices, "words": words})


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The settings of one run. ``None`` means: chosen when the dataset is known.

    Raises:
        ConfigError: A value is out of range or two settings contradict each other.
    """

    dataset: str = setting(
        "digits",
        "digits (embedded), a TFDS builder with 'image' and 'label' (mnist, cifar10, ...), "
        "folder:PATH, arrays:PATH, or embeddings:PATH",
    )
    data_dir: str | None = setting(
        None, "folder of prepared TFDS datasets; nothing is downloaded when the data is there"
    )
    image_size: int | None = setting(
        None, "resize every image to this many pixels a side (needed for folders of mixed sizes)"
    )
    resize: str = setting(
        "stretch",
        "how images that are not square become it with --image-size: stretched, cropped in the "
        "middle, or padded with black",
        RESIZE_MODES,
    )
    labels: str | None = setting(
        None, "CSV file with the columns 'id' and 'label' for the images of a folder"
    )
    new_classes: tuple[str, ...] = setting(
        (), "a class that neither folders nor label files name yet; may be given several times"
    )
    max_unreadable: float = setting(
        0.1, "share of the images that may be unreadable; these are left out and listed"
    )
    part: str | None = setting(
        None,
        "use this part of the dataset only, I/N, e.g. 1/2: the examples of training and test set "
        "whose ids a hash puts there; for development on one half and confirmation on the other "
        "(a renamed image may leave its part)",
    )
    classes: str | None = setting(
        None, "use the examples of these classes alone, NAME,NAME,..., in this order; e.g. 5,7"
    )
    test_dataset: str | None = setting(
        None,
        "test on the test set of this dataset instead (as --dataset; images are resized to fit)",
    )
    imbalance: str = setting(
        "none",
        "make the classes of the training set unequal: class c of C has n R^(-c/(C-1)) examples "
        "(long_tailed), or the later half of the classes n/R (step); a hash of the ids says which",
        IMBALANCES,
    )
    imbalance_ratio: float = setting(
        10.0, "R of --imbalance, of the largest class to the smallest one"
    )
    repeated: float = setting(
        1.0,
        "how often each training example is there, under ids of its own (ID#2, ...); or a share "
        "below 1 of examples that are there twice",
    )
    label_noise: str = setting(
        "none",
        "some labels of the training set are wrong, whoever asks for them: any other class "
        "(uniform), or always the next one (confused); seed and ids say which; the test set's stay",
        LABEL_NOISES,
    )
    label_noise_rate: float = setting(0.2, "share of the labels that --label-noise makes wrong")
    stream: bool = setting(
        False, "read pool images from disk when they are needed, for pools larger than memory"
    )
    method: str | None = setting(
        None, f"a learner and an acquisition under one name: {methods.described()}; default: bgadl"
    )
    learner: str | None = setting(None, "how the classifier is fitted (instead of --method)")
    acquisition: str | None = setting(
        None, "what is asked next (instead of --method); NAME, or NAME:INNER for one that wraps"
    )
    classifier: str | None = setting(
        None,
        "network of C: one of ours, keras:NAME of keras.applications, or model:FILE.keras[:LAYER], "
        "a model of yours; default: gal_cnn, from 32 pixels or 3 channels on resnet18",
    )
    dropout: float | None = setting(
        None, "dropout rate of every stochastic layer of C; default: the classifier's own"
    )
    own_dropout: bool = setting(
        False,
        "the Dropout layers behind the last pooling of a model:FILE become the stochastic part of "
        "C, with the layers between them, instead of a head of ours",
    )
    weights: str | None = setting(
        None, "of keras:NAME: imagenet (the default), none, or a file of weights"
    )
    pixel_range: str | None = setting(
        None,
        "what a model:FILE expects black and white to be, LOW,HIGH, e.g. 0,255 for one that "
        "rescales by itself, 0,1 or -1,1; never guessed",
    )
    fine_tune: str | None = setting(
        None,
        "what is trained of a keras:NAME or model:FILE classifier: all, head, or the head and the "
        "last N layers that have weights; default: head, or all with --weights none",
    )
    backbone: str | None = setting(
        None,
        "learn in the features of this frozen network, keras:NAME or model:FILE.keras[:LAYER]; "
        "they are computed once and kept for other runs",
    )
    views: int = setting(
        0, "label-preserving views of every training image that --backbone sees beside it"
    )
    store: str = setting("float16", "what features are kept as", STORED)
    embeddings: str | None = setting(
        None,
        "folder of the features that --backbone has computed; default: bgadl_tf in the user's "
        "cache folder",
    )
    scaling: str | None = setting(
        None,
        "what becomes of features: standard (mean 0 and standard deviation 1 over the training "
        "set, labels unseen) or none; default: standard",
        SCALINGS,
    )
    components: int | Literal["auto"] | None = setting(
        None,
        "principal components of the features to keep, fitted on the training set; auto: one "
        "for 16 labels that the run is to end with; default: all",
        words=("auto",),
    )
    strategy: str = setting("one_device", "distribution strategy", STRATEGIES)
    cpu_replicas: int = setting(
        1, "split the CPU into this many logical devices, so that 'mirrored' works anywhere"
    )
    rounds: int = setting(10, "queries to make; round 0 trains on the initial set")
    query_size: int = setting(10, "labels asked for in a round")
    initial_size: int | None = setting(
        None, "labelled examples to start from, as equal per class as possible; default: 10 a class"
    )
    candidates: int = setting(2000, "pool images scored in a round; 0 scores the whole pool")
    mc_samples: int = setting(20, "MC-dropout passes K behind every score")
    steps: int = setting(300, "gradient steps a round")
    oracle_classifier: str | None = setting(
        None,
        "in simulation, who labels synthesised images: a network of this kind, trained apart on "
        "every label, of classes that --classes leaves out, too; default: lenet, mlp of features",
    )
    oracle_steps: int = setting(1500, "gradient steps of that network, on 100 examples each")
    batch_size: int = setting(100, "examples of a gradient step, over all replicas")
    seed: int = setting(0, "root of everything random in the run")
    precision: str = setting("float32", "arithmetic of the networks", PRECISIONS)
    warm_start: bool = setting(False, "keep the classifier's weights from round to round")
    options: tuple[str, ...] = setting(
        (),
        "setting of learner or acquisition NAME=VALUE, e.g. kl_weight=0.5, or OWNER.NAME=VALUE for "
        "that one alone, e.g. coreset.metric=cosine; may be given several times",
    )

    def __post_init__(self) -> None:
        for name in SINGULAR:  # JSON and command lines know no tuples
            object.__setattr__(self, name, tuple(getattr(self, name)))
        at_least = {
            "rounds": 0, "query_size": 1, "candidates": 0, "mc_samples": 2, "steps": 1,
            "batch_size": 1, "seed": 0, "cpu_replicas": 1, "initial_size": 1, "image_size": 1,
            "views": 0, "components": 1, "oracle_steps": 1,
        }  # fmt: skip
        for name, least in at_least.items():
            value = getattr(self, name)
            if isinstance(value, str):
                if value not in (words := _field(name).metadata["words"]):
                    raise ConfigError(
                        f"{flag(name)} is {value!r}; expected an integer from {least} on"
                        + "".join(f", or {word}" for word in words)
                    )
                continue
            if value is not None and value < least:
                raise ConfigError(f"{flag(name)} is {value}; it must be at least {least}")
            if value is not None and value > _LARGEST and name != "seed":
                raise ConfigError(f"{flag(name)} is {value}; it must be at most {_LARGEST}")
        if self.dropout is not None and not 0.0 <= self.dropout < 1.0:
            raise ConfigError(f"--dropout is {self.dropout}; it must be in [0, 1)")
        if not 0.0 <= self.max_unreadable <= 1.0:
            raise ConfigError(
                f"--max-unreadable is {self.max_unreadable}; it must be a share from 0 to 1"
            )
        for one in dataclasses.fields(self):
            allowed, given = one.metadata["choices"], getattr(self, one.name)
            if allowed is not None and given not in (*allowed, one.default):
                raise ConfigError(
                    f"{flag(one.name)} is {given!r}; choose from {', '.join(allowed)}"
                )
        if self.method is not None and (self.learner or self.acquisition):
            raise ConfigError(
                "--method names a learner and an acquisition already; "
                "give either --method or --learner and --acquisition"
            )
        if self.strategy == "one_device" and self.cpu_replicas > 1:
            raise ConfigError(
                f"--cpu-replicas is {self.cpu_replicas} but --strategy is one_device; "
                "add --strategy mirrored"
            )
        for name in ("views", "embeddings", "store"):
            given = getattr(self, name) != _field(name).default
            if given and self.backbone is None:
                raise ConfigError(
                    f"{flag(name)} is {getattr(self, name)!r}, but there is no --backbone whose "
                    "features are to be kept; give one, or leave it out"
                )
        if 0 < self.candidates < self.query_size:
            raise ConfigError(
                f"--candidates is {self.candidates}, fewer than --query-size {self.query_size}; "
                "score at least as many images as you ask for, or 0 for the whole pool"
            )
        for option in self.options:
            if "=" not in option:
                raise ConfigError(f"--option is {option!r}; it must look like NAME=VALUE")

    def to_json(self) -> Json:
        """The settings as a JSON object."""
        settings = dataclasses.asdict(self)
        return {n: list(v) if isinstance(v, tuple) else v for n, v in settings.items()}

    @classmethod
    def from_json(cls, settings: Json) -> Self:
        """The inverse of ``to_json``.

        Raises:
            ConfigError: A setting is unknown.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        if unknown := sorted(set(settings) - known):
            raise ConfigError(f"unknown settings {', '.join(unknown)}; known: {sorted(known)}")
        return cls(**settings)


def flag(name: str) -> str:
    """Command-line flag of a setting: ``query_size`` -> ``--query-size``."""
    return "--" + SINGULAR.get(name, name).replace("_", "-")


def scalar_type(owner: type, name: str) -> type:
    """Python type of a dataclass field, without ``| None`` and words."""
    hint = typing.get_type_hints(owner)[name]
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    return typing.cast(type, hint)


def _field(name: str) -> dataclasses.Field[Any]:
    return next(f for f in dataclasses.fields(RunConfig) if f.name == name)
