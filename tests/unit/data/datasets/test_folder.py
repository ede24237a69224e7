from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.datasets import folder
from bgadl_tf.data.earlier_split import EarlierSplit
from bgadl_tf.data.loader import LoadRequest


def save(path: Path, size: tuple[int, int] = (9, 8), mode: str = "RGB", color: Any = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)


def load(root: Path, seed: int = 0, **settings: Any) -> Dataset:
    return folder.load(LoadRequest(os.fspath(root), seed=seed, **settings))


def write(root: Path, files: str) -> Path:
    """Images, each of its own; texts; and empty folders, whose names end in a slash."""
    for number, name in enumerate(files.split()):
        if name.endswith("/"):
            (root / name).mkdir(parents=True)
        elif name.endswith(".png"):
            save(root / name, color=(number, 0, 9))
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("text")
    return root


def labels(dataset: Dataset) -> dict[str, str | None]:
    """Class of each training image."""
    pairs = zip(dataset.train.ids, dataset.train.labels.tolist(), strict=True)
    return {i: None if label == UNLABELLED else dataset.class_names[label] for i, label in pairs}


@pytest.fixture(params=[False, True], ids=["in memory", "streamed"])
def stream(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, color in (("dog", (200, 0, 0)), ("cat", (0, 100, 0))):
        for i in range(10):
            save(tmp_path / name / f"{i}.png", color=color)
    return tmp_path


def test_classes_ids_and_pixels(root: Path) -> None:
    dataset = load(root)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.shape == (8, 9, 3)
    assert (len(dataset.train), len(dataset.test)) == (16, 4)
    assert np.bincount(dataset.test.labels).tolist() == [2, 2]
    assert list(dataset.train.ids) == sorted(dataset.train.ids)
    assert {*dataset.train.ids, *dataset.test.ids} == {
        f"{name}/{i}.png" for name in ("cat", "dog") for i in range(10)
    }
    for part in (dataset.train, dataset.test):
        for id_, label, image in zip(part.ids, part.labels, part.examples, strict=True):
            assert dataset.class_names[label] == id_.partition("/")[0]
            assert image[0, 0].tolist() == ([200, 0, 0] if label else [0, 100, 0])


def test_the_held_out_images_follow_the_seed(root: Path) -> None:
    assert load(root, seed=1).test.ids == load(root, seed=1).test.ids
    assert load(root, seed=1).test.ids != load(root, seed=2).test.ids


def test_images_without_a_class_are_pool(root: Path) -> None:
    for name in ("loose.PNG", "unlabelled/a.png", "Unlabeled/deep/b.png"):
        save(root / name)
    train = load(root).train
    without = {i for i, label in zip(train.ids, train.labels, strict=True) if label == UNLABELLED}
    assert without == {"loose.PNG", "unlabelled/a.png", "Unlabeled/deep/b.png"}


def test_other_and_hidden_files_are_left_out(root: Path) -> None:
    (root / "notes.txt").touch()
    (root / "cat" / ".hidden.png").touch()
    (root / "cat" / "labels.csv").touch()
    save(root / ".thumbnails" / "x.png")
    save(root / "cat" / "deeper" / "x.jpeg")
    dataset = load(root)
    assert "cat/deeper/x.jpeg" in {*dataset.train.ids, *dataset.test.ids}
    assert len(dataset.train) + len(dataset.test) == 21


def test_given_splits_are_used(tmp_path: Path) -> None:
    save(tmp_path / "train" / "cat" / "1.png")
    save(tmp_path / "train" / "2.png")
    (tmp_path / "train" / "dog").mkdir()
    save(tmp_path / "test" / "dog" / "3.png")
    dataset = load(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.train.ids == ("train/2.png", "train/cat/1.png")
    assert dataset.train.labels.tolist() == [UNLABELLED, 0]
    assert (dataset.test.ids, dataset.test.labels.tolist()) == (("test/dog/3.png",), [1])


def test_a_pool_without_labels_takes_its_classes_from_the_test_images(tmp_path: Path) -> None:
    for name in ("train/1.png", "test/cat/2.png", "test/dog/3.png"):
        save(tmp_path / name)
    assert load(tmp_path).class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ("train/cat/1.png train/dog/1.png test/1.png", r"^1 image in test/ .*--labels FILE"),
        ("train/cat/1.png train/dog/1.png test/cat/x.txt", "test/ holds no images"),
        ("cat/1.png cat/2.png", r"names 1 class \(cat\), .* --new-class cat --new-class dog"),
        ("1.png", r"names 0 classes \(none\), .*--labels FILE"),
        ("cat/x.txt", r"holds no images; expected .* PNG or JPEG"),
        ("cat/1.png dog/1.png", "no class has 2 examples with a label"),
        ("data/cat/1.png data/dog/2.png", r"folder:/.*/data, or move the images directly"),
        ("test/cat/1.png test/dog/2.png", "images to test on, but none to train on"),
    ],
)
def test_layouts_that_cannot_work(tmp_path: Path, files: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(write(tmp_path, files))


def test_what_was_found_is_told_with_what_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "train/cat/1.png train/2.png holiday/3.png notes.txt .x.png")
    with pytest.raises(DataError, match="holiday/") as refused:
        load(tmp_path)
    assert refused.value.__notes__ == [
        "formats: PNG 3",
        "sizes: 9x8 3",
        "left out: 1 (.x.png): hidden",
        "left out: 1 (notes.txt): not an image",
    ]


