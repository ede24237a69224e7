"""From what stands after ``--dataset`` to a dataset."""

from __future__ import annotations

from bgadl_tf.core.errors import UnknownNameError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.loader import LOADERS, LoadRequest


def load_dataset(
    spec: str,
    *,
    data_dir: str | None = None,
    image_size: int | None = None,
    seed: int = 0,
    stream: bool = False,
) -> Dataset:
    """Loads the dataset that ``spec`` names.

    Args:
        spec: A registered name (``digits``), ``kind:argument`` with a registered kind
            (``folder:PATH``), or the name of a TFDS builder (``mnist``).
        data_dir: Folder of prepared TFDS datasets, or None for the one of TFDS.
        image_size: Resize every image to this many pixels a side, or None.
        seed: Root seed; decides which examples are held out where no test split is given.
        stream: Read training examples from their files when they are needed.

    Raises:
        UnknownNameError: The kind before the colon is not registered.
        DataError: The data is missing, empty, unreadable or malformed.
    """
    kind, colon, argument = spec.partition(":")
    if colon and kind not in LOADERS.names():
        raise UnknownNameError(
            f"unknown kind of dataset {kind!r} in {spec!r}; known: {', '.join(LOADERS.names())}"
        )
    if not colon and kind not in LOADERS.names():
        kind, argument = "tfds", spec
    return LOADERS.get(kind)(LoadRequest(argument, data_dir, image_size, seed, stream))
