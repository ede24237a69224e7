"""Pictures of a run in features: real images stand for vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Floats, Id, Images, Rows
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.embedded import Embedded
from bgadl_tf.loop.round import Round
from bgadl_tf.runs import figures, nearest
from bgadl_tf.runs.pictures import Pictures
from tests.support.examples import some_images, some_labels, some_vectors

VECTORS, IMAGES = some_vectors(60), some_images(60, (8, 8, 3))
RECORD = {
    "round": 1, "labelled": 40, "test_accuracy": 0.5, "test_nll": 1.0, "queried": [],
    "seconds": {"train": 1.0, "score": 1.0, "evaluate": 1.0},
    "facts": {"reconstruction_error": 2.0, "bald_queried": 0.4, "bald_generated": 0.3},
}  # fmt: skip


class Kept:
    """A journal of one round, whose x' lie near to other vectors than their x*."""

    def __init__(self, count: int) -> None:
        self.examples = VECTORS[30 : 30 + count] + np.float32(0.01)
        self.ids = [f"train-{row:02}" for row in range(count)]

    def finished(self) -> list[dict[str, Any]]:
        return [RECORD]

    def kept(self, round_: int, name: str) -> dict[str, np.ndarray]:
        count = len(self.ids)
        return {
            "ids": np.array(self.ids), "examples": self.examples,
            "labels": np.zeros(count, np.int32), "joins": np.array(False),
            "fact_bald_queried": np.full(count, 0.4), "fact_bald_generated": np.full(count, 0.3),
        }  # fmt: skip


class Shown:
    """What ``queried_and_generated`` was called with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        original = figures.queried_and_generated

        def record(*args: Any, **kw: Any) -> None:
            self.calls.append((args, kw))
            original(*args, **kw)

        monkeypatch.setattr(figures, "queried_and_generated", record)


def pictures(folder: Path, images: Any, count: int = 5) -> Pictures:
    dataset = Dataset.from_arrays(
        VECTORS, some_labels(60), test_examples=some_vectors(9), test_labels=some_labels(9)
    )
    if images is not None:
        embedded = Embedded(folder / "x.keras", "f", (8, 8, 3), "stretch", "float16", images)
        object.__setattr__(dataset, "embedded", embedded)
    journal: Any = Kept(count)
    folder.mkdir(exist_ok=True)
    return Pictures(folder, dataset, journal)


def image_of(ids: Sequence[Id]) -> Images:
    return IMAGES[[int(id_.removeprefix("train-")) for id_ in ids]]


@pytest.mark.parametrize("count", [5, 25])
def test_the_nearest_real_image_stands_for_what_was_generated(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = Shown(monkeypatch)
    pictures(tmp_path / "figures", image_of, count).draw(Round.from_json(RECORD))
    ((queried, beside, *_), named) = shown.calls[0]
    drawn = min(count, figures.MOST_PAIRS)
    np.testing.assert_array_equal(queried, IMAGES[:drawn])
    np.testing.assert_array_equal(beside, IMAGES[30 : 30 + drawn])
    assert named == {"total": count, "beside": "nearest real image to x′"}
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        "learning_curve.png", "reconstruction_curve.png", "queried_and_generated_round_01.png",
    }  # fmt: skip


def gone(ids: Sequence[Id]) -> Images:
    raise DataError("the folder is gone")


@pytest.mark.parametrize("images", [None, gone], ids=["none", "gone"])
def test_without_images_there_is_no_picture_and_no_error(images: Any, tmp_path: Path) -> None:
    pictures(tmp_path / "figures", images).draw(Round.from_json(RECORD))
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        "learning_curve.png", "reconstruction_curve.png",
    }  # fmt: skip


def test_that_images_are_gone_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    drawn = pictures(tmp_path / "figures", gone)
    for _ in range(2):
        drawn.draw(Round.from_json(RECORD))
    (said,) = caplog.records
    assert "no pictures of what is queried: the folder is gone" in said.getMessage()


def test_what_is_wrong_with_the_code_is_not_hidden(tmp_path: Path) -> None:
    def broken(ids: Sequence[Id]) -> Images:
        raise TypeError("a slip")

    with pytest.raises(TypeError, match="a slip"):
        pictures(tmp_path / "figures", broken).draw(Round.from_json(RECORD))


def nearest_of(vectors: Floats, examples: Floats) -> Rows:
    return np.square(vectors[:, None] - examples[None]).sum(-1).argmin(1)


def test_nearest_examples_are_found_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    examples, vectors = some_vectors(500, seed=1), some_vectors(20, seed=2)
    expected = nearest_of(vectors, examples)
    np.testing.assert_array_equal(nearest.nearest(vectors, examples), expected)
    monkeypatch.setattr(nearest, "CHUNK_VALUES", 12 * 37)
    np.testing.assert_array_equal(nearest.nearest(vectors, examples), expected)
    monkeypatch.setattr(nearest, "LOOKED_AT", 100)
    among = np.linspace(0, 499, 100).astype(int)
    found = nearest.nearest(vectors, examples)
    np.testing.assert_array_equal(found, among[nearest_of(vectors, examples[among])])
