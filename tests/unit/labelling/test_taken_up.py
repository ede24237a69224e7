"""A run is taken up by whoever labels, and its images are shown as they are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bgadl_tf.core.errors import DataError, RunFolderError
from bgadl_tf.labelling.originals import Originals
from bgadl_tf.labelling.taken_up import taken_up
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.open_run import open_run
from tests.support import image_files
from tests.support.labelling import begin, right


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Waits for labels; not to be changed."""
    return begin(tmp_path_factory.mktemp("labelling"))


def test_a_run_goes_on_under_its_own_settings(run: Path) -> None:
    before = (run / "config.json").read_bytes()
    with taken_up(run, rounds=5) as opened:
        assert opened.loop.plan.rounds == 5
        assert opened.loop.dataset.class_names == ("zero", "one", "two")
        assert len(opened.loop.ask().ids) == 6
    with taken_up(run, rounds=2) as opened:
        assert opened.loop.plan.rounds == 2
    assert (run / "config.json").read_bytes() == before


def test_what_was_written_meanwhile_is_taken(tmp_path: Path) -> None:
    run = begin(tmp_path)
    file = run / "to_label.csv"
    header, *lines = file.read_text().splitlines()
    id_ = lines[0].rstrip(",")
    file.write_text("\n".join([header, f"{id_},{right(id_)}", *lines[1:]]) + "\n")
    with taken_up(run) as opened:
        assert opened.loop.pool.labelled_ids == (id_,)
        opened.add_class("three")
        assert opened.loop.dataset.class_names[-1] == "three"
        # Else its first figure with an example of the class would end the round.
        assert opened.pictures.dataset.class_names[-1] == "three"
    with taken_up(run) as opened:
        assert opened.loop.dataset.class_names[-1] == "three"


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(RunFolderError, match="is the folder of no run; begin one: bgadl train"):
            taken_up(folder).__enter__()
    assert not (tmp_path / "none").exists()


def test_images_are_shown_as_their_files_are(tmp_path: Path) -> None:
    run = begin(tmp_path)
    folder = tmp_path / "photos" / "unlabelled"
    first, second, third, *_ = sorted(folder.iterdir())
    jpeg = image_files.turned("JPEG", 6)
    first.write_bytes(jpeg)
    second.write_bytes(image_files.file(image_files.PICTURE, "TIFF"))
    with taken_up(run) as opened:
        originals = Originals(opened)
        assert originals.of(f"unlabelled/{first.name}") == (jpeg, "image/jpeg")
        content, media_type = originals.of(f"unlabelled/{second.name}")
        assert media_type == "image/png"
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), image_files.COLOUR)
        third.unlink()
        with pytest.raises(DataError, match="cannot be shown: No such file"):
            originals.of(f"unlabelled/{third.name}")
        with pytest.raises(DataError, match="no example of the pool is called"):
            originals.of("../run/config.json")


def test_other_images_are_shown_as_they_are_learnt_from(tmp_path: Path) -> None:
    config = RunConfig(dataset="digits", method="random", classifier="lenet", steps=2)
    with open_run(config, tmp_path / "run") as opened:
        id_ = opened.loop.ask().ids[0]
        content, _ = Originals(opened).of(id_)
        shown = np.asarray(Image.open(io.BytesIO(content)))
        assert np.array_equal(shown, opened.loop.examples.of([id_])[0, ..., 0])
