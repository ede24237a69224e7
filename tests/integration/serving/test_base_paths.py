"""Base paths that hold no version: said at the start, once, and to whoever asks."""

from __future__ import annotations

import time
from pathlib import Path

import grpc
import pytest
from tensorflow_serving.apis import get_model_status_pb2, predict_pb2

from tests.support.saved_models import half_plus
from tests.support.server_process import serving, write_config

POLL = "--file_system_poll_wait_seconds=0.05"


def test_a_version_folder_as_base_path(tmp_path: Path) -> None:
    version = half_plus(2, tmp_path / "run/export/half/1")
    with serving(
        tmp_path / "log", f"--model_base_path={version}", "--model_name=half", POLL
    ) as server:
        why = "is a version folder; the base path is the folder above: "
        assert f"model half: nothing to serve: {version} {why}{version.parent}\n" in server.log
        answer = server.get("/models/half")
        assert answer.status_code == 404
        assert answer.json() == {
            "error": f"Could not find any versions of model half; half/1 {why}half"
        }
        answer = server.post("/models/half:predict", {"instances": [1.0]})
        assert answer.status_code == 404
        assert answer.json()["error"] == (
            f"Servable not found for request: Latest(half); half/1 {why}half"
        )
        status = get_model_status_pb2.GetModelStatusRequest()
        predict = predict_pb2.PredictRequest()
        for method, request in (
            (server.models.GetModelStatus, status),
            (server.prediction.Predict, predict),
        ):
            request.model_spec.name = "half"
            with pytest.raises(grpc.RpcError) as caught:
                method(request, timeout=30)
            assert caught.value.code() == grpc.StatusCode.NOT_FOUND
            assert caught.value.details().endswith(f"; half/1 {why}half")
        time.sleep(0.5)
        assert server.log.count(why) == 1


def test_bad_paths_of_a_configuration_do_not_hinder_the_good_one(tmp_path: Path) -> None:
    half_plus(2, tmp_path / "run/export/classifier/1")
    half_plus(2, tmp_path / "bare")
    (tmp_path / "run/config.json").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "words/latest").mkdir(parents=True)
    (tmp_path / "model.keras").touch()
    expected = {
        "run": f"{tmp_path}/run is a run folder; the base path of one model in it is "
        f"{tmp_path}/run/export/classifier",
        "run/export": f"is an export folder; .* {tmp_path}/run/export/classifier",
        "bare": f"{tmp_path}/bare holds a SavedModel itself; move it into a folder",
        "empty": f"{tmp_path}/empty is empty",
        "words": "is named by a number",
        "model.keras": "model.keras is a Keras file",
        "none": f"the base path {tmp_path}/none does not exist",
    }
    bases = {f"m{number}": tmp_path / name for number, name in enumerate(expected)}
    config = write_config(
        tmp_path / "models.config", {**bases, "good": tmp_path / "run/export/classifier"}
    )
    with serving(tmp_path / "log", f"--model_config_file={config}", POLL) as server:
        server.wait_for("good", 1)
        lines = [line for line in server.log.splitlines() if "nothing to serve" in line]
        assert len(lines) == len(expected)
        for line, name, why in zip(lines, bases, expected.values(), strict=True):
            assert f"model {name}: " in line
            assert why.partition(" .* ")[0] in line
            assert why.rpartition(" .* ")[2] in line
        assert server.ask("good", {"instances": [1.0]}) == {"predictions": [2.5]}
