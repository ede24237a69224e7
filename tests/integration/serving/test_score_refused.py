"""``bgadl score`` and a real server with models that cannot score."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import pytest
from PIL import Image

from bgadl_tf.cli import main
from bgadl_tf.export.models import export_models
from tests.support.examples import some_images
from tests.support.learners import small_learner
from tests.support.server_process import ServerProcess, serving, write_config


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Serves what a run exports, a model of Keras, and a folder one too deep."""
    folder = tmp_path_factory.mktemp("refused")
    export_models(small_learner("vaeacgan"), folder, mc_samples=2)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    model.export(folder / "plain/1", verbose=False)
    names = ("classifier", "generator", "plain")
    bases = {**{name: folder / name for name in names}, "deep": folder / "classifier/1"}
    config = write_config(folder / "models.config", bases)
    with serving(folder / "log", f"--model_config_file={config}") as server:
        server.wait_for("plain", 1)
        yield server


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for number, image in enumerate(some_images(3, (8, 8, 1))):
        Image.fromarray(image[:, :, 0]).save(folder / f"{number}.png")
    return folder


@pytest.mark.parametrize("protocol", ["REST", "gRPC"])
@pytest.mark.parametrize(
    ("model", "messages"),
    [
        (
            "plain",
            [
                "has no signature 'bald_bytes_seeded'; it has serve, serving_default: it is a ",
                "model without BALD scores; serve one that 'bgadl export RUN' wrote",
            ],
        ),
        ("generator", ["; it has augment, metadata, serving_default: it is a generator; name"]),
        ("birds", ["Could not find any versions of model birds (", "is 'birds' the name it is"]),
        ("deep", ["classifier/1 is a version folder; the base path is the folder above"]),
    ],
)
def test_one_line_and_nothing_left(
    server: ServerProcess,
    images: Path,
    capsys: pytest.CaptureFixture[str],
    protocol: str,
    model: str,
    messages: list[str],
) -> None:
    address = server.rest if protocol == "REST" else f"grpc://{server.grpc_address}"
    out = images.parent / "scores.csv"
    command = ["score", str(images), "--server", address, "--out", str(out), "--model"]
    assert main([*command, model]) == 2
    lines = [line.rpartition("\r")[2] for line in capsys.readouterr().err.splitlines()]
    (line,) = [line for line in lines if line.startswith("bgadl")]
    assert all(message in line for message in messages), line
    assert "again" not in line
    assert [*images.parent.iterdir()] == [images]
    assert main([*command, "classifier"]) == 0


@pytest.mark.parametrize("protocol", ["REST", "gRPC"])
def test_a_port_of_the_other_protocol_is_not_waited_for(
    server: ServerProcess, images: Path, capsys: pytest.CaptureFixture[str], protocol: str
) -> None:
    grpc = f"grpc://{server.grpc_address}"
    wrong, right = (grpc.replace("grpc", "http"), grpc)
    if protocol == "gRPC":
        wrong, right = (server.rest.replace("http", "grpc"), server.rest)
    out = images.parent / "scores.csv"
    assert main(["score", str(images), "--server", wrong, "--out", str(out)]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert f"{wrong} does not speak" in line
    assert line.endswith(f"write {right}")
