from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.data.images.tree import read_tree


def write(root: Path, files: str) -> Path:
    for name in files.split():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def test_what_macos_adds_to_a_zip_is_left_out_and_named(tmp_path: Path) -> None:
    files = "__MACOSX/._x.png __MACOSX/x/y.png a/__MACOSX/._1.png a/1.png __MACOSX.png"
    tree = read_tree(write(tmp_path, files))
    assert [file.id for file in tree.root.all_files()] == ["__MACOSX.png", "a/1.png"]
    reason = "added to a zip by macOS"
    assert tree.left_out == {"__MACOSX": reason, "a/__MACOSX": reason}


def test_hidden_files_are_left_out_and_named(tmp_path: Path) -> None:
    tree = read_tree(write(tmp_path, "a/.1.png a/.git/x a/.DS_Store a/2.png"))
    assert [file.id for file in tree.root.all_files()] == ["a/2.png"]
    assert tree.left_out == dict.fromkeys(("a/.1.png", "a/.DS_Store", "a/.git"), "hidden")


@pytest.mark.parametrize(
    ("files", "hides"),
    [
        ("a/1.png", False),
        ("a/.1.png", True),
        ("a/b/.git/x", True),
        ("a/b/__MACOSX/x", True),
        ("a/.DS_Store a/b/.gitkeep a/c/.keep", False),
        ("a/1.png .hidden", False),
    ],
)
def test_a_folder_knows_whether_something_hidden_is_in_it_or_below(
    tmp_path: Path, files: str, hides: bool
) -> None:
    (folder,) = read_tree(write(tmp_path, files)).root.folders
    assert folder.hides_any() is hides
