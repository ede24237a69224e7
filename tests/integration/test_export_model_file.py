"""``bgadl export --model FILE.keras``: SavedModels with BALD of a network trained elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.cli import main
from bgadl_tf.models.pretrained import files
from bgadl_tf.serving.client.client import Client
from bgadl_tf.serving.local.transport import LocalTransport
from tests.support.examples import some_vectors
from tests.support.model_files import saved, vector_model
from tests.support.session_model import SessionModel


def test_a_model_of_vectors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, names, out = vector_model(), tmp_path / "names.txt", tmp_path / "export"
    path = saved(model, tmp_path / "vectors.keras")
    names.write_text("no\nyes\n")
    flags = ["--dropout", "0.5", "--mc-samples", "64", "--class-names", str(names)]
    command = ["export", "--model", str(path), "--out", str(out), *flags]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert f"exported as version 1: model:{path}" in printed
    folder = out / "classifier/1"
    assert f"{folder}: serving_default, bald, bald_seeded, metadata" in printed

    vectors = some_vectors(200)
    yes = np.asarray(model(vectors))[:, 0]
    served = SessionModel(folder)
    answer = served("serving_default", features=vectors)
    np.testing.assert_allclose(answer["probabilities"][:, 1], yes, atol=1e-5)
    seeded = served("bald_seeded", features=vectors, seed=np.full(200, 3))
    assert (seeded["bald"] > 0).mean() > 0.9

    with Client(LocalTransport(folder, "vectors")) as client:
        assert client.class_names == ("no", "yes")
        assert client.metadata["model_digest"] == files.digest(path)
        assert client.metadata["classifier"] == f"model:{path}"
        assert client.metadata["mc_samples"] == 64
        assert client.metadata["dropout_rates"] == [0.5]
        inputs = {"features": vectors, "seed": np.full(200, 3)}
        np.testing.assert_array_equal(client.predict("bald_seeded", inputs)["bald"], seeded["bald"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "give either a RUN or --model FILE.keras"),
        (["runs/x", "--model", "x.keras"], "give either a RUN or --model FILE.keras"),
        (["--model", "x.keras"], "--model needs --out FOLDER"),
        (["--model", "classifier", "--out", "y"], "--model is 'classifier'; expected a file"),
        (["--model", "x.keras", "--out", "y"], "model x.keras cannot be read: No such file"),
        (["runs/x", "--dropout", "0.5"], "--dropout: only a model in a file"),
    ],
    ids=" ".join,
)
def test_what_does_not_fit_is_one_line(
    flags: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", *flags]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not [*tmp_path.iterdir()]
