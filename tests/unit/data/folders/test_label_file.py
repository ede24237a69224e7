from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.data.folders import by_label_file, label_file
from bgadl_tf.data.folders.layout import Layout
from bgadl_tf.data.images.tree import read_tree

IMAGES = ("1.png", "2.png", "a/3.png", "a/4.png", "test/5.png", "test/6.png", "val/7.png")


def interpret(root: Path, text: str | bytes, images: tuple[str, ...] = IMAGES) -> Layout:
    for name in images:
        path = root / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    file = root / "labels.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return by_label_file.interpret(
        read_tree(root / "images").root, images, label_file.read(file, images)
    )


def labels(layout: Layout) -> dict[str, str]:
    return {id_: name for id_, name in layout.train.items() if name is not None}


@pytest.mark.parametrize(
    "text",
    [
        "id,label\n1.png,cat\n2.png,dog\na/3.png, cat \na/4.png,\n",
        "\ufefffilename;Class\r\n1.png;cat\r\n2.png;dog\r\n3.png;cat\r\n",
        "sep=;\nIMAGE_ID;Species\n1;cat\n2;dog\n3;cat\n",
        'label\tpath\n"cat"\t"images\\1.png"\ndog\t./2.png\ncat\ta\\3.png\n',
        "x,image,category,y\n0,/home/me/images/1.png,cat,0\n0,2.png,dog,0\n0,a/3.png,cat,0\n",
    ],
)
def test_files_as_people_write_them(tmp_path: Path, text: str) -> None:
    layout = interpret(tmp_path, text)
    assert labels(layout) == {"1.png": "cat", "2.png": "dog", "a/3.png": "cat"}
    assert {id_ for id_, name in layout.train.items() if name is None} == {"a/4.png"}
    assert layout.class_names == ["cat", "dog"]


def test_ids_that_are_not_exact_are_told(tmp_path: Path) -> None:
    layout = interpret(tmp_path, "id,label\n1,cat\n2.png,dog\n4.png,dog\n")
    assert layout.notes == [
        "labels.csv: 1 id matched without the suffix, e.g. '1' is '1.png'",
        "labels.csv: 1 id matched by the end of the path, e.g. '4.png' is 'a/4.png'",
    ]


@pytest.mark.parametrize(
    ("written", "names"),
    [
        (("0", "5", "7"), ["0", "5", "7"]),
        (("10", "9", "1.0"), ["1", "9", "10"]),
        (("1.5", "-2", "007"), ["-2", "1.5", "7"]),
        (("2,0", "2", "3"), ["2", "3"]),
        (("1", "1.0", "b"), ["1", "1.0", "b"]),
        (("nan", "1", "2"), ["1", "2", "nan"]),
    ],
)
def test_numbers_are_compared_as_numbers(
    tmp_path: Path, written: tuple[str, ...], names: list[str]
) -> None:
    rows = "".join(f'{id_},"{label}"\n' for id_, label in zip(IMAGES, written, strict=False))
    assert interpret(tmp_path, "id,label\n" + rows).class_names == names


def test_rows_that_name_no_image_are_counted_and_named(tmp_path: Path) -> None:
    layout = interpret(tmp_path, "id,label\n1.png,cat\nx.png,dog\ny.png,dog\n")
    assert layout.notes == [
        (
            "labels.csv: 2 rows name no image of the folder, or more than one: 'x.png' (line 3), "
            "'y.png' (line 4)"
        )
    ]
    assert layout.class_names == ["cat"]