def test_nothing_is_left_out_in_silence(tmp_path: Path, stream: bool) -> None:
    files = (
        "train/cat/1.png train/dog/2.png test/cat/3.png val/cat/4.png val/x.txt cat.csv "
        "train/cat/Thumbs.db results/ train/.hidden.png run/config.json run/rounds.jsonl "
        "run/figures/5.png"
    )
    intake = load(write(tmp_path, files), stream=stream).intake
    assert {*intake.left_out} == {
        "val/cat/4.png", "val/x.txt", "cat.csv", "train/cat/Thumbs.db", "results/",
        "train/.hidden.png", "run",
    }  # fmt: skip
    assert intake.left_out["run"] == "a run folder"
    assert (intake.formats, intake.sizes) == ({"PNG": 3}, {(9, 8): 3})


def test_validation_images_are_held_out_where_there_are_no_others(
    tmp_path: Path, stream: bool
) -> None:
    files = "train/cat/1.png train/dog/2.png val/cat/3.png val/dog/4.png"
    dataset = load(write(tmp_path, files), stream=stream)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.test.ids == ("val/cat/3.png", "val/dog/4.png")
    (note,) = dataset.intake.notes
    assert note == "the images of val/ are held out for testing, as there is no test/"
    assert dataset.intake.held_out == "all of val/, as there is no test/"


def test_train_alone_gives_a_fifth_of_every_class(tmp_path: Path, stream: bool) -> None:
    for name in ("cat", "dog"):
        for i in range(10):
            save(tmp_path / "train" / name / f"{i}.png")
    dataset = load(tmp_path, seed=3, stream=stream)
    assert np.bincount(dataset.test.labels).tolist() == [2, 2]
    assert dataset.intake.held_out == "a fifth of every class, drawn by seed 3"


def test_images_of_all_places_without_a_class_are_pool(tmp_path: Path, stream: bool) -> None:
    files = (
        "train/cat/1.png train/dog/2.png test/cat/3.png 4.png unlabelled/5.png train/6.png "
        "train/Unlabeled/7.png pool/deep/8.png"
    )
    dataset = load(write(tmp_path, files), stream=stream)
    assert {id_ for id_, name in labels(dataset).items() if name is None} == {
        "4.png", "unlabelled/5.png", "train/6.png", "train/Unlabeled/7.png", "pool/deep/8.png",
    }  # fmt: skip
    assert "5 images to train on without a label: the pool" in dataset.intake.notes


