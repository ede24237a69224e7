"""A study that is killed at any moment comes to the same report."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repository import REPOSITORY
from tests.support.study.times import without_times

pytestmark = pytest.mark.slow

STUDY = """
arms: [al-noise, random]
seeds: [0, 1]
settings:
  dataset: digits
  classifier: lenet
  initial_size: 20
  query_size: 4
  rounds: 4
  candidates: 40
  mc_samples: 2
  steps: 40
  batch_size: 8
"""
KILLS = 10


class Studies:
    """Processes of one study, each with a process group of its own.

    Args:
        file: The study.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.begun: list[subprocess.Popen[bytes]] = []

    def start(self, out: Path) -> subprocess.Popen[bytes]:
        """What it prints is in a file beside its folder."""
        command = ["study", str(self._file), "--out", str(out), "--jobs", "2", "--no-export"]
        with out.with_suffix(".log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bgadl_tf.cli", *command],
                cwd=REPOSITORY, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.begun.append(process)
        return process


@pytest.fixture
def studies(tmp_path: Path) -> Iterator[Studies]:
    file = tmp_path / "study.yaml"
    file.write_text(STUDY)
    found = Studies(file)
    yield found
    for process in found.begun:
        if process.poll() is None:
            kill(process)


def kill(process: subprocess.Popen[bytes], alone: bool = False) -> None:
    """kill -9 of the study, and of all that it has started unless it is to be ``alone``."""
    if alone:
        process.kill()
        process.wait()
        return
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    while _is_there(process.pid):
        time.sleep(0.05)


def _is_there(group: int) -> bool:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, own = path.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):  # It has ended meanwhile.
            continue
        if int(own) == group and state not in "ZX":
            return True
    return False


def rounds(out: Path) -> int:
    """Finished rounds of all runs."""
    return sum(path.read_bytes().count(b"\n") for path in out.glob("*/seed_*/rounds.jsonl"))


def until_a_round_more(out: Path, process: subprocess.Popen[bytes]) -> None:
    """Or until the study has ended."""
    before = rounds(out)
    while process.poll() is None and rounds(out) == before:
        time.sleep(0.1)


def test_killed_at_ten_moments_it_comes_to_the_same_report(
    studies: Studies, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    before = time.monotonic()
    assert studies.start(whole).wait() == 0
    seconds = time.monotonic() - before

    draw = random.Random(0)
    kills: list[int] = []  # Rounds that there were.
    while len(kills) < KILLS:
        process = studies.start(killed)
        # Most of the time goes to starting: a moment of it, or one after a further round.
        if draw.random() < 0.5:
            share = draw.uniform(0.0, 0.5)
        else:
            share = draw.uniform(0.0, 0.1)
            until_a_round_more(killed, process)
        try:
            assert process.wait(share * seconds) == 0
        except subprocess.TimeoutExpired:
            # Of every third the runs under way go on, and the next start finds them at work.
            kill(process, alone=len(kills) % 3 == 2)
            kills.append(rounds(killed))
    assert studies.start(killed).wait() == 0
    # Where nothing was made between kills they would show nothing.
    assert len({*kills}) > KILLS // 4, kills
    assert without_times(killed) == without_times(whole), kills
