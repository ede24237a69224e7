"""Runs in a real tracking store of MLflow."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf import cli
from bgadl_tf.runs.mlflow_tracking import MLflowTracking
from tests.support.run_tools import SMALL, no_export, no_pictures
from tests.support.study.folders import write_run

__all__ = ["no_export", "no_pictures"]

# MLflow's own, of its database.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

RUN = ["train", "--method", "bald", *SMALL, "--steps", "2"]


@pytest.fixture
def store(tmp_path: Path) -> str:
    pytest.importorskip("mlflow", reason="MLflow is not installed (extra mlflow)")
    pytest.importorskip("sqlalchemy", reason="MLflow has no database (extra mlflow)")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def runs_of(store: str) -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=store)
    experiment = client.get_experiment_by_name("bgadl_tf")
    return list(client.search_runs([experiment.experiment_id]))


def history(store: str, run: str, name: str) -> list[tuple[int, float]]:
    from mlflow import MlflowClient

    points = MlflowClient(tracking_uri=store).get_metric_history(run, name)
    return [(point.step, point.value) for point in points]


@pytest.mark.usefixtures("no_pictures", "no_export")
def test_a_run_that_goes_on_is_one_run_with_each_round_once(store: str, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    assert cli.main([*RUN, "--rounds", "1", "--out", out]) == 0  # not tracked yet
    for _ in range(2):
        assert cli.main([*RUN, "--rounds", "2", "--out", out, "--mlflow", store]) == 0
    (run,) = runs_of(store)
    assert run.info.status == "FINISHED"
    assert run.data.params["dataset"] == "digits"
    assert run.data.params["options.learning_rate"] == "0.001"
    points = history(store, run.info.run_id, "test_accuracy")
    assert [labels for labels, _ in points] == sorted({labels for labels, _ in points})
    assert len(points) == 3
    assert run.data.metrics["seconds_train"] > 0


def test_a_store_that_fails_later_stops_no_run(
    store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_run(tmp_path / "run", [0.5, 0.6])
    tracking = MLflowTracking(folder, store)
    (tmp_path / "mlflow.db").write_bytes(b"no database")
    tracking.catch_up()
    assert "cannot track" in caplog.text


@pytest.mark.parametrize("command", ["train", "study"])
def test_without_mlflow_nothing_is_begun(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    page = tmp_path / "study.yaml"
    page.write_text("arms: [random]\nseeds: [0]\nsettings: {dataset: digits, rounds: 1}\n")
    given = [*RUN] if command == "train" else ["study", str(page)]
    assert cli.main([*given, "--out", str(tmp_path / "out"), "--mlflow", "http://localhost:1"]) == 2
    assert "MLflow is not installed; pip install 'bgadl_tf[mlflow]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