def test_a_class_of_the_test_images_alone_is_a_class_and_told(tmp_path: Path, stream: bool) -> None:
    files = "train/cat/1.png train/dog/2.png test/ant/3.png test/cat/4.png"
    dataset = load(write(tmp_path, files), stream=stream)
    assert dataset.class_names == ("ant", "cat", "dog")
    assert labels(dataset) == {"train/cat/1.png": "cat", "train/dog/2.png": "dog"}
    assert dataset.test.labels.tolist() == [0, 1]
    assert dataset.intake.notes == (
        "classes of the test set of which no image to train on has a label: ant",
    )


def test_a_flat_folder_with_new_classes_has_nothing_to_test_on(
    tmp_path: Path, stream: bool
) -> None:
    write(tmp_path, "1.png b/2.png b/c/3.png")
    dataset = load(tmp_path, stream=stream, new_classes=("dog", "b"))
    assert dataset.class_names == ("b", "dog")
    flat = load(write(tmp_path / "x", "1.png 2.png"), stream=stream, new_classes=("dog", "cat"))
    assert flat.class_names == ("dog", "cat")
    assert (len(flat.train), len(flat.test)) == (2, 0)
    assert flat.shape == (8, 9, 3)
    assert flat.intake.held_out == "nothing, as no label is known"


def test_classes_that_differ_in_case_alone_are_told(tmp_path: Path) -> None:
    notes = load(write(tmp_path, "cat/1.png cat/2.png Cat/3.png Cat/4.png")).intake.notes
    assert notes == ("'Cat' and 'cat' are two classes, which differ in case alone",)


def test_a_class_of_one_image_gives_none_to_the_test_set(tmp_path: Path, stream: bool) -> None:
    dataset = load(write(tmp_path, "cat/1.png dog/1.png dog/2.png"), stream=stream)
    assert dataset.test.labels.tolist() == [1]
    assert dataset.intake.notes == (
        "classes with only one labelled example, which is not held out: cat",
    )


def test_what_was_held_out_before_stays_so_when_images_come(root: Path, stream: bool) -> None:
    first = load(root, stream=stream).test
    before = first.ids
    for i in range(30):
        save(root / "cat" / f"new{i}.png")
        save(root / "ant" / f"{i}.png")
    earlier = EarlierSplit(dict(zip(before, first.digests().tolist(), strict=True)), {})
    dataset = load(root, stream=stream, earlier=earlier)
    of_ant = [id_ for id_ in dataset.test.ids if id_.startswith("ant/")]
    assert len(of_ant) == 6
    assert sorted(dataset.test.ids) == sorted([*before, *of_ant])


def test_unreadable_images_are_left_out_and_listed_up_to_a_share(root: Path, stream: bool) -> None:
    (root / "cat" / "x.png").write_bytes(b"no image")
    dataset = load(root, stream=stream)
    assert [*dataset.intake.unreadable] == ["cat/x.png"]
    assert len(dataset.train) + len(dataset.test) == 20
    with pytest.raises(DataError, match=r"cat/x\.png .*--max-unreadable"):
        load(root, stream=stream, max_unreadable=0.01)


def test_unreadable_images_that_are_left_out_in_any_case_do_not_count(tmp_path: Path) -> None:
    write(tmp_path, "train/cat/1.png train/dog/2.png test/cat/3.png val/cat/4.png")
    for i in range(5):
        (tmp_path / "val" / "cat" / f"bad{i}.png").write_bytes(b"no image")
    assert len(load(tmp_path).train) == 2


def test_the_same_images_are_recognised_in_another_place(root: Path, stream: bool) -> None:
    def digests(dataset: Dataset) -> list[int]:
        return sorted([*dataset.train.digests().tolist(), *dataset.test.digests().tolist()])

    before = digests(load(root, stream=stream))
    (root / "cat").rename(root / "lynx")
    after = load(root, stream=not stream)
    assert after.class_names == ("dog", "lynx")
    assert digests(after) == before
    stamps = after.train.known_by.stamps(np.arange(len(after.train)))
    os.utime(root / after.train.ids[0], (1, 1))
    changed = after.train.known_by.stamps(np.arange(len(after.train)))
    assert (stamps != changed).tolist() == [True, *[False] * (len(after.train) - 1)]


