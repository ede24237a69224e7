"""What holds for every kind of dataset, in memory and streamed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset
from bgadl_tf.data.loader import LOADERS
from bgadl_tf.data.source import is_in_memory
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.embed import embed
from tests.support.backbones import save_tiny
from tests.support.small_datasets import VECTORS, WRITERS


def write_features(root: Path) -> list[str]:
    """What ``bgadl embed`` writes of a folder of digits."""
    (_, spec), backbone = WRITERS["folder"](root / "photos"), save_tiny(root / "tiny.keras")
    embed(RunConfig(dataset=spec, views=1, **backbone), root / "features")
    return ["--dataset", f"embeddings:{root / 'features'}"]


FEATURES = "features of images"
KINDS_AND_SIZES = [
    *((kind, None) for kind in (*LOADERS, FEATURES)),
    *((kind, 12) for kind in LOADERS if kind not in VECTORS),
]


@pytest.fixture(params=KINDS_AND_SIZES, scope="module")
def datasets(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Dataset, Dataset]:
    """A dataset of each registered kind as it is loaded usually, and streamed."""
    kind, size = request.param
    write = write_features if kind == FEATURES else WRITERS[kind]
    flags = write(tmp_path_factory.mktemp("dataset") / "data")
    spec, *data_dir = flags[1::2]

    def load(stream: bool) -> Dataset:
        return load_dataset(
            spec, data_dir=data_dir[0] if data_dir else None, image_size=size, stream=stream
        )

    return load(False), load(True)


def test_streaming_changes_nothing_but_where_the_examples_are(
    datasets: tuple[Dataset, Dataset],
) -> None:
    usual, streamed = datasets
    assert (usual.name, usual.class_names) == (streamed.name, streamed.class_names)
    for ours, theirs in ((usual.train, streamed.train), (usual.test, streamed.test)):
        assert ours.ids == theirs.ids
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        np.testing.assert_array_equal(ours.examples[:], theirs.examples[:])
    assert is_in_memory(streamed.test.examples)


@pytest.mark.parametrize("number", [0, 1])
def test_examples_are_images_or_vectors(number: int, datasets: tuple[Dataset, Dataset]) -> None:
    dataset = datasets[number]
    assert (dataset.dtype, len(dataset.shape)) in ((np.uint8, 3), (np.float32, 1))
    for examples in (dataset.train.examples, dataset.test.examples):
        whole = examples[:]
        assert (whole.dtype, whole.shape[1:]) == (dataset.dtype, dataset.shape)
        assert (examples.shape, examples.dtype, examples.ndim, len(examples)) == (
            whole.shape, whole.dtype, whole.ndim, len(whole),
        )  # fmt: skip


@pytest.mark.parametrize("number", [0, 1])
def test_examples_can_be_had_in_any_order(number: int, datasets: tuple[Dataset, Dataset]) -> None:
    examples = datasets[number].train.examples
    whole = np.array(examples[:])
    for rows in ([], [3], [5, 5], [*range(9, 0, -1)], [*range(len(whole))]):
        chosen = np.array(rows, np.int64)
        np.testing.assert_array_equal(examples[chosen], whole[chosen])
    np.testing.assert_array_equal(examples[2:7], whole[2:7])
    beyond = examples[len(whole) - 2 : len(whole) + 9]
    np.testing.assert_array_equal(beyond, whole[-2:])
    with pytest.raises(IndexError):
        examples[np.array([len(whole)])]


@pytest.mark.parametrize("number", [0, 1])
def test_ids_name_examples(number: int, datasets: tuple[Dataset, Dataset]) -> None:
    dataset = datasets[number]
    assert not set(dataset.train.ids) & set(dataset.test.ids)
    some = [dataset.train.ids[row] for row in (7, 3, 11)]
    examples = np.array(dataset.train.examples[:])
    np.testing.assert_array_equal(dataset.train.examples_of(some), examples[[7, 3, 11]])
    np.testing.assert_array_equal(dataset.train.source_of(some)[:], examples[[7, 3, 11]])
    assert dataset.class_names == tuple("0123456789")


def test_every_kind_has_an_example() -> None:
    assert set(WRITERS) == set(LOADERS)
