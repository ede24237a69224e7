"""Runs in the features of a backbone: what is kept, taken up again, exported and refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from bgadl_tf import cli
from bgadl_tf.data.load import load_dataset
from bgadl_tf.data.projection import Projection
from bgadl_tf.runs import pictures
from bgadl_tf.runs.build import build
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.run_folder import RunFolder
from tests.support.embedded import tiny_backbone
from tests.support.run_tools import SMALL, no_pictures
from tests.support.session_model import SessionModel
from tests.support.small_datasets import write_embeddings

__all__ = ["no_pictures"]

pytestmark = pytest.mark.usefixtures("no_pictures")

SMALL_IN_FEATURES = [*SMALL[2:], "--steps", "4"]


class Home:
    """A backbone, the folder of its features, and runs that share them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.backbone = tiny_backbone(folder / "tiny.keras", (8, 8, 1))
        self.kept = folder / "kept"

    def train(self, name: str, *flags: str, rounds: int = 1) -> int:
        return cli.main([
            "train", *SMALL_IN_FEATURES, "--backbone", f"model:{self.backbone}",
            "--pixel-range", "0,255", "--embeddings", str(self.kept), "--rounds", str(rounds),
            "--out", str(self.folder / name), *flags,
        ])  # fmt: skip

    def config(self, name: str) -> dict[str, Any]:
        return RunFolder(self.folder / name).config()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("features"))
    flags = ("--method", "bald", "--components", "8", "--store", "float32")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures.Pictures, "draw", lambda *_: None)
        assert home.train("stopped", *flags, rounds=0) == 0
        assert home.train("finished", *flags) == 0
    return home


def scores_of(version: Path, query: dict[str, Any]) -> np.ndarray:
    images = load_dataset("digits").train.examples_of(query["ids"])
    seeds = np.full(len(images), query["mask_seed"])
    return SessionModel(version)("bald_seeded", images=images, seed=seeds)["bald"]


def test_a_query_in_features_is_replayed_at_a_model_that_sees_images(home: Home) -> None:
    query = json.loads((home.folder / "finished/queries/round_01.json").read_text())
    found = scores_of(home.folder / "stopped/export/classifier/1", query)
    np.testing.assert_allclose(found, query["scores"], rtol=0, atol=1e-5)
    config = home.config("finished")
    assert (config["example_shape"], config["image_shape"]) == ([8], [8, 8, 1])
    assert (config["classifier"], config["scaling"], config["components"]) == ("mlp", "standard", 8)


def test_the_projection_is_fitted_once_a_run(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    config = RunConfig.from_json({
        key: value for key, value in home.config("finished").items()
        if key in {*RunConfig.__dataclass_fields__} - {"options", "learner", "acquisition"}
    })  # fmt: skip
    kept = RunFolder(home.folder / "finished").journal.kept(0, "projection")
    assert kept is not None

    def fit(*_: Any) -> Projection:
        raise AssertionError("fitted again")

    monkeypatch.setattr(Projection, "fit", fit)
    setup = build(config, RunFolder(home.folder / "finished"))
    assert setup.dataset.projection is not None
    np.testing.assert_array_equal(setup.dataset.projection.weights, kept["weights"])


def test_a_run_is_exported_while_its_backbone_can_be_had(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = home.folder / "finished"
    query = json.loads((run / "queries/round_01.json").read_text())
    expected = scores_of(run / "export/classifier/1", query)
    shutil.move(home.kept, tmp_path / "away")
    try:
        assert cli.main(["export", str(run), "--out", str(tmp_path / "again")]) == 0
        again = scores_of(tmp_path / "again/classifier/1", query)
        np.testing.assert_array_equal(again, expected)
        # Neither the kept one nor the same under the old name.
        backup = home.backbone.read_bytes()
        tiny_backbone(home.backbone, (8, 8, 1), seed=1)
        assert cli.main(["export", str(run), "--out", str(tmp_path / "other")]) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert "is another one by now" in error
        assert not (tmp_path / "other").exists()
        home.backbone.write_bytes(backup)
    finally:
        shutil.move(tmp_path / "away", home.kept)


def test_a_run_of_before_features_were_scaled_goes_on_with_raw_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["train", *SMALL_IN_FEATURES, *write_embeddings(tmp_path / "vectors")]
    flags += ["--method", "bald", "--out", str(tmp_path / "run")]
    assert cli.main([*flags, "--rounds", "0", "--scaling", "none"]) == 0
    path = tmp_path / "run/config.json"
    config = json.loads(path.read_text())
    for newer in ("scaling", "components", "backbone", "views", "store", "embeddings", "part"):
        del config[newer]
    path.write_text(json.dumps(config))
    assert cli.main([*flags, "--rounds", "1"]) == 0
    assert not (tmp_path / "run/arrays/projection").exists()
    vectors = load_dataset(flags[flags.index("--dataset") + 1]).train
    query = json.loads((tmp_path / "run/queries/round_01.json").read_text())
    answer = SessionModel(tmp_path / "run/export/classifier/1")(
        "bald_seeded",
        features=vectors.examples_of(query["ids"]),
        seed=np.full(len(query["ids"]), query["mask_seed"]),
    )
    np.testing.assert_allclose(answer["bald"], query["scores"], rtol=0, atol=1e-5)
    # What it was begun with stays: it is not scaled on request.
    capsys.readouterr()
    assert cli.main([*flags, "--rounds", "1", "--scaling", "standard"]) == 2
    assert "scaling was 'none', now 'standard'" in capsys.readouterr().err


def test_views_are_trained_on(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    assert home.train("views", "--method", "al-pmda", "--views", "2", rounds=1) == 0
    assert home.config("views")["views"] == 2
    assert "learns from none" not in caplog.text
    assert home.train("unused", "--method", "random", "--views", "2", rounds=0) == 0
    assert "--views is 2, but learner 'plain' learns from none" in caplog.text


def test_what_cannot_be_is_refused_before_any_feature_is_computed(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taker = tmp_path / "vectors.keras"
    keras.Sequential([keras.Input((16,)), keras.layers.Dense(10)]).save(taker)
    for flags, reason in (
        (("--method", "al-pmda"), "'pmda' learns from views .* give --views 4 or so"),
        (("--method", "al-pmda", "--classifier", f"model:{taker}"), "PMDA learns from views"),
        (("--method", "bald", "--dropout", "0"), "'bald' needs MCDropout"),
        (("--method", "bald", "--classifier", "lenet"), "lenet takes images, .* use mlp"),
        (("--method", "bald", "--components", "17"), "--components is 17, .* expected 1 to 16"),
        (
            ("--learner", "simsiam", "--acquisition", "bald"),
            "'simsiam' would be given features: .* use another",
        ),
    ):
        assert home.train("refused", *flags, "--embeddings", str(home.folder / "no")) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
        assert re.search(reason, line), line
        assert not (home.folder / "refused").exists()
        assert not (home.folder / "no").exists()


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--components", "4"), "components was 8, now 4"),
        (("--seed", "1"), "seed was 0, now 1"),
        (("--views", "2"), "views was 0, now 2"),
        (("--dropout", "0.25"), "dropout was None, now 0.25"),
    ],
)
def test_another_configuration_is_refused_before_any_feature_is_computed(
    flags: tuple[str, ...], reason: str, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    no = ("--embeddings", str(home.folder / "no"))
    begun = ("--method", "bald", "--components", "8", "--store", "float32")
    assert home.train("finished", *begun, *flags, *no) == 2
    assert reason in capsys.readouterr().err.strip().splitlines()[-1]
    assert not (home.folder / "no").exists()
