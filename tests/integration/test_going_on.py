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
from bgadl_tf.runs.outside import refuse_inside
from bgadl_tf.runs.run_folder import RunFolder
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
        patch.setattr("bgadl_tf.runs.open_run.export_once", lambda *_: None)
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


def test_as_many_rounds_are_made_as_the_pool_has_images_for(
    photos: Path, out: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    few = shutil.copytree(photos, tmp_path / "few")
    run(few, out, 1)
    labelled = {json.loads(line)["id"] for line in (out / "labels.jsonl").read_text().splitlines()}
    for path in sorted(few.rglob("*.png")):
        if path.relative_to(few).as_posix() not in labelled and int(path.stem) < 90:
            path.unlink()
    left = len(run(few, out, 9).rounds) - 1
    assert 1 < left < 9
    assert f"the run ends after round {left}, not 9" in caplog.text
    save_digits(few, rows_of((4, 5, 6), 150, 200))
    assert len(run(few, out, left + 2).rounds) == left + 3


def test_what_is_new_to_a_finished_run_is_said_to_wait(
    photos: Path, out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = json.loads((out / "labels.jsonl").read_text().splitlines()[0])
    other = "six" if first["label"] < 2 else "five"
    with (out / "to_label.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "label"), (first["id"], other)])
    run(photos, out, 1)
    assert "what is new holds from round 2 on; give more --rounds" in caplog.text
    caplog.clear()
    run(photos, out, 1)
    assert "what is new" not in caplog.text


def test_a_forgotten_labels_file_is_refused(photos: Path, tmp_path: Path) -> None:
    labels, out = tmp_path / "labels.csv", tmp_path / "run"
    with labels.open("w", newline="") as file:
        rows = [(path.name, path.parent.name) for path in sorted(photos.rglob("*.png"))]
        csv.writer(file).writerows([("id", "label"), *rows])
    run(photos, out, 0, labels=str(labels))
    before = everything(out)
    with pytest.raises(RunFolderError, match=r"labels was '.*labels.csv', now none"):
        run(photos, out, 1)
    assert everything(out) == before
    assert len(run(photos, out, 1, labels=str(shutil.copy(labels, tmp_path / "b.csv"))).rounds) == 2


def test_a_new_class_with_a_number_for_a_name_is_refused_beside_names(
    photos: Path, out: Path, tmp_path: Path
) -> None:
    grown = shutil.copytree(photos, tmp_path / "grown")
    save_digits(grown, rows_of((7,), 0, 60), folder="7")
    before = everything(out)
    with pytest.raises(ConfigError, match="the new class '7' is called by a number"):
        run(grown, out, 2)
    assert everything(out) == before


def test_files_that_were_all_written_anew_are_those_of_the_run(
    photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy, out = shutil.copytree(photos, tmp_path / "photos"), tmp_path / "run"
    run(copy, out, 0)
    for path in copy.rglob("*.png"):
        Image.open(path).save(path, compress_level=0)
    assert len(run(copy, out, 1).rounds) == 2
    assert "with other contents than before" in caplog.text


def test_rows_that_match_nothing_are_said_to_hold_back_what_is_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root, out = tmp_path / "photos", tmp_path / "run"
    save_digits(root, rows_of((4, 5), 0, 100))
    save_digits(root, rows_of((4, 5), 100, 150), folder="unlabelled")
    outcome = run(root, out, 2, initial_size=None)
    assert outcome.waiting_for is not None
    own = b"id,label\nnobody.png,four\n"
    outcome.waiting_for.write_bytes(own)
    run(root, out, 2, initial_size=None)
    assert outcome.waiting_for.read_bytes() == own
    assert "lacks what is asked now: mend or remove them" in caplog.text


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
