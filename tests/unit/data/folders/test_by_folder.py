"""What folders say: every layout here is a real folder of files, of which only names count."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.data.folders import by_folder
from bgadl_tf.data.folders.layout import Layout
from bgadl_tf.data.images.tree import read_tree


def interpret(root: Path, text: str) -> Layout:
    """Makes files, and folders where a name ends in a slash, and reads what they say."""
    for name in text.split():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    tree = read_tree(root)
    images = [file.id for file in tree.root.all_files() if file.id.endswith(".png")]
    return by_folder.interpret(tree.root, images, "PATH")


def said(layout: Layout) -> tuple[str, str, str]:
    """Training images with their classes, those held out, and the classes."""
    train = {id_: name or "?" for id_, name in layout.train.items()}
    test = layout.test or {}
    told = [" ".join(f"{i}={name}" for i, name in sorted(part.items())) for part in (train, test)]
    return told[0], told[1], " ".join(layout.class_names)


CLEAR = {
    "one folder a class": (
        "cat/1.png dog/2.png",
        ("cat/1.png=cat dog/2.png=dog", "", "cat dog"),
        [],
    ),
    "nested folders belong to their class": (
        "cat/a/b/1.png dog/2.png",
        ("cat/a/b/1.png=cat dog/2.png=dog", "", "cat dog"),
        [],
    ),
    "an empty folder names a class": (
        "cat/1.png dog/2.png ant/ bee/Thumbs.db cow/x/",
        ("cat/1.png=cat dog/2.png=dog", "", "ant bee cat cow dog"),
        [],
    ),
    "a class beside an empty one": (
        "cat/1.png dog/",
        ("cat/1.png=cat", "", "cat dog"),
        [],
    ),
    "a class that is divided beside an empty one": (
        "cat/a/1.png dog/",
        ("cat/a/1.png=cat", "", "cat dog"),
        [],
    ),
    "a class with more in a folder beside an empty one": (
        "cat/a/1.png cat/b/2.png cat/3.png dog/",
        ("cat/3.png=cat cat/a/1.png=cat cat/b/2.png=cat", "", "cat dog"),
        [],
    ),
    "a folder of hidden files is no class": (
        "cat/1.png dog/2.png old/.1.png cow/x/.hidden",
        ("cat/1.png=cat dog/2.png=dog", "", "cat dog"),
        [],
    ),
    "a folder that only keeps its place is a class": (
        "cat/1.png dog/.gitkeep cow/.DS_Store",
        ("cat/1.png=cat", "", "cat cow dog"),
        [],
    ),
    "a folder of other files is no class": (
        "cat/1.png dog/2.png docs/readme.txt",
        ("cat/1.png=cat dog/2.png=dog", "", "cat dog"),
        [],
    ),
    "train and test": (
        "train/cat/1.png train/dog/2.png test/cat/3.png",
        ("train/cat/1.png=cat train/dog/2.png=dog", "test/cat/3.png=cat", "cat dog"),
        [],
    ),
    "other names of splits, in any case": (
        "Training/cat/1.png TESTING/dog/3.png Training/dog/",
        ("Training/cat/1.png=cat", "TESTING/dog/3.png=dog", "cat dog"),
        [],
    ),
    "val is held out where there is no test": (
        "train/cat/1.png train/dog/2.png val/cat/3.png",
        ("train/cat/1.png=cat train/dog/2.png=dog", "val/cat/3.png=cat", "cat dog"),
        ["the images of val/ are held out for testing, as there is no test/"],
    ),
    "dev is, too": (
        "train/cat/1.png train/dog/2.png dev/cat/3.png",
        ("train/cat/1.png=cat train/dog/2.png=dog", "dev/cat/3.png=cat", "cat dog"),
        ["the images of dev/ are held out for testing, as there is no test/"],
    ),
    "train alone": (
        "train/cat/1.png train/dog/2.png",
        ("train/cat/1.png=cat train/dog/2.png=dog", "", "cat dog"),
        [],
    ),
    "test beside class folders": (
        "cat/1.png dog/2.png test/cat/3.png test/dog/4.png",
        ("cat/1.png=cat dog/2.png=dog", "test/cat/3.png=cat test/dog/4.png=dog", "cat dog"),
        [],
    ),
    "val beside class folders": (
        "cat/1.png dog/2.png valid/dog/4.png valid/cat/",
        ("cat/1.png=cat dog/2.png=dog", "valid/dog/4.png=dog", "cat dog"),
        ["the images of valid/ are held out for testing, as there is no test/"],
    ),
    "pool of all kinds beside splits": (
        (
            "train/cat/1.png train/dog/2.png train/3.png train/unlabelled/4.png 5.png "
            "unlabelled/6.png test/cat/7.png pool/8.png"
        ),
        (
            (
                "5.png=? pool/8.png=? train/3.png=? train/cat/1.png=cat train/dog/2.png=dog "
                "train/unlabelled/4.png=? unlabelled/6.png=?"
            ),
            "test/cat/7.png=cat",
            "cat dog",
        ),
        ["pool/ is taken for images without a label, not a class"],
    ),
    "pool beside class folders": (
        "cat/1.png dog/ 2.png Unlabeled/deep/3.png",
        ("2.png=? Unlabeled/deep/3.png=? cat/1.png=cat", "", "cat dog"),
        ["folders in Unlabeled/ name no class (deep): it is the pool"],
    ),
    "a flat folder": ("1.png 2.png", ("1.png=? 2.png=?", "", ""), []),
    "train that is flat": ("train/1.png", ("train/1.png=?", "", ""), []),
    "classes of the test images alone": (
        "train/1.png test/cat/2.png test/dog/3.png",
        ("train/1.png=?", "test/cat/2.png=cat test/dog/3.png=dog", "cat dog"),
        [],
    ),
    "test images beside loose ones": (
        "1.png test/cat/2.png test/dog/3.png",
        ("1.png=?", "test/cat/2.png=cat test/dog/3.png=dog", "cat dog"),
        [],
    ),
    "a class that only the test images have": (
        "train/cat/1.png train/dog/2.png test/ant/3.png",
        ("train/cat/1.png=cat train/dog/2.png=dog", "test/ant/3.png=ant", "ant cat dog"),
        [],
    ),
    "a class called test": (
        "cat/1.png dog/2.png test/3.png",
        ("cat/1.png=cat dog/2.png=dog test/3.png=test", "", "cat dog test"),
        ["test/ is taken for a class: its images are in no class folders, and there is no train/"],
    ),
    "a class called dev": (
        "cat/1.png dog/2.png Dev/3.png",
        ("Dev/3.png=Dev cat/1.png=cat dog/2.png=dog", "", "Dev cat dog"),
        ["Dev/ is taken for a class: its images are in no class folders, and there is no train/"],
    ),
    "classes first": (
        "cat/train/1.png cat/test/2.png dog/train/3.png dog/test/4.png ant/",
        (
            "cat/train/1.png=cat dog/train/3.png=dog",
            "cat/test/2.png=cat dog/test/4.png=dog",
            "ant cat dog",
        ),
        [],
    ),
    "classes first, held out by val": (
        "cat/train/1.png cat/val/2.png dog/3.png dog/val/4.png dog/unlabelled/5.png",
        (
            "cat/train/1.png=cat dog/3.png=dog dog/unlabelled/5.png=?",
            "cat/val/2.png=cat dog/val/4.png=dog",
            "cat dog",
        ),
        ["the folders val/ of the classes are held out for testing"],
    ),
    "one class, and a nested folder beside a pool": (
        "cat/a/1.png 2.png",
        ("2.png=? cat/a/1.png=cat", "", "cat"),
        [],
    ),
}


@pytest.mark.parametrize(("files", "expected", "notes"), CLEAR.values(), ids=CLEAR)
def test_what_is_clear_is_used_and_said(
    tmp_path: Path, files: str, expected: tuple[str, str, str], notes: list[str]
) -> None:
    layout = interpret(tmp_path, files)
    assert said(layout) == expected
    assert layout.notes == notes
    assert layout.left_out == {}


TWO_MEANINGS = {
    "a folder beside train": (
        "train/cat/1.png train/dog/2.png holiday/3.png",
        r"holiday/ with 1 image lies beside train/.*move it into.*'unlabelled'.*leading dot",
    ),
    "a class that may be called train": ("car/1.png bus/2.png train/3.png", r"rename its folder"),
    "test images without a class": (
        "train/cat/1.png train/dog/2.png test/3.png",
        r"1 image in test/ but in no class folder there, e\.g\. test/3\.png.*--labels FILE",
    ),
    "val images without a class": (
        "train/cat/1.png train/dog/2.png val/3.png val/cat/4.png",
        r"1 image in val/ but in no class folder there, e\.g\. val/3\.png.*'unlabelled'",
    ),
    "pool among the test images": (
        "train/cat/1.png train/dog/2.png test/cat/3.png test/unlabelled/4.png",
        r"in no class folder there, e\.g\. test/unlabelled/4\.png",
    ),
    "test and val that are flat": (
        "cat/1.png dog/2.png test/3.png val/4.png",
        r"1 image in test/ but in no class folder",
    ),
    "test images that are loose": (
        "test/1.png 2.png",
        r"test/1\.png; but test images need a label",
    ),
    "test folders that are not the classes": (
        "cat/1.png dog/2.png test/a/3.png test/b/4.png",
        r"no folder in test/ has the name of a class beside it \(a, b\).*rename test/ if",
    ),
    "an empty test": ("train/cat/1.png train/dog/2.png test/", r"test/ holds no images; add some"),
    "a test of other files": ("cat/1.png dog/2.png test/cat/x.txt", r"test/ holds no images"),
    "two folders for one split": (
        "train/cat/1.png Training/dog/2.png",
        r"Training/ and train/ both have a name of the train split; move",
    ),
    "val and dev": (
        "train/cat/1.png val/cat/2.png dev/cat/3.png",
        r"dev/ and val/ both have a name of the validation split",
    ),
    "splits in some classes": (
        "cat/train/1.png cat/test/2.png dog/3.png",
        r"cat/test/ has the name of a split, but dog/ has no such folders: give every",
    ),
    "splits in classes in a split": (
        "train/cat/test/1.png train/dog/2.png",
        r"train/cat/test/ has the name of a split, but is in the folder of class 'cat'",
    ),
    "splits in classes beside a split": (
        "cat/train/1.png dog/train/3.png test/cat/4.png",
        r"cat/train/ has the name of a split",
    ),
    "another folder beside splits in classes": (
        "cat/train/1.png cat/old/2.png dog/train/3.png",
        r"cat/old/ lies beside folders of splits.*cat/train/, or hide",
    ),
    "a split in a split": (
        "train/train/cat/1.png train/val/cat/2.png",
        r"train/train/ is a split in a split",
    ),
    "a wrapper of splits": (
        "dataset/train/cat/1.png dataset/test/cat/2.png readme.txt",
        r"all images are in dataset/.*folder:PATH/dataset, or move the images directly",
    ),
    "a wrapper beside empty folders": (
        "dataset/train/cat/1.png dataset/test/cat/2.png results/ notes/x/",
        r"all images are in dataset/.*folder:PATH/dataset, or move",
    ),
    "a wrapper of classes beside an empty folder and an empty pool": (
        "images/cat/1.png images/dog/2.png new/ unlabelled/",
        r"folder:PATH/images,",
    ),
    "a wrapper beside what macOS adds to a zip": (
        (
            "dataset/train/zero/1.png dataset/test/one/2.png __MACOSX/._dataset "
            "__MACOSX/dataset/train/zero/._1.png"
        ),
        r"all images are in dataset/.*folder:PATH/dataset,",
    ),
    "a wrapper of classes": ("images/cat/1.png images/dog/2.png", r"folder:PATH/images,"),
    "a wrapper in a wrapper": ("a/b/cat/1.png a/b/dog/2.png", r"folder:PATH/a/b,"),
}


@pytest.mark.parametrize(("files", "message"), TWO_MEANINGS.values(), ids=TWO_MEANINGS)
def test_what_has_two_meanings_is_refused(tmp_path: Path, files: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        interpret(tmp_path, files)


@pytest.mark.parametrize(
    "files",
    [
        "train/cat/1.png train/dog/2.png test/cat/3.png val/cat/4.png val/5.png",
        "cat/1.png dog/2.png test/cat/3.png val/cat/4.png val/5.png",
    ],
)
def test_validation_images_beside_test_images_are_left_out(tmp_path: Path, files: str) -> None:
    layout = interpret(tmp_path, files)
    assert layout.test == {"test/cat/3.png": "cat"}
    reason = "in val/, which beside a test set is used neither to train nor to test"
    assert layout.left_out == {"val/cat/4.png": reason, "val/5.png": reason}
    assert not {*layout.left_out} & {*layout.train}


def test_splits_in_classes_leave_validation_out_beside_test(tmp_path: Path) -> None:
    layout = interpret(tmp_path, "cat/test/1.png cat/val/2.png cat/3.png dog/test/4.png")
    assert [*layout.left_out] == ["cat/val/2.png"]
    assert layout.test == {"cat/test/1.png": "cat", "dog/test/4.png": "dog"}


def test_an_empty_folder_beside_train_is_named(tmp_path: Path) -> None:
    layout = interpret(tmp_path, "train/cat/1.png train/dog/2.png results/ test/cat/3.png")
    assert layout.class_names == ["cat", "dog"]
    assert layout.left_out == {
        "results/": "an empty folder beside train/ (it would name a class in train/)"
    }


def test_what_is_held_out_is_told(tmp_path: Path) -> None:
    layout = interpret(tmp_path, "train/cat/1.png train/dog/2.png val/cat/3.png")
    assert layout.held_out == "all of val/, as there is no test/"
