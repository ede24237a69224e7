from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bgadl_tf import cli
from tests.support.repository import REPOSITORY
from tests.support.study.folders import write_run
from tests.support.study.protocols import fake_train, in_this_process, write_study
from tests.support.study.tuning import call

__all__ = ["fake_train", "in_this_process"]

STUDY = """
arms: {bgadl: {seeds: [0, 1]}, random: null, narrow: {method: bgadl, options: {width: 0.5}}}
seeds: [0]
"""
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def file(tmp_path: Path, in_this_process: None) -> Path:
    return write_study(tmp_path, STUDY)


def test_runs_and_reports_and_goes_on(file: Path, tmp_path: Path, capfd: Capture) -> None:
    out = tmp_path / "out"
    assert call("study", file, "--out", out, "--jobs", "2", "--data-dir", "/data") == 0
    told = capfd.readouterr()
    assert told.err == ""
    assert told.out.splitlines()[-1] == f"the report is in {out}/report.md"
    report = (out / "report.md").read_text()
    assert report.startswith("# digits: 3 arms, 4 runs\n")
    assert "## Against `random`" in report
    assert "## Against `bald`" not in report
    assert set(json.loads((out / "results.json").read_text())) == {"bgadl", "random", "narrow"}
    assert (out / "learning_curves.png").exists()
    # Elsewhere the data lies elsewhere, and that is no other protocol.
    assert call("study", file, "--out", out, "--data-dir", "/other") == 0
    assert capfd.readouterr().out.count("finished before") == 4
    file.write_text(STUDY + "settings: {steps: 7}\n")
    assert call("study", file, "--out", out) == cli.BAD_INPUT
    error = capfd.readouterr().err
    assert "steps of arm 'bgadl' was 300, now 7" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("flags", [(), ("--no-export",)])
def test_runs_are_exported_unless_asked_not_to(
    file: Path, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    assert call("study", file, "--out", out, *flags) == 0
    assert (out / "random/seed_0/export").exists() is not bool(flags)


def test_a_failure_is_told_and_the_rest_reported(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    monkeypatch.setenv("FAKE_FAILS", "1")
    out = tmp_path / "out"
    assert call("study", file, "--out", out) == 1
    told = capfd.readouterr()
    assert f"failed: train: the sky fell (log: {out}/bgadl/seed_1.log)" in told.err
    assert "3 arms, 3 runs" in (out / "report.md").read_text()


def test_a_damaged_or_foreign_run_is_a_failure_and_the_rest_is_reported_on(
    file: Path, tmp_path: Path, capfd: Capture
) -> None:
    out = tmp_path / "out"
    assert call("study", file, "--out", out) == 0
    (out / "bgadl/seed_0/config.json").write_text("")
    write_run(out / "random/seed_0", [0.9] * 11, method="random", steps=7)
    capfd.readouterr()
    assert call("study", file, "--out", out) == 1
    told = capfd.readouterr()
    assert "bgadl: bgadl seed 0 failed: cannot read" in told.err
    assert "another configuration: steps is 7, the study's is 300" in told.err
    text = (out / "report.md").read_text()
    assert text.startswith("# digits: 2 arms, 2 runs\n")
    assert "Left out: random/seed_0: steps is 7, the study's is 300.\n" in text


@pytest.mark.parametrize(
    "text",
    [
        "arms: {mine: {method: bgadl}}\nseeds: [0, 1]\n",
        "arms: [bgadl, random]\nseeds: [0]\nagainst: []\n",
    ],
)
def test_a_study_without_a_baseline_ends_in_its_report(
    file: Path, tmp_path: Path, text: str
) -> None:
    file.write_text(text)
    out = tmp_path / "out"
    assert call("study", file, "--out", out) == 0
    assert "compares its arms with none" in (out / "report.md").read_text()


def test_when_all_fail_there_is_no_report(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    monkeypatch.setenv("FAKE_FAILS", "0")
    file.write_text("arms: [bgadl]\nseeds: [0]\n")
    assert call("study", file, "--out", tmp_path / "out") == 1
    assert capfd.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out" / "report.md").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arms: [bgadll]\nseeds: [0]\n", "study.yaml, line 1: arms.bgadll is no method"),
        (
            "arms: [plane+bald]\nseeds: [0]\n",
            "study.yaml, line 1: arms.plane+bald: unknown learner",
        ),
        (STUDY + "settings: {classifier: lenett}\n", "line 4: arms.bgadl: unknown classifier"),
    ],
)
def test_bad_files_are_one_line_and_nothing_is_made(
    file: Path, tmp_path: Path, capfd: Capture, text: str, message: str
) -> None:
    file.write_text(text)
    assert call("study", file, "--out", tmp_path / "out") == cli.BAD_INPUT
    error = capfd.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_bad_flags(file: Path, tmp_path: Path, capfd: Capture) -> None:
    assert call("study", "--out", tmp_path / "out") == cli.BAD_INPUT
    assert "give the study as FILE.yaml" in capfd.readouterr().err
    assert call("study", file, "--out", tmp_path / "out", "--jobs", "0") == cli.BAD_INPUT
    assert "argument --jobs: it is '0'" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


