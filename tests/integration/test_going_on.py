"""Runs that go on under other circumstances: more rounds, another place, another dataset."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from bgadl_tf.core.errors import BgadlError, ConfigError, RunFolderError
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.run_folder import RunFolder, refuse_inside
from bgadl_tf.runs.train import Outcome, train
from tests.support.photos import rows_of, save_digits
from tests.support.run_tools import differences, everything, no_export, no_pictures

__all__ = ["no_export", "no_pictures"]
pytestmark = pytest.mark.usefixtures("no_pictures", "no_export")

SETTINGS: dict[str, Any] = {
    "method": "bald", "classifier": "lenet", "query_size": 4, "initial_size": 12, "candidates": 40,
    "mc_samples": 2, "steps": 4, "batch_size": 8,
}  # fmt: skip


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos") / "photos"
    save_digits(root, rows_of((4, 5, 6), 0, 150))
    return root


@pytest.fixture(scope="module")
def finished(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one round."""
    tf.config.experimental.enable_op_determinism()
    out = tmp_path_factory.mktemp("finished") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bgadl_tf.runs.pictures.Pictures.draw", lambda *_: None)
        patch.setattr("bgadl_tf.runs.train.export_once", lambda *_: None)
        run(photos, out, 1)
    return out


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """A copy of it to go on with."""
    return shutil.copytree(finished, tmp_path / "run")


def run(photos: Path, out: Path, rounds: int, **more: Any) -> Outcome:
    return train(RunConfig(dataset=f"folder:{photos}", rounds=rounds, **{**SETTINGS, **more}), out)


def test_more_rounds_go_on_as_if_they_had_been_asked_for_at_first(
    photos: Path, out: Path, tmp_path: Path
) -> None:
    assert len(run(photos, out, 2).rounds) == 3
    run(photos, tmp_path / "at once", 2)
    assert differences(out, tmp_path / "at once") == []
    assert json.loads((out / "config.json").read_text())["rounds"] == 2
    assert json.loads((out / "plan.json").read_text())["rounds"] == 2


def test_fewer_rounds_than_were_made_are_refused(photos: Path, out: Path) -> None:
    before = everything(out)
    with pytest.raises(RunFolderError, match=r"--rounds is 0, but .* has made 1 already"):
        run(photos, out, 0)
    assert everything(out) == before


