"""``bgadl check``: what a run would see, for every kind of dataset."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bgadl_tf.cli import main
from bgadl_tf.data.loader import LOADERS
from tests.support.small_datasets import VECTORS, WRITERS

BAD_INPUT = 2


def checked(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, list[str], list[str]]:
    """Exit status, and what stands on stdout, and on stderr by the command itself."""
    capsys.readouterr()
    status = main(["check", *flags])
    written = capsys.readouterr()
    ours = [line for line in written.err.splitlines() if line.startswith("bgadl")]
    return status, written.out.splitlines(), ours


def save(path: Path, seed: int, size: int = 8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(256, size=(size, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for number in range(10):
        save(root / "train" / ("cat", "dog")[number % 2] / f"{number}.png", number)
        save(root / f"{number}.png", 100 + number)
    for number in range(4):
        save(root / "val" / ("cat", "dog")[number % 2] / f"{number}.png", 200 + number)
    (root / "notes.txt").write_text("to do")
    return root


@pytest.mark.parametrize("stream", [[], ["--stream"]])
@pytest.mark.parametrize("kind", LOADERS.names())
def test_every_kind(
    kind: str, stream: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines, errors = checked(capsys, *WRITERS[kind](tmp_path / "data"), *stream)
    assert (status, errors) == (0, [])
    what = "vectors" if kind in VECTORS else "images"
    assert lines[1].startswith("to train on: 1")
    assert f" {what}, " in lines[1]
    assert "10 classes:" in lines
    assert "duplicates between training and test set: none" in lines
    entering = "vectors of 64 components" if kind in VECTORS else "8x8 pixels large, grey: 1 chann"
    assert any(entering in line for line in lines)


@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_what_a_run_would_see(
    root: Path, stream: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(root / "train" / "cat" / "0.png", root / "val" / "dog" / "copy.png")
    (root / "bad.png").write_bytes(b"")
    status, lines, errors = checked(capsys, "--dataset", f"folder:{root}", *stream)
    assert (status, errors) == (0, [])
    assert lines == [
        f"dataset: folder:{root}",
        "to train on: 20 images, 10 with a label, 10 without",
        "held out to test on: 5 images (all of val/, as there is no test/)",
        "formats: PNG 25",
        "sizes: 8x8 25",
        "images enter the networks 8x8 pixels large, grey: 1 channel",
        "2 classes:",
        "  class  labelled to train on  to test on",
        "  cat                       5           2",
        "  dog                       5           3",
        "the images of val/ are held out for testing, as there is no test/",
        "10 images to train on without a label: the pool",
        "left out: 1 (notes.txt): not an image",
        "unreadable: 1 (bad.png): the file is empty",
        "duplicates in the training set: none",
        "duplicates in the test set: none",
        (
            "duplicates between training and test set: a leak: 1 of the images to test on can "
            "also be trained on, so that accuracy says too much: 1 group: train/cat/0.png = "
            "val/dog/copy.png"
        ),
        "duplicates with different labels: 1 group: train/cat/0.png (cat) = val/dog/copy.png (dog)",
    ]


def test_the_first_few_or_all_are_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(6):
        (root / f"{number}.txt").write_text("text")
    flags = ("--dataset", f"folder:{root}")
    few = "left out: 7 (0.txt, 1.txt, 2.txt and 4 more): not an image"
    assert few in checked(capsys, *flags)[1]
    names = ", ".join([*(f"{number}.txt" for number in range(6)), "notes.txt"])
    assert f"left out: 7 ({names}): not an image" in checked(capsys, *flags, "--all")[1]


@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_different_sizes_are_described_and_refused(
    root: Path, stream: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    save(root / "large.png", 1, size=11)
    flags = ("--dataset", f"folder:{root}", *stream)
    status, lines, errors = checked(capsys, *flags)
    assert status == BAD_INPUT
    assert "sizes: 8x8 24, 8x11 1" in lines
    assert "images grey: 1 channel; their sizes differ, so that a run needs --image-size" in lines
    assert "duplicates in the training set: none" in lines
    assert len(errors) == 1
    assert "large.png is 8x11 pixels; resize them with --image-size" in errors[0]
    status, lines, errors = checked(capsys, *flags, "--image-size", "9", "--resize", "pad")
    assert (status, errors) == (0, [])
    assert any("enter the networks 9x9 pixels" in line for line in lines)


def test_what_was_found_comes_before_the_reason(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(root / "holiday" / "1.png", 300)
    status, lines, errors = checked(capsys, "--dataset", f"folder:{root}")
    assert status == BAD_INPUT
    assert lines == ["formats: PNG 25", "sizes: 8x8 25", "left out: 1 (notes.txt): not an image"]
    assert len(errors) == 1
    assert "holiday/ with 1 image lies beside train/" in errors[0]


def test_flags_of_labels_and_new_classes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(8):
        save(tmp_path / "flat" / f"{number}.png", number)
    flags = ("--dataset", f"folder:{tmp_path / 'flat'}")
    status, _, errors = checked(capsys, *flags)
    assert status == BAD_INPUT
    assert "names 0 classes (none)" in errors[0]
    new = ("--new-class", "cat", "--new-class", "dog")
    status, lines, errors = checked(capsys, *flags, *new)
    assert (status, errors) == (0, [])
    assert "held out to test on: 0 images (nothing, as no label is known)" in lines
    file = tmp_path / "labels.csv"
    file.write_text("id,label\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(6)))
    status, lines, errors = checked(capsys, *flags, "--labels", str(file), *new)
    assert (status, errors) == (0, [])
    assert [line.split()[0] for line in lines[lines.index("4 classes:") + 2 :][:4]] == [
        "a", "b", "cat", "dog",
    ]  # fmt: skip
    assert "to train on: 6 images, 4 with a label, 2 without" in lines


def test_too_many_unreadable_images(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(8):
        (root / f"bad{number}.png").write_bytes(b"no image")
    flags = ("--dataset", f"folder:{root}")
    status, lines, errors = checked(capsys, *flags)
    assert status == BAD_INPUT
    assert any(line.startswith("unreadable: 8 (bad0.png, bad1.png") for line in lines)
    assert "8 images of" in errors[0]
    assert checked(capsys, *flags, "--max-unreadable", "0.5")[0] == 0


def test_a_component_that_is_not_finite_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = WRITERS["embeddings"](tmp_path / "data")
    vectors = np.load(tmp_path / "data" / "train_embeddings.npy")
    vectors[100, 3] = np.nan
    np.save(tmp_path / "data" / "train_embeddings.npy", vectors)
    (tmp_path / "data" / "train_labels.npy").unlink()
    status, lines, errors = checked(capsys, *flags)
    assert status == BAD_INPUT
    assert "to train on: 150 vectors, 0 with a label, 150 without" in lines
    assert "component 3 of vector 'train-100' is nan" in errors[0]


def test_nothing_is_written(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    before = sorted(tmp_path.rglob("*"))
    assert checked(capsys, "--dataset", f"folder:{root}")[0] == 0
    assert sorted(tmp_path.rglob("*")) == before
