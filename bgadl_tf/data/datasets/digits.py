"""``digits``: scikit-learn's 1797 real handwritten digits of 8x8 pixels; needs no download."""

from __future__ import annotations

import numpy as np

from bgadl_tf.core.errors import DataError
from bgadl_tf.data import split
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.images import resize
from bgadl_tf.data.intake import Intake
from bgadl_tf.data.loader import LOADERS, LoadRequest

TEST_SIZE = 497
CLASS_NAMES = tuple("0123456789")


@LOADERS.register("digits")
def load(request: LoadRequest) -> Dataset:
    """Loads the digits: 1300 to train on, 497 to test on.

    Results of different seeds are compared on one test split, so that there is only one. The
    digits lie in no file of their own that could be streamed.

    Args:
        request: Its argument is empty.

    Raises:
        DataError: The argument is not empty.
    """
    if request.argument:
        raise DataError(f"dataset 'digits' takes no argument; got {request.argument!r}")
    import sklearn.datasets

    bunch = sklearn.datasets.load_digits()
    images = np.rint(bunch.images[..., np.newaxis] * (255.0 / 16.0)).astype(np.uint8)
    if request.image_size is not None:
        images = resize.resize(images, request.image_size, request.resize)
    labels = bunch.target.astype(np.int32)
    ids = tuple(f"digits-{row:04d}" for row in range(len(labels)))
    quotas = split.total_quotas(labels, len(CLASS_NAMES), TEST_SIZE)
    train, test = split.hold_out(ExampleSet(ids, images, labels), quotas, CLASS_NAMES, seed=0)
    intake = Intake(held_out="the same of every class, whatever the seed")
    return Dataset("digits", train, test, CLASS_NAMES, intake)
