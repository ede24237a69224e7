"""``embeddings:FOLDER``: vectors that NumPy saved, mapped into memory and read when needed.

::

    FOLDER/train_embeddings.npy    float16, float32 or float64 [N, F]; used as float32
    FOLDER/train_labels.npy        integers [N], -1 where unknown; if absent, all are
    FOLDER/train_ids.txt           one a line; if absent, train-0, train-1, …, zero-padded
    FOLDER/test_embeddings.npy     if these are absent, a fifth of every class is held out by a
    FOLDER/test_labels.npy         seeded draw
    FOLDER/classes.txt             names, one a line; if absent, they are the labels
    FOLDER/embedding.json          of what backbone and images, where ``bgadl embed`` wrote them
"""

from __future__ import annotations

from pathlib import Path

from bgadl_tf.core.errors import DataError
from bgadl_tf.data import npy_folder, vectors
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.embeddings import folder, reading
from bgadl_tf.data.embeddings.facts import Facts
from bgadl_tf.data.loader import FINDERS, LOADERS, LoadRequest

FORM = npy_folder.Form("embeddings", "embeddings", "vectors", vectors.from_array)


@LOADERS.register("embeddings")
def load(request: LoadRequest) -> Dataset:
    """Opens a folder of embeddings, or of any other features.

    Args:
        request: Its argument is the folder. Training vectors stay on disk in any case.

    Returns:
        The dataset; its test vectors are in memory. Vectors with a label were all looked at, the
        others are when they are read. Where ``bgadl embed`` wrote the folder, the dataset knows
        of which images the vectors are, and has the views of them that are stored.

    Raises:
        DataError: The folder or a file is missing or malformed, files do not fit together, not
            all of it is there yet, a vector with a label is not finite, or images were to be
            resized.
    """
    if request.image_size is not None:
        raise DataError(
            f"--image-size is {request.image_size}, but dataset 'embeddings:{request.argument}' "
            "holds vectors, which cannot be resized; leave it out"
        )
    root = Path(request.argument).expanduser()
    facts = Facts.read(root) if request.argument and root.is_dir() else None
    if facts is None:
        dataset = npy_folder.open_folder(FORM, request)
    else:
        reading.check(root, facts)
        form = FORM._replace(beside=folder.OWN_FILES)
        dataset = reading.with_origin(npy_folder.open_folder(form, request), root, facts)
    vectors.check_labelled(dataset.train.examples, dataset.train.labels)
    return dataset


@FINDERS.register("embeddings")
def find(request: LoadRequest) -> Path:
    """The folder.

    Raises:
        DataError: It is missing.
    """
    return npy_folder.existing(FORM.dataset, FORM.stem, request.argument)
