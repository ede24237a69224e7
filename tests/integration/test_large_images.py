"""Networks from elsewhere at 224 pixels: trained, scored, exported, served, killed and resumed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.datasets
from PIL import Image

from bgadl_tf.serving.client.client import Client
from tests.support.repository import REPOSITORY
from tests.support.run_tools import differences
from tests.support.server_process import serving

pytestmark = pytest.mark.slow

SIZE = 224
BACKBONE = (REPOSITORY / "../shared/backbones/efficientnet_lite0.keras").resolve()
SETTINGS: dict[str, Any] = {
    "method": "bald", "image_size": SIZE, "rounds": 1, "query_size": 2, "initial_size": 4,
    "candidates": 4, "mc_samples": 5, "steps": 2, "batch_size": 8,
}  # fmt: skip
NETWORKS: dict[str, dict[str, Any]] = {
    "MobileNetV3Small": {"classifier": "keras:MobileNetV3Small", "weights": "none"},
    "EfficientNetV2B0": {"classifier": "keras:EfficientNetV2B0", "weights": "none"},
    "ConvNeXtTiny": {"classifier": "keras:ConvNeXtTiny", "weights": "none", "fine_tune": "4"},
    "real": {"classifier": f"model:{BACKBONE}", "pixel_range": "0,255", "fine_tune": "3"},
}
CHILD = """
import json, resource, sys, time
import tensorflow as tf
from bgadl_tf.runs import open_run, pictures, train
from bgadl_tf.runs.config import RunConfig
tf.config.experimental.enable_op_determinism()
pictures.Pictures.draw = lambda *_: None
if sys.argv[3] == "no export":
    open_run.export_once = lambda *_: None
started = time.monotonic()
train.train(RunConfig(**json.loads(sys.argv[1])), sys.argv[2])
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(f"{time.monotonic() - started:.0f} s, {memory:.1f} GiB at most")
"""


def start(settings: dict[str, Any], out: Path, export: str = "no export") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, json.dumps(settings), str(out), export]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> None:
    printed, _ = process.communicate(timeout=1200)
    print(printed)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crops of two photos, a folder each."""
    root = tmp_path_factory.mktemp("photos")
    bunch = sklearn.datasets.load_sample_images()
    rng = np.random.default_rng(0)
    for name, photo in zip(("temple", "flower"), bunch.images, strict=True):
        (root / name).mkdir()
        for number in range(8):
            top, left = (int(rng.integers(0, side - 300)) for side in photo.shape[:2])
            crop = Image.fromarray(photo[top : top + 300, left : left + 280])
            crop.save(root / name / f"{number}.png")
    return root


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_at_224_pixels(name: str, photos: Path, tmp_path: Path) -> None:
    if name == "real" and not BACKBONE.is_file():
        pytest.skip("no backbone at ../shared/backbones")
    settings = {**SETTINGS, **NETWORKS[name], "dataset": f"folder:{photos}"}
    finish(start(settings, tmp_path / "run", "export"))
    longer = {**settings, "rounds": 2}
    finish(start(longer, tmp_path / "run"))

    killed = start(longer, tmp_path / "killed")
    rounds = tmp_path / "killed" / "rounds.jsonl"
    while not rounds.exists() or not rounds.read_text():
        assert killed.poll() is None
        time.sleep(0.1)
    killed.kill()
    killed.communicate()
    assert len(rounds.read_text().splitlines()) < 3
    finish(start(longer, tmp_path / "killed"))
    assert differences(tmp_path / "run", tmp_path / "killed") == []

    # The second round's query was scored by the weights that were exported after the first.
    query = json.loads((tmp_path / "run/queries/round_02.json").read_text())
    models = tmp_path / "run/export/classifier"
    metadata = json.loads((models / "1/assets.extra/metadata.json").read_text())
    files = [(photos / id_).read_bytes() for id_ in query["ids"]]
    flags = f"--model_base_path={models}", "--model_name=it"
    with serving(tmp_path, *flags, seconds=300.0) as server:
        server.wait_for("it", 1)
        with Client(server.rest, "it") as client:
            answer = client.bald(files, seed=metadata["mask_seed"])
    np.testing.assert_allclose(answer.bald, query["scores"], rtol=0, atol=1e-5)
    assert min(query["scores"]) > 0
