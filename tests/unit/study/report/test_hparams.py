from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bgadl_tf.study import report
from tests.support.repository import REPOSITORY
from tests.support.study.folders import rewrite_rounds, write_run
from tests.support.study.hparams import session


@pytest.fixture
def out(tmp_path: Path) -> Path:
    write_run(tmp_path / "random/seed_3", [0.5, 0.7], method="random", acquisition="random", seed=3)
    write_run(tmp_path / "wide/seed_3", [0.5, 0.75, 0.9], seed=3, options={"width": 2.0, "k": 1})
    write_run(tmp_path / "wide/seed_4", [0.5], seed=4, rounds=2, options={"width": 2.0, "k": 1})
    return tmp_path


def test_a_session_a_finished_run(out: Path) -> None:
    report.write(out)
    sessions = {
        str(path.parent.relative_to(out / "hparams"))
        for path in (out / "hparams").rglob("*") if path.is_file()
    }  # fmt: skip
    assert sessions == {"random/seed_3", "wide/seed_3"}
    values, scores = session(out / "hparams/wide/seed_3")
    assert values == {
        "arm": "wide", "seed": 3, "dataset": "digits",
        "method": "bgadl", "acquisition": "bald", "rounds": 2,
    }  # fmt: skip
    # By trapezoids over 20, 30 and 40 labels.
    assert scores == pytest.approx({"accuracy": 0.9, "aubc": 0.725, "labels": 40})


def test_options_that_differ(out: Path) -> None:
    owned = {"coreset": {"metric": "cosine", "layers": [1]}}
    write_run(
        out / "narrow/seed_0", [0.5, 0.6], options={"width": None, "k": 1},
        acquisition_options=owned,
    )  # fmt: skip
    owned = {"coreset": {"metric": "euclidean", "layers": [2]}}
    write_run(out / "other/seed_0", [0.5, 0.6], options={"k": 2}, acquisition_options=owned)
    report.write(out)
    found = {arm: session(out / f"hparams/{arm}/seed_0")[0] for arm in ("narrow", "other")}
    options = [
        {key: value for key, value in values.items() if key.startswith("options.")}
        for values in (found["narrow"], found["other"], session(out / "hparams/wide/seed_3")[0])
    ]
    # One column of TensorBoard has values of one type, and none of a list.
    assert options == [
        {"options.width": "none", "options.k": 1, "options.coreset.metric": "cosine"},
        {"options.k": 2, "options.coreset.metric": "euclidean"},
        {"options.width": "2.0", "options.k": 1},
    ]


def test_a_second_report_replaces_the_first(out: Path) -> None:
    report.write(out)
    rewrite_rounds(out / "wide/seed_3", lambda record: {**record, "test_accuracy": 0.25})
    shutil.rmtree(out / "random")
    # An arm may have any name, that of the folder of the sessions, too.
    write_run(out / "hparams/seed_0", [0.98], method="bda-full", initial_size=1437)
    report.write(out)
    assert session(out / "hparams/wide/seed_3")[1]["aubc"] == pytest.approx(0.25)
    assert not [*(out / "hparams/random").rglob("*.*")]
    # A curve of one point has no area.
    reference = session(out / "hparams/hparams/seed_0")[1]
    assert reference == pytest.approx({"accuracy": 0.98, "labels": 1437})
    assert {path.name for path in (out / "hparams/seed_0").iterdir()} == {
        "config.json", "rounds.jsonl",
    }  # fmt: skip


def test_a_report_needs_no_tensorflow(out: Path) -> None:
    program = (
        "import pathlib, sys\n"
        "from bgadl_tf.study import report\n"
        "report.write(pathlib.Path(sys.argv[1]))\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(out)], check=True, cwd=REPOSITORY)
    assert session(out / "hparams/random/seed_3")[1]["accuracy"] == pytest.approx(0.7)
