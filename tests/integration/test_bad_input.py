"""Bad input: one line saying how to mend it, exit status 2, nothing written or lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from bgadl_tf.cli import main
from bgadl_tf.engine.snapshot import Snapshot
from bgadl_tf.runs import pictures
from tests.support.repository import REPOSITORY
from tests.support.run_tools import (
    SMALL,
    differences,
    everything,
    final_weights,
    no_export,
    no_pictures,
)

__all__ = ["no_export", "no_pictures"]

BAD_INPUT = 2
Refused = Callable[..., str]


def status_of(out: Path, *flags: str) -> int:
    try:
        return main(["train", *SMALL, "--steps", "5", "--rounds", "1", *flags, "--out", str(out)])
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.fixture
def refused(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Refused:
    """Run, expect a refusal that writes nothing, and return its one line."""

    def refused(*flags: str, out: Path = tmp_path / "run", writes: bool = False) -> str:
        before = everything(tmp_path)
        capfd.readouterr()
        assert status_of(out, *flags) == BAD_INPUT
        if not writes:
            assert everything(tmp_path) == before
        return one_line(capfd.readouterr().err)

    return refused


def one_line(stderr: str) -> str:
    lines = [line.rpartition("\r")[2] for line in stderr.splitlines()]
    ours = [line for line in lines if line.startswith("bgadl")]
    assert "Traceback" not in stderr
    assert len(ours) == 1, stderr
    assert lines[-1] == ours[0], "something follows the message"
    return ours[0]


# Flags


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--dataset nothing", "no dataset is called 'nothing'"),
        (
            "--dataset zip:x",
            "unknown kind of dataset 'zip' in 'zip:x'; known: arrays, digits, embeddings",
        ),
        ("--method best", "unknown method 'best'; known: al-acgan, "),
        ("--learner best --acquisition bald", "unknown learner 'best'; known: "),
        ("--learner plain --acquisition best", "unknown acquisition 'best'; known: aral, "),
        ("--learner plain", "--learner was given without --acquisition"),
        ("--method bald --learner plain", "give either --method or --learner"),
        ("--classifier best", "unknown classifier 'best'; known: "),
        ("--strategy best", "argument --strategy: invalid choice: 'best' (choose from "),
        ("--precision float16", "argument --precision: invalid choice: 'float16'"),
        ("--steps many", "argument --steps: invalid int value: 'many'"),
        ("--steps 0", "--steps is 0; it must be at least 1"),
        ("--steps 99999999999999999999", "it must be at most 2147483647"),
        ("--seed -1", "--seed is -1; it must be at least 0"),
        ("--mc-samples 1", "--mc-samples is 1; it must be at least 2"),
        ("--dropout 1", "--dropout is 1.0; it must be in [0, 1)"),
        ("--dropout nan", "--dropout is nan; it must be in [0, 1)"),
        ("--image-size 0", "--image-size is 0; it must be at least 1"),
        ("--candidates 3", "--candidates is 3, fewer than --query-size 4"),
        ("--cpu-replicas 2", "--strategy is one_device; add --strategy mirrored"),
        ("--unknown 1", "unrecognized arguments: --unknown 1"),
        ("--option width", "--option is 'width'; it must look like NAME=VALUE"),
        ("--option nothing=1", "'nothing' is not a setting of this run; known of vaeacgan: "),
        ("--option width=wide", "--option width is 'wide'; expected a float"),
        ("--option kl_weight=nan", "--option kl_weight is 'nan'; expected a finite number"),
        ("--option keep_generated=perhaps", "is 'perhaps'; expected a bool"),
        ("--option optimizer=best", "unknown optimizer 'best'; known: sgd, adam, adadelta"),
        ("--rounds 400", "the budget is 400 rounds of 4 labels, 1600 in all, but only "),
        ("--initial-size 5000", "--initial-size is 5000, but only "),
        ("--method bald --dropout 0", "possible: badge, balanced_random, base, "),
    ],
)
def test_flags(refused: Refused, flags: str, message: str) -> None:
    assert message in refused(*flags.split())


def test_no_out(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["train"])
    assert "arguments are required: --out" in one_line(capfd.readouterr().err)


def test_a_batch_that_replicas_cannot_share(tmp_path: Path) -> None:
    # A process of its own, as it splits the CPU.
    done = subprocess.run(
        [sys.executable, "scripts/train.py", "--strategy", "mirrored", "--cpu-replicas", "2",
         "--batch-size", "9", "--out", str(tmp_path / "run")],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == BAD_INPUT
    assert "--batch-size is 9, which 2 replicas cannot share evenly" in one_line(done.stderr)
    assert not (tmp_path / "run").exists()


# Folders of images


def images_in(folder: Path, count: int, size: int = 8) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = np.full((size, size), 10 * number, np.uint8)
        Image.fromarray(pixels).save(folder / f"{size}-{number}.png")


def test_folders_of_images(refused: Refused, tmp_path: Path) -> None:
    root = tmp_path / "images"

    def message() -> str:
        return refused("--dataset", f"folder:{root}", "--initial-size", "2")

    assert f"folder {root} does not exist" in message()
    root.mkdir()
    assert f"folder {root} holds no images" in message()
    images_in(root / "cat", 5)
    assert "names 1 class (cat), and a classifier needs at least 2" in message()
    images_in(root / "dog", 5)
    for name in ("x.png", "y.png"):
        (root / "dog" / name).write_bytes(b"no image")
    told = message()
    assert "2 images of" in told
    assert "dog/x.png (not an image)" in told
    assert "16.7% of 12" in told
    assert "--max-unreadable" in told
    for name in ("x.png", "y.png"):
        (root / "dog" / name).unlink()
    images_in(root / "dog", 1, size=9)
    assert "different sizes: cat/8-0.png is 8x8, dog/9-0.png is 9x9 pixels" in message()


# The run folder


@pytest.fixture(scope="module")
def a_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bad_input") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures.Pictures, "draw", lambda *_: None)
        assert status_of(out, "--method", "bald") == 0
    return out


def test_a_run_of_another_configuration(refused: Refused, a_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(a_run, out)
    message = refused("--method", "bald", "--seed", "5", "--mc-samples", "3")
    assert "mc_samples was 2, now 3; seed was 0, now 5; use its settings" in message
    (out / "config.json").write_text("[]")
    assert "config.json is not a JSON object" in refused("--method", "bald")
    (out / "config.json").write_text("{")
    assert "config.json cannot be read" in refused("--method", "bald")


def test_folders_that_are_not_of_a_run(refused: Refused, tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "letters.txt").write_text("dear")
    assert "holds 'letters.txt' but no config.json; it is not a run" in refused("--method", "bald")
    file = tmp_path / "file"
    file.touch()
    assert f"--out {file} is a file; expected a folder" in refused("--method", "bald", out=file)
    assert "file/run: Not a directory" in refused("--method", "bald", out=file / "run")
    long = tmp_path / ("x" * 300)
    assert "File name too long" in refused("--method", "bald", out=long)


def test_a_folder_that_cannot_be_written(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot write to /proc/bgadl" in refused("--method", "bald", out=Path("/proc/bgadl"))

    def read_only(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", read_only)
    message = refused("--method", "bald")
    assert "Permission denied" in message
    assert "run the same command again" in message


def test_two_processes_in_one_folder(refused: Refused, a_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(a_run, out)
    holding = (
        "import fcntl, sys\n"
        "lock = open(sys.argv[1], 'a')\n"
        "fcntl.lockf(lock, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", holding, str(out / ".lock")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert f"another process is working in {out}" in refused("--method", "bald")
        other.communicate("")


def test_a_damaged_ledger(refused: Refused, a_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(a_run, out)
    lines = (out / "labels.jsonl").read_text().splitlines(keepends=True)
    (out / "labels.jsonl").write_text("".join([lines[0], lines[0], *lines[1:]]))
    assert "labels.jsonl, line 2" in refused("--method", "bald")
    (out / "labels.jsonl").write_text("".join([lines[0], "{\n", *lines[1:]]))
    assert "labels.jsonl, line 2 is not JSON" in refused("--method", "bald")


def test_checkpoints_that_are_gone_or_broken(refused: Refused, a_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(a_run, out)
    older, newest = sorted((out / "checkpoints").glob("*.data*"))
    os.truncate(newest, 1000)
    message = refused("--method", "bald")
    assert "2 rounds are finished, but the newest sound checkpoint is of round 0, step 5" in message
    older.unlink()
    assert "no checkpoint can be read: " in refused("--method", "bald")
    shutil.rmtree(out / "checkpoints")
    message = refused("--method", "bald", writes=True)
    assert "the newest sound checkpoint is gone" in message


# A full disk


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("no_pictures", "no_export")
@pytest.mark.parametrize("size", [1000, 1500, 20_000])
def test_a_full_disk(
    a_run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], size: int
) -> None:
    out = tmp_path / "run"
    with largest_file(size):
        status = status_of(out, "--method", "bald")
        written = capfd.readouterr()
    assert status == BAD_INPUT
    message = one_line(written.err)
    assert "cannot write" in message
    assert "File too large" in message
    assert status_of(out, "--method", "bald") == 0
    assert differences(out, a_run) == []


def test_a_disk_that_is_full_when_pictures_are_drawn(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pictures.Pictures, "draw", full)
    assert "No space left on device" in refused("--method", "bald", writes=True)


def test_a_disk_that_is_full_when_tensorboard_writes(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.summary, "scalar", full)
    assert "No space left on device" in refused("--method", "bald", writes=True)


# Divergence


@pytest.mark.usefixtures("no_pictures", "no_export")
def test_losses_that_are_not_finite(refused: Refused, tmp_path: Path) -> None:
    flags = ("--method", "bald", "--option", "learning_rate=1e30")
    message = refused(*flags, writes=True)
    assert "not finite between steps 0 and 5: loss term 'loss', 'classification'" in message
    assert not (tmp_path / "run" / "rounds.jsonl").exists()


@pytest.mark.usefixtures("no_pictures", "no_export")
def test_results_that_are_not_finite(refused: Refused, tmp_path: Path) -> None:
    # The one step's loss is that of the first weights; only the evaluation sees the new ones.
    flags = ("--method", "bald", "--option", "learning_rate=1e30", "--steps", "1")
    message = refused(*flags, writes=True)
    assert "not finite in round 0: 'test_nll'" in message
    assert not (tmp_path / "run" / "rounds.jsonl").exists()


@pytest.mark.usefixtures("no_pictures", "no_export")
def test_the_last_good_checkpoint_is_kept(
    refused: Refused, a_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore, resets = Snapshot.restore, []

    def spoil(snapshot: Snapshot, networks: Any, names: Any, **how: Any) -> None:
        restore(snapshot, networks, names, **how)
        resets.extend(names)
        if len(resets) == 2:  # round 1
            weight = networks["classifier"].trainable_variables[0]
            weight.assign(np.full(weight.shape, np.nan))

    monkeypatch.setattr(Snapshot, "restore", spoil)
    message = refused("--method", "bald", writes=True)
    assert "a weight of network 'classifier'" in message
    assert "the last good checkpoint is kept" in message
    out = tmp_path / "run"
    assert [json.loads(x)["round"] for x in (out / "rounds.jsonl").read_text().splitlines()] == [0]
    assert all(np.isfinite(tensor).all() for tensor in final_weights(out).values())
    # Had it not been for the fault, it would have gone on from there.
    monkeypatch.undo()
    monkeypatch.setattr(pictures.Pictures, "draw", lambda *_: None)
    assert status_of(out, "--method", "bald") == 0
    assert differences(out, a_run) == []
