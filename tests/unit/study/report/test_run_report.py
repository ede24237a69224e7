"""One run: what it came to, and whether its questions helped, as far as that can be known."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from bgadl_tf import cli
from bgadl_tf.study import report
from tests.support.study.folders import (
    calibration,
    rewrite_rounds,
    write_answers,
    write_run,
    write_starts,
)

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = write_run(tmp_path / "run", [0.5, 0.72, 0.8], seed=1)
    write_starts(folder)
    write_answers(folder, [[0, 1], [0, 0], [0, 1]], ["cat", "dog"])
    rewrite_rounds(folder, lambda r: {**r, "calibration": calibration(0.9, r["test_accuracy"])})
    return folder


def random_run(folder: Path, **settings: object) -> Path:
    settings = {"method": "random", "acquisition": "random", "seed": 1, **settings}
    return write_run(folder, [0.5, 0.6, 0.7], **settings)  # type: ignore[arg-type]


def test_alone(run: Path, capsys: Capture) -> None:
    assert cli.main(["report", str(run)]) == 0
    assert capsys.readouterr().out == f"{run}/report.html\n"
    text = (run / "report.md").read_text()
    assert text.startswith("# digits: bgadl, seed 1, finished\n\n## Is active learning helping")
    assert f"bgadl report {run} --against {run}-random" in text
    assert "between 75.8 and 83.6 % (95 %, Wilson)" in text  # 320 of 400
    assert "| bgadl | 4      | 0.811    | 75.0 | 25.0 |" in text
    assert "## Calibration" in text
    assert "## x'" not in text
    page = (run / "report.html").read_text()
    assert page.count('<figure class="plot">') == 3
    with (run / "curves.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert [row["test_accuracy"] for row in rows] == ["0.5", "0.72", "0.8"]
    assert [row["labelled"] for row in rows] == ["20", "30", "40"]
    assert float(rows[2]["test_ece"]) == pytest.approx(0.1)
    assert rows[0]["seconds_train"] == "1.0"
    found = json.loads((run / "results.json").read_text())["bgadl"]["1"]
    assert found["bought"] == {"cat": 3, "dog": 1}
    assert found["seconds_by_phase"] == {"train": 3.0, "score": 1.5, "evaluate": 0.75}


def test_beside_random_selection(run: Path) -> None:
    other = random_run(run.parent / "random")
    text = report.write_run(run, other).read_text()
    assert "| 30     | 72.00        | 60.00         | +12.00              |" in text
    # 0.7 is reached between 20 and 30 labels: 20 + 10 * .2 / .22.
    assert "this run needs 29 labels and the other 40: 27 % fewer" in text
    assert "(AUBC) differs by +8.50 points" in text
    assert "cannot be known from one pair of runs" in text
    assert "**Not" not in text
    worse = report.write_run(other, run).read_text()
    assert "this run does not get there with its 40 labels" in worse
    assert "**Not random selection:**" in worse


def test_another_initial_set_of_the_same_seed_is_said(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", [0.5, 0.6], initial=["a", "b"], acquisition="typiclust")
    for name, initial, said in (("same", ["b", "a"], False), ("other", ["a", "c"], True)):
        folder = random_run(tmp_path / name, seed=0, initial=initial)
        text = report.write_run(one, folder).read_text()
        assert ("**Not one initial set:** the two have one seed" in text) == said


def test_from_inside_its_folder_with_a_space_in_its_name(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = run.rename(run.parent / "a run")
    monkeypatch.chdir(named)
    assert cli.main(["report", "."]) == 0
    assert f"bgadl report . --against '{named}-random'" in (named / "report.md").read_text()


def test_runs_that_are_no_pair_are_said_to_be_none(run: Path) -> None:
    text = report.write_run(run, random_run(run.parent / "a", seed=2, steps=7)).read_text()
    assert "**Not one initial set:** the seeds are 1 and 2" in text
    far = random_run(run.parent / "b", initial_size=25, classifier="mlp")
    assert "no number of labels in common" in report.write_run(run, far).read_text()


def test_a_run_that_goes_on_and_has_no_test_set(run: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "rounds": 9}))
    bare = {"test_accuracy": None, "test_nll": None, "calibration": None}
    rewrite_rounds(run, lambda record: {**record, **bare})
    text = report.write_run(run).read_text()
    assert "3 of 10 rounds finished" in text
    assert "## Learning curve" not in text
    assert "| 2     | 40     | –            | –          | –            |" in text
    other = random_run(run.parent / "random")
    assert "one of the two runs has no test set" in report.write_run(run, other).read_text()


def test_a_study_is_reported_on_as_study_does(tmp_path: Path, capsys: Capture) -> None:
    for arm in ("bgadl", "random"):
        write_run(tmp_path / arm / "seed_0", [0.5, 0.6], method=arm)
    assert cli.main(["report", str(tmp_path)]) == 0
    first = (tmp_path / "report.md").read_bytes()
    assert cli.main(["study", "--report-only", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "report.md").read_bytes() == first
    assert capsys.readouterr().out == f"{tmp_path}/report.html\n{tmp_path}/report.md\n"
    assert cli.main(["report", str(tmp_path), "--against", "x"]) == cli.BAD_INPUT
    assert "--against is for one run" in capsys.readouterr().err


def test_bad_folders(tmp_path: Path, run: Path, capsys: Capture) -> None:
    empty = write_run(tmp_path / "empty", [], rounds=3)
    for words, message in (
        ([tmp_path / "none"], "is the folder of no run, which has a config.json"),
        ([empty], "has no finished round"),
        ([run, "--against", empty], "has no finished round"),
        ([run, "--against", tmp_path / "none"], "is no run folder"),
    ):
        assert cli.main(["report", *map(str, words)]) == cli.BAD_INPUT
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert not (run / "report.md").exists()
