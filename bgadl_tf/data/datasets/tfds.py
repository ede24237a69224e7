"""Any image classification dataset of TensorFlow Datasets (TFDS), by the name of its builder."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data import checked, split
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet, join_sets
from bgadl_tf.data.intake import Intake
from bgadl_tf.data.loader import FINDERS, LOADERS, LoadRequest
from bgadl_tf.data.records import tfds_records
from bgadl_tf.data.split_names import Role, role_of

_TO_TEST_ON: tuple[Role, ...] = ("test", "validation")
"""Splits that can be held out, the first that is there."""


@LOADERS.register("tfds")
def load(request: LoadRequest) -> Dataset:
    """Loads a dataset of TFDS; downloads nothing when it is prepared already.

    Args:
        request: Its argument is the name of the builder, e.g. ``mnist`` or ``name/config``, which
            needs the features ``image`` (uint8) and ``label`` (a class or an integer) and a split
            ``train``. Held out is the split ``test``, or else ``validation``, or else a fifth of
            each class. A split ``unlabelled`` or ``unsupervised`` is more of the pool. An image
            size is needed when the images have different sizes. To stream is to read training
            images from their TFRecord files when they are needed.

    Returns:
        The dataset; ids are those of TFDS: file and position in the file.

    Raises:
        DataError: TFDS does not know the name, the dataset cannot be prepared or read, or its
            features do not fit.
    """
    name = request.argument
    builder = find(request)
    _check_features(builder, name)
    _prepare(builder, name)
    splits = sorted(builder.info.splits)
    if "train" not in splits:
        raise DataError(
            f"dataset {name!r} has no split 'train'; its splits: {', '.join(splits) or 'none'}"
        )
    parts = _Parts(builder, request)
    train = parts.train()
    test = parts.test()
    class_names = request.classes(_class_names(builder, train, *([test] if test else [])))
    held_out = f"all of split {parts.held!r}"
    if test is None:
        drawn = split.draw(train, class_names, request.seed, request.earlier, request.part)
        train, test, held_out, notes = drawn
        parts.notes += notes
    intake = Intake(tuple(parts.notes), parts.left_out, held_out=held_out)
    return Dataset(name, train, test, class_names, intake)


@FINDERS.register("tfds")
def find(request: LoadRequest) -> Any:
    """The dataset's builder; it may still have to be downloaded.

    Raises:
        DataError: TFDS does not know the name, or cannot open it.
    """
    name = request.argument
    if not name:
        raise DataError("dataset 'tfds' needs a builder's name: --dataset tfds:NAME, or just NAME")
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=request.data_dir, try_gcs=False)
    except tfds.core.DatasetNotFoundError:
        known = tfds.list_builders(with_community_datasets=False)
        close = difflib.get_close_matches(name.partition("/")[0], known, n=3, cutoff=0.5)
        hint = f"; TFDS has {', '.join(close)}" if close else ""
        raise DataError(
            f"no dataset is called {name!r}: neither the embedded 'digits' nor one of TFDS{hint}; "
            "a folder of images is folder:PATH"
        ) from None
    except Exception as error:  # builders raise whatever they like
        raise DataError(f"TFDS cannot open dataset {name!r}: {_first_line(error)}") from error


class _Parts:
    """The splits of a dataset, and what becomes of each.

    Args:
        builder: A prepared dataset with a split ``train``.
        request: What is to be loaded.
    """

    def __init__(self, builder: Any, request: LoadRequest) -> None:
        self.notes: list[str] = []
        self.left_out: dict[str, str] = {}
        self.held = ""
        self._builder, self._request = builder, request
        self._counts = {
            name: info.num_examples for name, info in sorted(builder.info.splits.items())
        }
        self._roles: dict[Role, list[str]] = {}
        for name, count in self._counts.items():
            role = _role_of(name)
            if role is None or (role == "train" and name != "train"):
                self._leave_out(name, "a split of no known name")
            elif count or role in ("train", "test"):  # which are refused where they are empty
                self._roles.setdefault(role, []).append(name)
            else:
                self._leave_out(name, "an empty split")

    def train(self) -> ExampleSet:
        """The split ``train``, and those without labels."""
        sets = [self._read("train", self._request.stream)]
        for name in self._roles.get("unlabelled", ()):
            pool = self._read(name, self._request.stream)
            first, other = sets[0].examples.shape[1:], pool.examples.shape[1:]
            if first != other:
                raise DataError(
                    f"images of split 'train' are {list(first)}, of split {name!r} {list(other)}; "
                    "resize them with --image-size"
                )
            sets.append(replace(pool, labels=checked.no_labels(len(pool))))
            self.notes.append(
                f"the {len(pool)} images of split {name!r} join the pool, without their labels"
            )
        return join_sets(sets)

    def test(self) -> ExampleSet | None:
        """What is held out; None where that is to be drawn."""
        names = [name for role in _TO_TEST_ON for name in self._roles.get(role, ())]
        test: ExampleSet | None = None
        for name in names:
            if test is not None:
                self._leave_out(
                    name, f"beside split {self.held!r} used neither to train nor to test"
                )
                continue
            test = self._read(name, False)
            self.held = name
            if (test.labels == UNLABELLED).all():
                test = None
                self._leave_out(name, "no image of this split has a label")
            elif role_of(name) != "test":
                self.notes.append(
                    f"split {name!r} is held out for testing, as there is no other with labels"
                )
        return test

    def _leave_out(self, name: str, reason: str) -> None:
        self.left_out[f"split {name!r} of {self._counts[name]} images"] = reason

    def _read(self, part: str, stream: bool) -> ExampleSet:
        builder, name = self._builder, self._request.argument
        try:
            return tfds_records.read_split(
                builder,
                part,
                self._request.image_size,
                resize=self._request.resize,
                stream=stream,
            )
        except (tf.errors.OpError, OSError, ValueError, AssertionError) as error:
            raise DataError(
                f"cannot read the {part} split of dataset {name!r} in {builder.data_dir}: "
                f"{_first_line(error)}; remove that folder to prepare it anew"
            ) from error


def _role_of(name: str) -> Role | None:
    return "unlabelled" if name == "unsupervised" else role_of(name)


def _prepare(builder: Any, name: str) -> None:
    if builder.is_prepared():
        return
    import tensorflow_datasets as tfds

    config = tfds.download.DownloadConfig(try_download_gcs=False)
    try:
        builder.download_and_prepare(download_config=config)
    except Exception as error:  # no network, no space, changed checksums, manual downloads, ...
        raise DataError(
            f"dataset {name!r} is not prepared in {builder.data_dir} and downloading it failed: "
            f"{_first_line(error)}; --data-dir names the folder that holds prepared datasets"
        ) from error


def _check_features(builder: Any, name: str) -> None:
    import tensorflow_datasets as tfds

    features = builder.info.features
    present = sorted(features) if isinstance(features, tfds.features.FeaturesDict) else []
    if not {"image", "label"} <= set(present):
        raise DataError(
            f"dataset {name!r} has the features {', '.join(present) or 'none by name'}; "
            "'image' and 'label' are needed"
        )
    image, label = features["image"], features["label"]
    if not isinstance(image, tfds.features.Image) or image.np_dtype != np.uint8:
        raise DataError(f"feature 'image' of dataset {name!r} is {image}; expected a uint8 image")
    scalar = isinstance(label, tfds.features.Tensor) and label.shape == ()
    if not (scalar and np.issubdtype(label.np_dtype, np.integer)):
        raise DataError(
            f"feature 'label' of dataset {name!r} is {label}; expected one class or integer"
        )


def _class_names(builder: Any, *parts: ExampleSet) -> tuple[str, ...]:
    feature = builder.info.features["label"]
    if names := getattr(feature, "names", None):
        return tuple(names)
    count = getattr(feature, "num_classes", None)
    if count is None:
        count = 1 + max(int(part.labels.max()) for part in parts)
    return tuple(str(label) for label in range(count))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
