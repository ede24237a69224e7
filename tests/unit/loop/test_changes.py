"""In what datasets differ, by id and by content."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.data.contents import FileContents
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.loop.changes import Changes, compare, recognised
from bgadl_tf.loop.stock import Stock
from tests.support.examples import some_images

IMAGES = some_images(12)
NAMES = ("cat", "dog")


def made_of(
    train: dict[str, int], test: dict[str, int], labels: dict[str, int] | None = None
) -> Dataset:
    """A dataset of images by id; labels are 0 unless they are given."""

    def part(images: dict[str, int]) -> ExampleSet:
        known = np.array([(labels or {}).get(id_, 0) for id_ in images], np.int32)
        return ExampleSet((*images,), IMAGES[[*images.values()]], known)

    return Dataset("photos", part(train), part(test), NAMES)


BEFORE = made_of({"a": 0, "b": 1, "c": 2}, {"t": 3, "u": 4})


def changes(now: Dataset) -> Changes:
    before = Stock.take(BEFORE, None)
    return compare(before, Stock.take(now, before), ())


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        ({"a": 0, "b": 1, "c": 2}, {"t": 3, "u": 4}, Changes()),
        ({"c": 2, "b": 1, "a": 0}, {"u": 4, "t": 3}, Changes()),
        ({"a": 0, "b": 1, "c": 2, "d": 5}, {"t": 3, "u": 4}, Changes(added=("d",))),
        ({"a": 0, "c": 2}, {"t": 3, "u": 4}, Changes(removed=("b",))),
        ({"a": 0, "b": 9, "c": 2}, {"t": 3, "u": 4}, Changes(replaced=("b",))),
        ({"a": 0, "x/b": 1, "c": 2}, {"t": 3, "u": 4}, Changes(renamed={"b": "x/b"})),
        ({"a": 0, "b": 1, "c": 2}, {"t": 3, "v": 4}, Changes(test_renamed={"u": "v"})),
        ({"a": 0, "b": 1, "c": 2}, {"t": 3}, Changes(test_removed=("u",))),
        ({"a": 0, "b": 1, "c": 2}, {"t": 3, "u": 4, "v": 5}, Changes(test_added=("v",))),
        ({"a": 0, "b": 1, "c": 2}, {"t": 3, "u": 5}, Changes(test_replaced=("u",))),
        # Moved from one split to the other.
        ({"a": 0, "b": 1}, {"t": 3, "u": 4, "c": 2}, Changes(removed=("c",), test_added=("c",))),
        # Names that others had: contents decide.
        ({"a": 1, "b": 0, "c": 2}, {"t": 3, "u": 4}, Changes(renamed={"a": "b", "b": "a"})),
        (
            {"a": 9, "b": 0, "c": 1, "d": 2},
            {"t": 3, "u": 4},
            Changes(added=("a",), renamed={"a": "b", "b": "c", "c": "d"}),
        ),
        # A copy of what is still there is new, not another name.
        ({"a": 0, "b": 1, "c": 2, "d": 1}, {"t": 3, "u": 4}, Changes(added=("d",))),
        # Copies stand for each other, those with one base name first.
        (
            {"a": 0, "c": 2, "d": 1, "e": 1},
            {"t": 3, "u": 4},
            Changes(added=("e",), renamed={"b": "d"}),
        ),
        (
            {"a": 0, "c": 2, "d": 1, "x/b": 1},
            {"t": 3, "u": 4},
            Changes(added=("d",), renamed={"b": "x/b"}),
        ),
    ],
)
def test_what_has_changed(train: dict[str, int], test: dict[str, int], expected: Changes) -> None:
    assert changes(made_of(train, test)) == expected


def test_labels_that_have_changed() -> None:
    train, test = {"a": 0, "b": 1, "c": 2}, {"t": 3, "u": 4}
    assert changes(made_of(train, test, {"b": 1})) == Changes(relabelled={"b": 1})
    assert changes(made_of(train, test, {"u": 1})) == Changes(test_replaced=("u",))
    moved = made_of({"a": 0, "dog/b": 1, "c": 2}, test, {"dog/b": 1})
    assert changes(moved) == Changes(renamed={"b": "dog/b"}, relabelled={"dog/b": 1})


def test_what_has_gone_is_recognised_when_it_is_back() -> None:
    test = {"t": 3, "u": 4}
    first = Stock.take(BEFORE, None)
    now = Stock.take(made_of({"c": 2}, test), first)
    went = compare(first, now, ())
    gone = now.remembering(first, went.removed, went.returned)
    assert gone.part(gone=True).keys() == {"a", "b"}
    # One as it was, one under another name; the name of the second now has other contents.
    now = Stock.take(made_of({"a": 0, "c": 2, "x": 1, "b": 9}, test), gone)
    changes = compare(gone, now, ())
    assert changes == Changes(added=("a", "x", "b"), returned={"a": "a", "b": "x"})
    assert not now.remembering(gone, changes.removed, changes.returned).gone.any()


def test_only_another_test_set_makes_accuracies_incomparable() -> None:
    assert not Changes(added=("a",), removed=("b",), renamed={"c": "d"}).of_test
    assert Changes(test_replaced=("a",)).of_test
    assert "every later accuracy" in Changes(test_added=("a",)).lines()[-1]


def test_people_are_told_every_kind_of_change() -> None:
    every = Changes(
        added=("a",), returned={"a": "a"}, removed=("b",), replaced=("c",), renamed={"d": "e"},
        relabelled={"f": 1}, test_renamed={"m": "n"}, test_added=("g",), test_removed=("h",),
        test_replaced=("i", "j", "k", "l"), new_classes=("ant",),
    )  # fmt: skip
    lines = every.lines()
    assert len(lines) == 12
    assert lines[0] == "1 example joined the pool: a"
    assert "4 examples of the test set changed: i, j, k, …" in lines
    assert {*every.to_json()} == {*Changes.__dataclass_fields__}
    assert Changes().to_json() == {}


def test_a_stock_is_kept_and_read_back() -> None:
    stock = Stock.take(made_of({"é,\n": 0, "b": 1}, {"t": 3}), None)
    again = Stock.from_arrays(stock.to_arrays())
    assert again.ids == stock.ids
    for name in Stock._fields[1:]:
        np.testing.assert_array_equal(getattr(again, name), getattr(stock, name))
    assert recognised(stock, again) == (2, 2)


def test_the_fingerprint_is_of_the_data_alone() -> None:
    def fingerprint(dataset: Dataset) -> str:
        return Stock.take(dataset, None).fingerprint(dataset.class_names)

    same = made_of({"c": 2, "a": 0, "b": 1}, {"u": 4, "t": 3})
    assert fingerprint(same) == fingerprint(BEFORE)
    others = [
        made_of({"a": 0, "b": 1, "c": 5}, {"t": 3, "u": 4}),
        made_of({"a": 0, "b": 1, "d": 2}, {"t": 3, "u": 4}),
        made_of({"a": 0, "b": 1, "c": 2}, {"t": 3, "u": 4}, {"a": 1}),
        made_of({"a": 0, "b": 1, "c": 2, "u": 4}, {"t": 3}),
    ]
    assert len({fingerprint(BEFORE), *map(fingerprint, others)}) == 5


def test_files_are_read_again_only_where_their_stamps_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path in paths:
        path.write_bytes(path.name.encode())
    contents = FileContents([*map(str, paths)])
    train = ExampleSet(("0", "1", "2"), IMAGES[:3], np.zeros(3, np.int32), contents)
    dataset = Dataset("photos", train, BEFORE.test, NAMES)
    first = Stock.take(dataset, None)
    read: list[int] = []
    digests = FileContents.digests

    def counted(self: FileContents, rows: np.ndarray) -> np.ndarray:
        read.extend(rows.tolist())
        return digests(self, rows)

    monkeypatch.setattr(FileContents, "digests", counted)
    assert Stock.take(dataset, first).digests.tolist() == first.digests.tolist()
    assert read == []
    paths[1].write_bytes(b"another")
    os.utime(paths[2], ns=(1, 1))
    assert compare(first, Stock.take(dataset, first), ()) == Changes(replaced=("1",))
    assert read == [1, 2]
