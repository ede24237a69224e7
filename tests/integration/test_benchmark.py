"""The instrument works: every case at its smallest, without any rival's package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.benchmarks import command, results
from tests.support.repository import REPOSITORY

QUICK = ["pool_scoring"]
OTHERS = [case for case in command.CASES if case not in QUICK]


@pytest.mark.parametrize("cases", [QUICK, pytest.param(OTHERS, marks=pytest.mark.slow)])
def test_every_case_runs_quickly(cases: list[str], tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    subprocess.run(
        [sys.executable, "scripts/benchmark.py", *cases, "--quick", "--out", os.fspath(out)],
        check=True,
        cwd=REPOSITORY,
        timeout=600,
    )
    found = results.read(out)["cases"]
    assert sorted(found) == sorted(cases)
    for block in found.values():
        assert block["quick"]
        assert all(entry.median >= 0 for entry in results.entries_of(block))
        assert any(entry.ours for entry in results.entries_of(block))


def test_cases_are_listed_and_unknown_ones_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [*command.CASES]
    with pytest.raises(SystemExit):
        command.main(["nothing"])
    assert "unknown case 'nothing'; known: pool_scoring" in capsys.readouterr().err


def test_every_case_has_its_file() -> None:
    folder = REPOSITORY / "scripts" / "benchmarks"
    assert all((folder / f"{case}.py").is_file() for case in command.CASES)