def test_a_name_that_two_images_have_names_none(tmp_path: Path) -> None:
    images = ("a/1.png", "b/1.png", "c/2.png")
    layout = interpret(tmp_path, "id,label\n1.png,cat\nb/1.png,dog\n", images)
    assert labels(layout) == {"b/1.png": "dog"}
    assert layout.notes == [
        "labels.csv: 1 row names no image of the folder, or more than one: '1.png' (line 2)"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "id,label\n11.png,cat\n12.png,dog\n",
            (
                r"none of 2 ids in .*labels\.csv is that of one image of the folder: line 2 has "
                r"'11\.png', the folder '1\.png'"
            ),
        ),
        ("id,label\n", r"labels\.csv has no rows below its header"),
        ("id,name\n1.png,cat\n", r"lacks the column 'label' or 'class' .*; it has 'id', 'name'"),
        (
            "id,label\n1.png,cat\n2.png,dog\n1.png,dog\n",
            r"two things about '1\.png': line 2 has 'cat', line 4 'dog'; remove one",
        ),
        ("id,label,split\n1.png,cat,train\n1,cat,test\n", r"line 3 'cat' in split 'test'"),
        ("id,label,set\n1.png,cat,fold1\n", r"line 2: unknown split 'fold1'; known: train, "),
        ("id,label,split\n1.png,cat,pool\n", r"label 'cat' and the split 'unlabelled' for '1"),
        (
            "id,label,split\ntest/5.png,cat,train\n",
            r"line 2 .* 'test/5\.png' in the split 'train', but .* in a folder for 'test'",
        ),
    ],
)
def test_files_that_say_two_things_or_nothing(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        interpret(tmp_path, text)


def test_the_same_said_twice_is_no_contradiction(tmp_path: Path) -> None:
    layout = interpret(tmp_path, "id,label\n1.png,1\n1,1.0\n2.png,2\n1.png,\n")
    assert labels(layout) == {"1.png": "1", "2.png": "2"}


def test_folders_of_splits_still_split(tmp_path: Path) -> None:
    layout = interpret(tmp_path, "id,label\n1.png,cat\n2.png,dog\n5.png,cat\n7.png,dog\n")
    assert labels(layout) == {"1.png": "cat", "2.png": "dog"}
    assert layout.test == {"test/5.png": "cat"}
    assert layout.left_out["test/6.png"].startswith("in a folder or split to test on, but without")
    assert layout.left_out["val/7.png"].startswith("in the validation split, which beside a test")
    assert layout.held_out == "all of the test split"


def test_test_images_without_labels_join_nothing(tmp_path: Path) -> None:
    layout = interpret(tmp_path, "id,label\n1.png,cat\n2.png,dog\n7.png,dog\n")
    assert layout.test == {"val/7.png": "dog"}
    assert {"test/5.png", "test/6.png"} == {*layout.left_out}
    assert layout.notes[-1].startswith("the validation split is held out for testing")


def test_a_column_of_splits(tmp_path: Path) -> None:
    text = "id,label,subset\n1,cat,Train\n2,dog,TEST\n3,dog,\n4,,unlabelled\n"
    layout = interpret(tmp_path, text, IMAGES[:4])
    assert layout.train == {"1.png": "cat", "a/3.png": "dog", "a/4.png": None}
    assert layout.test == {"2.png": "dog"}


def test_labels_of_a_folder_for_what_has_none_are_used_and_told(tmp_path: Path) -> None:
    images = ("unlabelled/1.png", "unlabelled/2.png", "3.png")
    layout = interpret(tmp_path, "id,label\n1,cat\n3,dog\n", images)
    assert labels(layout) == {"unlabelled/1.png": "cat", "3.png": "dog"}
    assert "1 image in 'unlabelled' with a label in the file, which is used" in layout.notes[-1]


def test_splits_in_a_wrapper_are_found(tmp_path: Path) -> None:
    images = ("data/train/1.png", "data/test/2.png")
    layout = interpret(tmp_path, "id,label\n1,cat\n2,dog\n", images)
    assert (layout.train, layout.test) == ({"data/train/1.png": "cat"}, {"data/test/2.png": "dog"})


def test_the_file_is_found_from_the_working_folder_or_the_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "images"
    root.mkdir()
    (root / "labels.csv").touch()
    monkeypatch.chdir(tmp_path)
    assert label_file.find("labels.csv", root) == root / "labels.csv"
    (tmp_path / "labels.csv").touch()
    assert label_file.find("labels.csv", root) == Path("labels.csv")
    assert label_file.find("no.csv", root) == Path("no.csv")
