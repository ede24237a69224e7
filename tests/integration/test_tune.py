"""Searches in processes of their own: killed, shared, and with real runs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf import cli
from tests.support.repository import REPOSITORY
from tests.support.study.tuning import tuning_yaml

GRID = """
tuner: grid
seeds: [100]
settings: {learner: plain, dataset: digits, rounds: 0}
space: {steps: [100, 300, 500], dropout: [0.25, 0.5]}
"""
REAL = """
tuner: random
trials: 2
seeds: [100]
settings:
  learner: plain
  dataset: digits
  classifier: mlp
  initial_size: 20
  rounds: 0
  batch_size: 8
space: {steps: {min: 2, max: 20}, options: {batch_augmentation: [1, 2]}}
"""
# The command as it is, but for what it trains with.
PROGRAM = (
    "import sys\n"
    "from bgadl_tf import cli\n"
    "from bgadl_tf.study import running\n"
    "running.TRAIN = (sys.executable, '-m', 'tests.support.study.fake_train')\n"
    "sys.exit(cli.main(sys.argv[1:]))\n"
)
PATIENCE = 600.0


class Searches:
    """Processes of one search, whose runs take a while.

    Args:
        folder: Where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self._file = tuning_yaml(folder, GRID)
        self._log = folder / "begun"
        self.open: list[subprocess.Popen[bytes]] = []

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "tune", str(self._file), "--out", str(self.out)],
            cwd=REPOSITORY,
            env={**os.environ, "FAKE_LOG": str(self._log), "FAKE_SECONDS": "2", **environment},
        )
        self.open.append(process)
        return process

    def begun(self) -> list[str]:
        """Run folders, once for every time that a run was begun."""
        return self._log.read_text().splitlines() if self._log.exists() else []

    def trials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.out / "results.json").read_text())["trials"]
        return found


@pytest.fixture
def searches(tmp_path: Path) -> Any:
    found = Searches(tmp_path)
    yield found
    for process in found.open:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def all_of_the_grid(searches: Searches) -> bool:
    values = [trial["values"] for trial in searches.trials() if not trial["failed"]]
    found = {(value["steps"], value["dropout"]) for value in values}
    return len(values) == 6 and found == {(s, d) for s in (100, 300, 500) for d in (0.25, 0.5)}


@pytest.mark.slow
def test_a_search_that_was_killed_goes_on(searches: Searches) -> None:
    for count in (2, 4):
        process = searches.start()
        wait_until(lambda count=count: len(searches.begun()) >= count)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert searches.start().wait(PATIENCE) == 0
    assert all_of_the_grid(searches)
    # What was finished was not made again; of what was under way at most two.
    assert len(searches.begun()) <= 8


@pytest.mark.slow
def test_a_chief_and_two_workers_share_a_search_and_the_chief_may_be_killed(
    searches: Searches,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    address = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": port}
    chief = searches.start(KERASTUNER_TUNER_ID="chief", **address)
    workers = [searches.start(KERASTUNER_TUNER_ID=f"tuner{n}", **address) for n in range(2)]
    wait_until(lambda: len(searches.begun()) >= 2)
    chief.send_signal(signal.SIGKILL)
    chief.wait()
    chief = searches.start(KERASTUNER_TUNER_ID="chief", **address)
    assert [process.wait(PATIENCE) for process in (*workers, chief)] == [0, 0, 0]
    assert all_of_the_grid(searches)
    # No run was made twice, or by two at once.
    assert len(searches.begun()) == len({*searches.begun()}) == 6


@pytest.mark.slow
def test_a_search_with_real_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert cli.main(["tune", str(tuning_yaml(tmp_path, REAL)), "--out", str(out)]) == 0
    trials = json.loads((out / "results.json").read_text())["trials"]
    assert len(trials) == 2
    assert all(0 < trial["scores"]["aubc"] <= 1 for trial in trials)
    assert trials[0]["scores"]["aubc"] >= trials[1]["scores"]["aubc"]
    config = json.loads((out / trials[0]["folder"] / "seed_100" / "config.json").read_text())
    assert (config["part"], config["acquisition"]) == ("1/2", "random")
    command = next(x for x in capfd.readouterr().out.splitlines() if x.startswith("  bgadl train"))
    assert cli.main([*command.split()[1:], "--no-export"]) == 0
    confirmed = json.loads((tmp_path / "out-confirmed" / "config.json").read_text())
    assert (confirmed["part"], confirmed["steps"]) == ("2/2", trials[0]["steps"])