def test_report_only_reads_studies_of_older_versions(tmp_path: Path, capfd: Capture) -> None:
    for seed in range(2):
        write_run(tmp_path / f"bgadl/seed_{seed}", [0.5, 0.8], seed=seed)
        write_run(tmp_path / f"bald/seed_{seed}", [0.5, 0.7], method="bald", seed=seed)
    (tmp_path / "protocol.json").write_text('{"train_flags": []}')
    assert call("study", "--out", tmp_path, "--report-only") == 0
    assert capfd.readouterr().out == f"{tmp_path}/report.md\n"
    text = (tmp_path / "report.md").read_text()
    assert [line for line in text.splitlines() if "Against" in line] == [
        "## Against `random`",
        "## Against `bald`",
    ]
    file = write_study(tmp_path, "arms: [bgadl]\nseeds: [0]\nagainst: [bgadl]\n")
    assert call("study", file, "--out", tmp_path, "--report-only") == 0
    assert "## Against `bgadl`" in (tmp_path / "report.md").read_text()
    assert call("study", file, "--out", tmp_path) == cli.BAD_INPUT
    assert "older version" in capfd.readouterr().err


def test_report_only_compares_as_the_study_did(file: Path, tmp_path: Path) -> None:
    file.write_text(STUDY + "against: [narrow]\n")
    assert call("study", file, "--out", tmp_path / "out") == 0
    before = (tmp_path / "out" / "report.md").read_text()
    assert call("study", "--out", tmp_path / "out", "--report-only") == 0
    assert (tmp_path / "out" / "report.md").read_text() == before


def test_nothing_to_report(tmp_path: Path, capfd: Capture) -> None:
    assert call("study", "--out", tmp_path / "none", "--report-only") == cli.BAD_INPUT
    assert "make some with bgadl study" in capfd.readouterr().err


def test_compare(tmp_path: Path, capfd: Capture) -> None:
    one = write_run(tmp_path / "one", [0.5, 0.8])
    other = write_run(tmp_path / "other", [0.5, 0.7], method="random")
    figure = tmp_path / "new" / "c.png"
    assert call("compare", one, other, "--out", figure) == 0
    assert capfd.readouterr().out == f"{figure}\n"
    assert figure.stat().st_size
    assert call("compare", tmp_path, "--out", figure) == cli.BAD_INPUT
    assert "no run folder" in capfd.readouterr().err


def test_sigterm_ends_the_runs_under_way(file: Path, tmp_path: Path) -> None:
    file.write_text("arms: [bgadl]\nseeds: [0]\n")
    program = (
        "import sys\n"
        "from bgadl_tf import cli\n"
        "from bgadl_tf.study import running\n"
        "running.TRAIN = (sys.executable, '-m', 'tests.support.study.fake_train')\n"
        f"sys.exit(cli.main(['study', {str(file)!r}, '--out', {str(tmp_path / 'out')!r}]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=REPOSITORY, env={**os.environ, "FAKE_HANGS": "0"},
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    started = tmp_path / "out" / "bgadl" / "seed_0" / "pid"
    deadline = time.monotonic() + 60
    while not (started.exists() and started.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=40)
    assert process.returncode == cli.INTERRUPTED
    assert "run the same command again" in error
    assert not Path("/proc", started.read_text()).exists()


def test_a_dry_run_tells_what_would_run_and_writes_nothing(
    file: Path, tmp_path: Path, capfd: Capture
) -> None:
    out = tmp_path / "out"
    assert call("study", file, "--out", out, "--dry-run") == 0
    told = capfd.readouterr().out.splitlines()
    assert told[0] == ("4 runs of 3 arms: 4 to make; how long, is told once some are finished here")
    assert [line.split("|")[1].strip() for line in told[2:]] == [
        "arm", "-" * 6, "bgadl", "random", "narrow",
    ]  # fmt: skip
    assert not out.exists()
    assert call("study", file, "--out", out) == 0
    capfd.readouterr()
    assert call("study", file, "--out", out, "--dry-run") == 0
    assert capfd.readouterr().out.startswith("4 runs of 3 arms: 4 finished, 0 to make\n")
    file.write_text(STUDY + "settings: {steps: 7}\n")
    assert call("study", file, "--out", out, "--dry-run") == cli.BAD_INPUT


def test_what_latin_1_lacks_is_no_reason_to_stop(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="latin-1"))
    assert call("study", file, "--out", tmp_path / "out", "--dry-run") == 0
    sys.stdout.flush()
    assert b"| ? " in printed.getvalue()


def test_shards_put_together_are_the_study(file: Path, tmp_path: Path, capfd: Capture) -> None:
    for number in (1, 2):
        flags = ("--out", tmp_path / f"out{number}", "--shard", f"{number}/2")
        assert call("study", file, *flags) == 0
    whole = tmp_path / "whole"
    for number in (1, 2):
        shutil.copytree(tmp_path / f"out{number}", whole, dirs_exist_ok=True)
    assert call("study", file, "--out", whole, "--report-only") == 0
    assert (whole / "report.md").read_text().startswith("# digits: 3 arms, 4 runs\n")
    capfd.readouterr()
    assert call("study", file, "--out", whole) == 0
    assert capfd.readouterr().out.count("finished before") == 4


@pytest.mark.parametrize("shard", ["3/2", "0/2", "2", "1/0", "x/2", "5/9"])
def test_impossible_shards_are_refused(
    file: Path, tmp_path: Path, shard: str, capfd: Capture
) -> None:
    out = tmp_path / "out"
    assert call("study", file, "--out", out, "--shard", shard) == cli.BAD_INPUT
    assert "--shard" in capfd.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("flags", [("--dry-run",), ("--shard", "1/2")])
def test_a_report_is_of_all_runs(
    file: Path, tmp_path: Path, flags: tuple[str, ...], capfd: Capture
) -> None:
    out = tmp_path / "out"
    assert call("study", file, "--out", out, "--report-only", *flags) == cli.BAD_INPUT
    assert "leave out --dry-run and --shard" in capfd.readouterr().err
