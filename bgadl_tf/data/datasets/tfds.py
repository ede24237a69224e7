"""Any image classification dataset of TensorFlow Datasets (TFDS), by the name of its builder."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np
import tensorflow as tf

from bgadl_tf.core.errors import DataError
from bgadl_tf.data import split
from bgadl_tf.data.dataset import Dataset, ExampleSet
from bgadl_tf.data.loader import LOADERS, LoadRequest
from bgadl_tf.data.records import tfds_records


@LOADERS.register("tfds")
def load(request: LoadRequest) -> Dataset:
    """Loads a dataset of TFDS; downloads nothing when it is prepared already.

    Args:
        request: Its argument is the name of the builder, e.g. ``mnist`` or ``name/config``, which
            needs the features ``image`` (uint8) and ``label`` (a class or an integer) and a split
            ``train``. Where there is no split ``test``, a fifth of each class is held out. An
            image size is needed when the images have different sizes. To stream is to read
            training images from their TFRecord files when they are needed.

    Returns:
        The dataset; ids are those of TFDS: file and position in the file.

    Raises:
        DataError: TFDS does not know the name, the dataset cannot be prepared or read, or its
            features do not fit.
    """
    name = request.argument
    builder = _builder(name, request.data_dir)
    _check_features(builder, name)
    _prepare(builder, name)
    splits = sorted(builder.info.splits)
    if "train" not in splits:
        raise DataError(
            f"dataset {name!r} has no split 'train'; its splits: {', '.join(splits) or 'none'}"
        )
    train = _read(builder, name, "train", request, request.stream)
    if "test" in splits:
        parts = train, _read(builder, name, "test", request, False)
        return Dataset(name, *parts, _class_names(builder, *parts))
    class_names = _class_names(builder, train)
    quotas = split.fraction_quotas(train.labels, len(class_names))
    return Dataset(name, *split.hold_out(train, quotas, class_names, request.seed), class_names)


def _builder(name: str, data_dir: str | None) -> Any:
    if not name:
        raise DataError("dataset 'tfds' needs a builder's name: --dataset tfds:NAME, or just NAME")
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=data_dir, try_gcs=False)
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


def _read(builder: Any, name: str, part: str, request: LoadRequest, stream: bool) -> ExampleSet:
    try:
        return tfds_records.read_split(
            builder, part, request.image_size, resize=request.resize, stream=stream
        )
    except (tf.errors.OpError, OSError, ValueError, AssertionError) as error:
        raise DataError(
            f"cannot read the {part} split of dataset {name!r} in {builder.data_dir}: "
            f"{_first_line(error)}; remove that folder to prepare it anew"
        ) from error


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
