"""``digits``: scikit-learn's 1797 real handwritten digits of 8x8 pixels; needs no download."""

from __future__ import annotations

import numpy as np

from bgadl_tf.core.errors import DataError
from bgadl_tf.data import split
from bgadl_tf.data.dataset import LOADERS, Dataset, ExampleSet
from bgadl_tf.data.images import resize

TEST_SIZE = 497
CLASS_NAMES = tuple("0123456789")


@LOADERS.register("digits")
def load(
    argument: str,
    *,
    data_dir: str | None,
    image_size: int | None,
    seed: int,
    stream: bool = False,
) -> Dataset:
    """Loads the digits: 1300 to train on, 497 to test on, the same for every seed.

    Args:
        argument: Empty.
        data_dir: Not used.
        image_size: Pixels a side, or None for 8.
        seed: Not used: results of different seeds are compared on one test split.
        stream: Not used: they lie in no file of their own.

    Raises:
        DataError: ``argument`` is not empty.
    """
    if argument:
        raise DataError(f"dataset 'digits' takes no argument; got {argument!r}")
    import sklearn.datasets

    bunch = sklearn.datasets.load_digits()
    images = np.rint(bunch.images[..., np.newaxis] * (255.0 / 16.0)).astype(np.uint8)
    if image_size is not None:
        images = resize.resize(images, image_size)
    labels = bunch.target.astype(np.int32)
    ids = tuple(f"digits-{row:04d}" for row in range(len(labels)))
    quotas = split.total_quotas(labels, len(CLASS_NAMES), TEST_SIZE)
    train, test = split.hold_out(ExampleSet(ids, images, labels), quotas, CLASS_NAMES, seed=0)
    return Dataset("digits", train, test, CLASS_NAMES)
