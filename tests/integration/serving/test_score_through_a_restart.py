"""A ranking outlives the server: killed and started again, every image is scored once."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

from bgadl_tf.export.models import export_models
from tests.support.examples import some_images
from tests.support.learners import small_learner
from tests.support.repository import REPOSITORY
from tests.support.server_process import PATIENCE, free_ports, listens

COUNT = 600


def started(models: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "bgadl_tf.serving", "--port=0", f"--rest_api_port={port}",
        "--model_name=classifier", f"--model_base_path={models}",
    ]  # fmt: skip
    with log.open("ab") as file:
        return subprocess.Popen(command, stderr=file, cwd=REPOSITORY)


def until_listening(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while not listens(port):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def scored(work_file: Path) -> int:
    return work_file.read_bytes().count(b"\n") if work_file.exists() else 0


def test_every_image_is_scored_once(tmp_path: Path) -> None:
    export_models(small_learner("plain"), tmp_path, mc_samples=5)
    images = tmp_path / "images"
    images.mkdir()
    for number, image in enumerate(some_images(COUNT, (8, 8, 1))):
        Image.fromarray(image[:, :, 0]).save(images / f"{number:03d}.png")
    (port,), log, out = free_ports(1), tmp_path / "log", tmp_path / "ranked.csv"
    server = started(tmp_path / "classifier", port, log)
    until_listening(port)
    command = [
        sys.executable, "scripts/score.py", str(images), "--server", f"http://127.0.0.1:{port}",
        "--seed", "3", "--batch-size", "1", "--in-flight", "2", "--out", str(out),
    ]  # fmt: skip
    try:
        ranking = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL)
        while scored(out.with_name("ranked.csv.partial")) < 50:
            assert ranking.poll() is None
            time.sleep(0.01)
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        assert ranking.poll() is None
        assert scored(out.with_name("ranked.csv.partial")) < COUNT
        server = started(tmp_path / "classifier", port, log)
        assert ranking.wait(PATIENCE) == 0
    finally:
        server.terminate()
        server.wait(PATIENCE)
    with out.open() as file:
        rows = [*csv.DictReader(file)]
    assert sorted(row["id"] for row in rows) == [f"{number:03d}.png" for number in range(COUNT)]
    assert {row["seed"] for row in rows} == {"3"}
