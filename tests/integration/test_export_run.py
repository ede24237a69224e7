"""``bgadl export``, and the export at the end of every run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf import cli
from bgadl_tf.core.errors import ExportError
from bgadl_tf.data.load import load_dataset
from bgadl_tf.export import models
from bgadl_tf.runs.run_folder import RunFolder
from tests.support.run_tools import SMALL, everything, no_pictures
from tests.support.session_model import SessionModel

__all__ = ["no_pictures"]

pytestmark = pytest.mark.usefixtures("no_pictures")

RUN = ["train", *SMALL, "--method", "bald", "--steps", "4"]


def train(out: Path, rounds: int) -> int:
    return cli.main([*RUN, "--rounds", str(rounds), "--out", str(out)])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one query, exported at its end."""
    out = tmp_path_factory.mktemp("runs") / "finished"
    assert train(out, 1) == 0
    return out


def metadata(version: Path) -> dict[str, object]:
    told: dict[str, object] = json.loads((version / "assets.extra/metadata.json").read_text())
    return told


def test_a_finished_run_is_exported_once(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = finished / "export/classifier/1"
    told = metadata(version)
    assert (told["round"], told["step"], told["labelled"]) == (1, 4, 24)
    assert told["class_names"] == [*"0123456789"]
    assert told["image_shape"] == [8, 8, 1]
    assert told["mc_samples"] == 2
    before = everything(finished / "export")
    assert train(finished, 1) == 0
    assert everything(finished / "export") == before
    assert "exported" not in capsys.readouterr().out


def test_a_run_without_an_export_is_exported_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert cli.main([*RUN, "--rounds", "0", "--no-export", "--out", str(out)]) == 0
    assert "exported" not in capsys.readouterr().out
    assert not (out / "export").exists()
    assert train(out, 0) == 0
    assert metadata(out / "export/classifier/1")["round"] == 0


@pytest.mark.parametrize("again", [False, True])
def test_the_export_resizes_as_the_run_did(tmp_path: Path, again: bool) -> None:
    out = tmp_path / "run"
    flags = ["--rounds", "0", "--image-size", "10", "--resize", "pad", "--out", str(out)]
    assert cli.main([*RUN, *flags]) == 0
    if again:
        assert cli.main(["export", str(out)]) == 0
    told = metadata(out / f"export/classifier/{1 + again}")
    assert (told["resize"], told["image_shape"]) == ("pad", [10, 10, 1])


def test_the_score_of_a_query_can_be_replayed_at_the_served_model(
    finished: Path, tmp_path: Path
) -> None:
    """The same run, stopped before its query: its model is the one the query was made with."""
    assert train(tmp_path / "run", 0) == 0
    version = tmp_path / "run/export/classifier/1"
    query = json.loads((finished / "queries/round_01.json").read_text())
    assert metadata(version)["mask_seed"] == query["mask_seed"]
    images = load_dataset("digits").train.examples_of(query["ids"])
    seeds = np.full(len(images), query["mask_seed"])
    replayed = SessionModel(version)("bald_seeded", images=images, seed=seeds)["bald"]
    np.testing.assert_allclose(replayed, query["scores"], atol=1e-5)


def test_the_command_exports_the_newest_weights_and_touches_nothing_else(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(finished)
    with RunFolder(finished).opened(RunFolder(finished).config(), {}):  # as if training elsewhere
        assert cli.main(["export", str(finished), "--out", str(tmp_path / "out")]) == 0
    assert everything(finished) == before
    told = capsys.readouterr().out
    assert "exported as version 1: the weights of round 1, step 4, from 24 labels" in told
    assert f"{tmp_path}/out/classifier/1: serving_default, bald, bald_seeded" in told
    assert f"--model_base_path={tmp_path}/out/classifier" in told
    images = load_dataset("digits").train.examples[:5]
    first, second = (
        SessionModel(folder / "classifier/1")("serving_default", images=images)["probabilities"]
        for folder in (finished / "export", tmp_path / "out")
    )
    np.testing.assert_array_equal(first, second)


def test_a_run_outlives_an_export_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise ExportError("no server could serve it")

    monkeypatch.setattr(models, "verify", refuse)
    assert train(tmp_path / "run", 0) == 2
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line == (
        "bgadl: the run is finished, but no server could serve it; "
        f"'bgadl export {tmp_path}/run' tries again"
    )
    assert len((tmp_path / "run/rounds.jsonl").read_text().splitlines()) == 1
    assert not list((tmp_path / "run/export").glob("*/*"))
    monkeypatch.undo()
    assert train(tmp_path / "run", 0) == 0
    assert (tmp_path / "run/export/classifier/1/saved_model.pb").exists()


def no_folder(path: Path) -> str:
    return "config.json cannot be read"


def no_shape(path: Path) -> str:
    (path / "config.json").write_text('{"learner": "plain"}')
    return "lacks class_names, classifier, options; expected that of a run of this version"


def no_checkpoint(path: Path) -> str:
    settings = {"learner": "plain", "classifier": "lenet", "image_shape": [8, 8, 1],
                "class_names": ["a", "b"], "dropout": None, "precision": "float32",
                "options": {}}  # fmt: skip
    (path / "config.json").write_text(json.dumps(settings))
    return "has no checkpoint yet; train for a round first"


@pytest.mark.parametrize("spoil", [no_folder, no_shape, no_checkpoint])
def test_what_cannot_be_exported_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], str]
) -> None:
    expected = spoil(tmp_path)
    before = everything(tmp_path)
    assert cli.main(["export", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("bgadl: ")
    assert expected in line
    assert everything(tmp_path) == before


def test_a_folder_that_cannot_be_written_is_one_line(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert cli.main(["export", str(finished), "--out", str(tmp_path / "file")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"bgadl: cannot export to {tmp_path}/file: ")