def test_names_in_latin_1_bytes_are_classes_and_ids(tmp_path: Path, stream: bool) -> None:
    for i in range(2):
        for name in (b"caf\xe9", b"dog"):
            folder_ = tmp_path / os.fsdecode(name)
            save(folder_ / os.fsdecode(b"\xfc%d.png" % i))
    dataset = load(tmp_path, stream=stream)
    assert dataset.class_names == ("café", "dog")
    assert {*dataset.train.ids, *dataset.test.ids} == {
        f"{name}/ü{i}.png" for name in ("café", "dog") for i in range(2)
    }
    assert dataset.train.examples[:].shape == (2, 8, 9, 3)


# Labels in a file


def test_labels_in_a_file(tmp_path: Path, stream: bool) -> None:
    files = " ".join(f"{i}.png" for i in range(12))
    write(tmp_path, files)
    rows = "".join(f"{i};{(0, 5, 7)[i % 3]}.0\n" for i in range(9))
    (tmp_path / "labels.csv").write_text("sep=;\nimage_id;label\n" + rows + "x;5\n")
    dataset = load(tmp_path, stream=stream, labels=str(tmp_path / "labels.csv"))
    assert dataset.class_names == ("0", "5", "7")
    assert np.bincount(dataset.test.labels).tolist() == [1, 1, 1]
    assert {id_ for id_, name in labels(dataset).items() if name is None} == {
        "9.png", "10.png", "11.png",
    }  # fmt: skip
    for id_, name in labels(dataset).items():
        assert name in (None, str((0, 5, 7)[int(id_.removesuffix(".png")) % 3]))
    assert dataset.intake.left_out == {}
    assert dataset.intake.notes == (
        "labels.csv: 9 ids matched without the suffix, e.g. '0' is '0.png'",
        "labels.csv: 1 row names no image of the folder, or more than one: 'x' (line 12)",
        "3 images to train on without a label: the pool",
    )


def test_a_file_of_labels_in_the_folder_beside_others(tmp_path: Path, stream: bool) -> None:
    write(tmp_path, "a/1.png a/2.png b/3.png test/4.png other.csv")
    (tmp_path / "labels.csv").write_text("file,class\n1.png,cat\n2.png,dog\n4.png,cat\n")
    dataset = load(tmp_path, stream=stream, labels="labels.csv")
    assert labels(dataset) == {"a/1.png": "cat", "a/2.png": "dog", "b/3.png": None}
    assert dataset.test.ids == ("test/4.png",)
    assert [*dataset.intake.left_out] == ["other.csv"]


def test_a_file_of_labels_that_is_missing(root: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read no\.csv: No such file"):
        load(root, labels="no.csv")


def test_a_label_of_an_unreadable_image_is_no_row_too_many(tmp_path: Path, stream: bool) -> None:
    write(tmp_path, " ".join(f"{i}.png" for i in range(20)))
    (tmp_path / "0.png").write_bytes(b"no image")
    rows = "".join(f"{i}.png,{'ab'[i % 2]}\n" for i in range(20))
    (tmp_path / "labels.csv").write_text("id,label\n" + rows)
    dataset = load(tmp_path, stream=stream, labels=str(tmp_path / "labels.csv"))
    assert [*dataset.intake.unreadable] == ["0.png"]
    assert dataset.intake.notes == ()


def test_paths_that_are_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, message in ((tmp_path / "no", "does not exist"), (tmp_path / "file", "is a file")):
        with pytest.raises(DataError, match=message):
            load(path)
    with pytest.raises(DataError, match="needs a path"):
        folder.load(LoadRequest())


def test_loops_of_links_end(root: Path) -> None:
    (root / "cat" / "up").symlink_to(root)
    (root / "cat" / "self").symlink_to(root / "cat" / "self")
    (root / "dog" / "other").symlink_to(root / "cat")
    dataset = load(root)
    assert len(dataset.train) + len(dataset.test) == 20


def test_a_class_folder_may_be_a_link(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for i in range(2):
        save(elsewhere / f"{i}.png")
    (root / "bird").symlink_to(elsewhere)
    assert load(root).class_names == ("bird", "cat", "dog")