def test_the_same_data_elsewhere_is_recognised(photos: Path, out: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(photos, tmp_path / "moved", copy_function=shutil.copyfile)
    (out / "dataset.jsonl").rename(tmp_path / "before.jsonl")
    shutil.copy(tmp_path / "before.jsonl", out / "dataset.jsonl")
    run(moved, out, 2)
    starts = [json.loads(line) for line in (out / "dataset.jsonl").read_text().splitlines()]
    assert [start["fingerprint"] for start in starts] == [starts[0]["fingerprint"]] * 2
    assert starts[1]["dataset"] == f"folder:{moved}"
    assert not {"added", "removed", "replaced", "renamed", "test_added"} & starts[1].keys()
    config = json.loads((out / "config.json").read_text())
    assert config["dataset"] == f"folder:{moved}"
    assert config["fingerprint"] == starts[0]["fingerprint"]


def test_streaming_makes_no_difference_to_what_is_recognised(photos: Path, out: Path) -> None:
    before = (out / "dataset.jsonl").read_bytes()
    run(photos, out, 2, stream=True)
    assert (out / "dataset.jsonl").read_bytes() == before


def test_another_dataset_of_the_same_shape_is_refused(out: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    save_digits(other, rows_of((4, 5, 6), 900, 1050))
    before = everything(out)
    with pytest.raises(
        RunFolderError, match=r"is on dataset 'folder:.*', of whose [0-9]+ .* 0 are in"
    ):
        run(other, out, 2)
    assert everything(out) == before


def test_a_folder_of_an_older_version_goes_on(photos: Path, out: Path, tmp_path: Path) -> None:
    # What version 0.2.0 at first left behind.
    (out / "dataset.jsonl").unlink()
    shutil.rmtree(out / "arrays" / "dataset")
    config = json.loads((out / "config.json").read_text())
    new = ("fingerprint", "resize", "labels", "new_classes", "max_unreadable")
    kept = {key: value for key, value in config.items() if key not in new}
    (out / "config.json").write_text(json.dumps(kept))
    moved = shutil.copytree(photos, tmp_path / "moved")
    with pytest.raises(RunFolderError, match="dataset was 'folder:"):
        run(moved, out, 2)
    assert len(run(photos, out, 2).rounds) == 3
    run(photos, tmp_path / "at once", 2)
    left = differences(out, tmp_path / "at once")
    assert left in ([], ["config.json"])


def test_images_of_another_size_or_colour_may_come(
    photos: Path, out: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    more = shutil.copytree(photos, tmp_path / "more")
    Image.new("L", (9, 9)).save(more / "four" / "other size.png")
    Image.new("RGB", (8, 8), (9, 200, 30)).save(more / "five" / "green.png")
    assert len(run(more, out, 2).rounds) == 3
    assert json.loads((out / "config.json").read_text())["example_shape"] == [8, 8, 1]
    start = json.loads((out / "dataset.jsonl").read_text().splitlines()[-1])
    assert start["added"] == ["five/green.png"]
    assert [*start["unreadable"]] == ["four/other size.png"]
    told = "\n".join(caplog.messages)
    assert "1 image in colour is converted to grey, as those of the run are grey" in told
    assert "9x9 pixels, those of the run are 8x8: resize it, or begin a run" in told


def test_a_class_that_is_spelt_anew_is_one_more_and_no_new_class_that_was_asked_for(
    photos: Path, out: Path, tmp_path: Path
) -> None:
    renamed = shutil.copytree(photos, tmp_path / "renamed")
    (renamed / "four").rename(renamed / "FOUR")
    run(renamed, out, 2)
    names = json.loads((out / "config.json").read_text())["class_names"]
    assert names == ["five", "four", "six", "FOUR"]


def test_a_pool_that_is_too_small_by_now_is_refused(
    photos: Path, out: Path, tmp_path: Path
) -> None:
    few = shutil.copytree(photos, tmp_path / "few")
    run(few, out, 1)
    labelled = {json.loads(line)["id"] for line in (out / "labels.jsonl").read_text().splitlines()}
    for path in sorted(few.rglob("*.png")):
        if path.relative_to(few).as_posix() not in labelled and int(path.stem) < 130:
            path.unlink()
    with pytest.raises(
        ConfigError, match=r"rounds of 4 labels .* lower --rounds to [0-9]+"
    ) as error:
        run(few, out, 9)
    possible = int(str(error.value).rsplit(" ", 1)[1])
    assert len(run(few, out, possible).rounds) == possible + 1


def test_answers_and_corrections_of_a_person_are_taken_from_a_simulation_too(
    photos: Path, out: Path
) -> None:
    lines = [json.loads(line) for line in (out / "labels.jsonl").read_text().splitlines()]
    unasked = next(
        path.relative_to(photos).as_posix()
        for path in sorted(photos.rglob("*.png"))
        if path.relative_to(photos).as_posix() in pool_of(out) - {line["id"] for line in lines}
    )
    wrong = lines[0]["id"]
    with (out / "to_label.csv").open("w", newline="") as file:
        rows = [
            ("id", "label"),
            (wrong, "six" if lines[0]["label"] < 2 else "five"),
            (unasked, "four"),
        ]
        csv.writer(file).writerows(rows)
    run(photos, out, 2)
    new = [json.loads(line) for line in (out / "labels.jsonl").read_text().splitlines()][16:]
    told = {line["id"]: line for line in new if line["source"] == "file:to_label.csv"}
    assert told[wrong]["correction"] is True
    assert told[unasked]["round"] == 2
    before = (out / "labels.jsonl").read_bytes()
    run(photos, out, 2)  # what it says is not news any longer
    assert (out / "labels.jsonl").read_bytes() == before


def pool_of(out: Path) -> set[str]:
    with np.load(out / "arrays" / "dataset" / "round_00.npz") as kept:
        ids = kept["ids"].tobytes().decode().split("\0")
        return {id_ for id_, test in zip(ids, kept["in_test"], strict=True) if not test}


@pytest.mark.parametrize("inside", ["run", "four/run", "four", "."])
def test_a_run_inside_its_own_dataset_is_refused(photos: Path, inside: str) -> None:
    before = everything(photos)
    with pytest.raises(ConfigError, match="is inside the dataset"):
        run(photos, photos / inside, 1)
    assert everything(photos) == before


def test_a_run_beside_its_dataset_is_fine(photos: Path, tmp_path: Path) -> None:
    refuse_inside(tmp_path / "run", f"folder:{photos}")
    refuse_inside(photos.parent / "photos2", f"folder:{photos}")
    refuse_inside(photos / "run", "digits")
    link = tmp_path / "link"
    link.symlink_to(photos)
    with pytest.raises(BgadlError, match="inside the dataset"):
        refuse_inside(link / "run", f"folder:{photos}")


def test_only_what_may_change_is_updated(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    config = {"rounds": 1, "seed": 0, "class_names": ["a", "b"]}
    with folder.opened(config, {}):
        folder.update({**config, "rounds": 2, "seed": 5, "class_names": ["a", "b", "c"]}, "abc")
    assert folder.config() == {
        "format": 2, "rounds": 2, "seed": 0, "class_names": ["a", "b", "c"], "fingerprint": "abc",
    }  # fmt: skip
