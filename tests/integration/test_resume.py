"""A run that is killed and started again ends as one that never was."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition.query import Query
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.loop import checkpoints
from bgadl_tf.loop.oracles.held_back import HeldBackLabels
from bgadl_tf.runs import open_run, pictures
from bgadl_tf.runs import train as train_module
from bgadl_tf.runs.build import Setup, build
from bgadl_tf.runs.config import RunConfig
from tests.support.repository import REPOSITORY
from tests.support.run_tools import (
    SMALL,
    differences,
    everything,
    forget,
    watching,
)

WRITERS = {
    "durable.py", "ledger.py", "run_folder.py", "folder_journal.py", "checkpoints.py",
    "active_learner.py", "fitting.py",
    "checkpoint_management.py", "functional_saver.py",  # TensorFlow's
}  # fmt: skip
"""Source files whose lines write into a run folder."""

METHODS = {
    "bgadl": {"method": "bgadl", "options": ("width=0.1", "latent_dim=5", "keep_generated=true")},
    "warm-start": {"method": "bald", "warm_start": True},
    # A teacher, and the classifier of the round before.
    "tod": {"learner": "tod", "acquisition": "tod"},
    # A stage before the first query, which looks at what it has learnt.
    "simsiam": {
        "learner": "simsiam",
        "acquisition": "coreset",
        "options": ("pretext_steps=4", "projection_dim=8", "coreset.initial=true"),
    },
    # A network of the acquisition's own that is remembered.
    "pt4al": {
        "learner": "plain",
        "acquisition": "pt4al",
        "options": ("pt4al.steps=4", "pt4al.batches=3"),
    },
    # Synthesised examples, by a generator that is remembered; the network that labels them is kept.
    "gaal": {
        "learner": "svm",
        "acquisition": "gaal",
        "options": ("gaal.steps=4", "gaal.width=0.1", "gaal.latent_dim=5", "gaal.descents=3"),
        "oracle_steps": 4,
    },
}


class Run(NamedTuple):
    """A finished run, and its folder at every moment at which it was another on disk."""

    config: RunConfig
    setup: Setup
    finished: Path
    photographs: list[Path]

    def go_on(self, folder: Path) -> None:
        forget(self.setup)
        train_module.train(self.config, folder)


SLOW = ("tod", "pt4al", "gaal", "simsiam")


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in METHODS],
)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    config = RunConfig(
        **METHODS[request.param], classifier="lenet", rounds=2, query_size=4, initial_size=20,
        candidates=40, mc_samples=2, steps=4, batch_size=8,
    )  # fmt: skip
    root = tmp_path_factory.mktemp(request.param)
    tf.config.experimental.enable_op_determinism()
    with pytest.MonkeyPatch.context() as patch:
        setup = build(config)
        # One setup serves every restart: what it remembers is spoilt each time.
        patch.setattr(open_run, "build", lambda *_: setup)
        patch.setattr(pictures.Pictures, "draw", lambda *_: None)
        patch.setattr(open_run, "export_once", lambda *_: None)
        # A checkpoint in the middle of every round.
        patch.setattr(Trainer, "train", functools.partialmethod(Trainer.train, report_every=2))
        patch.setattr(checkpoints, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
        finished, again, photographs = root / "finished", root / "again", []
        seen: object = None

        def look() -> None:
            nonlocal seen
            now = _state(again)
            if now and now != seen:
                seen = now
                photographs.append(root / "photographs" / f"{len(photographs):03}")
                shutil.copytree(again, photographs[-1])

        result = Run(config, setup, finished, photographs)
        result.go_on(finished)
        with watching(WRITERS, look):
            result.go_on(again)
        assert differences(again, finished) == []
        yield result


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_ino)
        for path in folder.rglob("*")
        if "tfevents" not in path.name
    }


def test_the_photographs_show_every_kind_of_moment(run: Run) -> None:
    def some(condition: Callable[[Path], object]) -> bool:
        return any(condition(photograph) for photograph in run.photographs)

    assert len(run.photographs) > 40
    assert some(lambda p: not (p / "config.json").exists())
    assert some(lambda p: list(p.glob("queries/.*.tmp")))
    assert some(lambda p: list(p.glob("checkpoints/*_temp")))
    assert some(lambda p: len(list(p.glob("checkpoints/*.index"))) == 3)
    assert some(lambda p: (p / "labels.jsonl").exists() and not (p / "rounds.jsonl").exists())
    if run.config.method == "bgadl":
        assert some(lambda p: list(p.glob("arrays/further/.*.tmp")))


def test_killed_at_any_moment_it_ends_the_same(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some of the moments: the slow test below takes every one.
    step = 12 if run.config.method == "bgadl" else 8
    go_on_from(run, run.photographs[::step], tmp_path, monkeypatch)


@pytest.mark.slow
def test_killed_at_every_moment_it_ends_the_same(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on_from(run, run.photographs, tmp_path, monkeypatch)


def go_on_from(
    run: Run, photographs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = HeldBackLabels.answer
    asked: list[str] = []

    def listen(oracle: HeldBackLabels, query: Query, examples: ExampleSource) -> object:
        asked.extend(query.ids)
        return answer(oracle, query, examples)

    monkeypatch.setattr(HeldBackLabels, "answer", listen)
    everyone = _labelled(run.finished)
    wrong = {}
    for photograph in photographs:
        folder = tmp_path / photograph.name
        shutil.copytree(photograph, folder)
        asked.clear()
        run.go_on(folder)
        problems = differences(folder, run.finished)
        if sorted([*_labelled(photograph), *asked]) != sorted(everyone):
            problems.append("asked twice, or not at all")
        if left := [*folder.rglob("*.tmp"), *folder.rglob("*_temp")]:
            problems.append(f"left behind: {left}")
        if problems:
            wrong[photograph.name] = problems
        shutil.rmtree(folder)
    assert not wrong


def _labelled(folder: Path) -> list[str]:
    return [json.loads(line)["id"] for line in _lines(folder / "labels.jsonl")]


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize("cut", [1, 30, 200])
@pytest.mark.parametrize("name", ["labels.jsonl", "rounds.jsonl"])
def test_a_file_cut_short_is_mended(run: Run, tmp_path: Path, name: str, cut: int) -> None:
    with_two_rounds = [p for p in run.photographs if (p / "queries" / "round_02.json").exists()]
    for start in (with_two_rounds[0], run.finished):
        folder = tmp_path / start.name
        shutil.copytree(start, folder)
        os.truncate(folder / name, (folder / name).stat().st_size - cut)
        run.go_on(folder)
        assert differences(folder, run.finished) == []


def test_a_checkpoint_a_power_cut_has_spoilt_is_passed_over(run: Run, tmp_path: Path) -> None:
    unfinished = [p for p in run.photographs if len(_lines(p / "rounds.jsonl")) == 2]
    folder = tmp_path / "run"
    shutil.copytree(unfinished[-1], folder)
    _, newest = sorted((folder / "checkpoints").glob("*.data*"))
    os.truncate(newest, 1000)
    run.go_on(folder)
    assert differences(folder, run.finished) == []


def test_a_finished_run_is_left_alone(run: Run) -> None:
    before = everything(run.finished)
    run.go_on(run.finished)
    assert everything(run.finished) == before


# The same with processes and kill -9


BGADL = ("--method", "bgadl", "--option", "width=0.1")


def command(out: Path, *more: str) -> list[str]:
    arm = () if "--learner" in more else BGADL
    return [
        sys.executable, "-m", "bgadl_tf.cli", "train", *arm, *SMALL,
        "--rounds", "3", "--steps", "10", *more, "--out", str(out),
    ]  # fmt: skip


def start(out: Path, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(out, *more),
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def finish(out: Path, *more: str) -> None:
    process = start(out, *more)
    assert process.wait(timeout=300) == 0


def kill_when(condition: Callable[[], bool], out: Path, *more: str) -> None:
    process = start(out, *more)
    while not condition():
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.fixture(scope="module")
def unkilled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("unkilled") / "run"
    finish(out)
    return out


def test_processes_killed_when_files_appear(unkilled: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    for name in ("checkpoints/ckpt-1.index", "arrays/further/round_02.npz"):
        kill_when((out / name).exists, out)
    finish(out)
    assert differences(out, unkilled) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "config.json", "queries/round_00.json", "labels.jsonl", "checkpoints/checkpoint",
        "rounds.jsonl",
        "queries/round_01.json", "arrays/further/round_01.npz", "figures/learning_curve.png",
        "checkpoints/ckpt-4.data-00000-of-00001",
    ],
)  # fmt: skip
def test_a_process_killed_when_a_file_appears(unkilled: Path, tmp_path: Path, name: str) -> None:
    kill_when((tmp_path / "run" / name).exists, tmp_path / "run")
    finish(tmp_path / "run")
    assert differences(tmp_path / "run", unkilled) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_processes_killed_at_random_times(unkilled: Path, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    out, begun = tmp_path / "run", time.monotonic()
    finish(tmp_path / "measured")
    lasts = time.monotonic() - begun
    for delay in rng.uniform(0.3 * lasts, lasts, size=4):
        process = start(out)
        time.sleep(delay)
        process.kill()
        process.wait()
    finish(out)
    assert differences(out, unkilled) == []


@pytest.mark.slow
@pytest.mark.parametrize("options", ["mcdal.steps=1500", "vaal.steps=150", "dal.epochs=60"])
def test_a_process_killed_while_an_acquisition_trains(options: str, tmp_path: Path) -> None:
    name = options.partition(".")[0]
    flags = ("--learner", "plain", "--acquisition", name, "--option", options)
    finish(tmp_path / "unkilled", *flags)
    out = tmp_path / "run"
    for round_ in (1, 2):

        def trains(round_: int = round_) -> bool:
            rounds = _lines(out / "rounds.jsonl")
            return len(rounds) == round_ and not time.sleep(0.5)

        kill_when(trains, out, *flags)
        assert not (out / "queries" / f"round_{round_:02}.json").exists()
    finish(out, *flags)
    assert differences(out, tmp_path / "unkilled") == []


@pytest.mark.slow
def test_a_process_killed_while_a_generator_trains_and_while_an_oracle_does(
    tmp_path: Path,
) -> None:
    flags = (
        "--learner", "svm", "--acquisition", "gaal", "--option", "gaal.steps=600",
        "--option", "gaal.width=0.2", "--oracle-steps", "600",
    )  # fmt: skip
    finish(tmp_path / "unkilled", *flags)
    out = tmp_path / "run"
    # G is trained for the first query, the network that labels what it asks after that.
    for begins, ends in (
        ("rounds.jsonl", "arrays/remembered_gaal/round_00.npz"),
        ("queries/round_01.json", "arrays/oracle_network/round_00.npz"),
    ):

        def trains(begins: str = begins) -> bool:
            return (out / begins).exists() and not time.sleep(0.5)

        kill_when(trains, out, *flags)
        assert not (out / ends).exists()
    finish(out, *flags)
    assert differences(out, tmp_path / "unkilled") == []


@pytest.mark.slow
def test_two_replicas_killed(tmp_path: Path) -> None:
    flags = ("--strategy", "mirrored", "--cpu-replicas", "2")
    finish(tmp_path / "unkilled", *flags)
    for name in ("rounds.jsonl", "arrays/further/round_02.npz"):
        kill_when((tmp_path / "run" / name).exists, tmp_path / "run", *flags)
    finish(tmp_path / "run", *flags)
    assert differences(tmp_path / "run", tmp_path / "unkilled") == []
