"""A study from its file to its report, with real runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bgadl_tf import cli
from bgadl_tf.study import own_runs, study_folder

STUDY = """
arms: [bald, random]
seeds: [0]
settings:
  dataset: digits
  classifier: lenet
  initial_size: 20
  query_size: 4
  rounds: 1
  candidates: 40
  mc_samples: 2
  steps: 5
  batch_size: 8
"""


SPACES = """
datasets:
  small: {image_size: 8}
  large: {image_size: 14}
"""


@pytest.mark.slow
def test_a_study_of_two_spaces_from_file_to_report(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "study.yaml", tmp_path / "out"
    file.write_text(STUDY + SPACES)
    study = ["study", str(file), "--out", str(out), "--jobs", "2", "--no-export"]
    assert cli.main(study) == 0
    found = {
        (run.dataset, run.arm): run for run in own_runs.find(out, study_folder.saved(out)).runs
    }
    assert [*found] == [
        ("small", "bald"), ("small", "random"), ("large", "bald"), ("large", "random"),
    ]  # fmt: skip
    assert all(run.finished for run in found.values())
    for space, side in (("small", 8), ("large", 14)):
        bald, other = found[space, "bald"], found[space, "random"]
        assert bald.config["example_shape"][:2] == [side, side]
        assert bald.rounds[0]["test_nll"] == other.rounds[0]["test_nll"]
    text = (out / "report.md").read_text()
    assert text.startswith("# Study: 2 arms, 4 runs\n")
    for space in ("small", "large"):
        assert f"> **{space}**: with 24 labels `bald` is right on " in text
        assert f"\n# {space}\n" in text
    assert "**Not" not in text
    results = json.loads((out / "results.json").read_text())["datasets"]
    assert {space: {*arms} for space, arms in results.items()} == {
        "small": {"bald", "random"}, "large": {"bald", "random"},
    }  # fmt: skip
    made = {path: path.stat().st_mtime_ns for path in out.glob("*/*/seed_0/*")}
    capfd.readouterr()
    assert cli.main(study) == 0
    assert capfd.readouterr().out.count("finished before") == 4
    assert {path: path.stat().st_mtime_ns for path in out.glob("*/*/seed_0/*")} == made
    assert (out / "report.md").read_text() == text


@pytest.mark.slow
def test_a_study_of_digits_from_file_to_report(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "study.yaml", tmp_path / "out"
    file.write_text(STUDY)
    assert cli.main(["study", str(file), "--out", str(out), "--jobs", "2"]) == 0
    found = {run.arm: run for run in own_runs.find(out, None).runs}
    assert found.keys() == {"bald", "random"}
    assert all(run.finished for run in found.values())
    # Runs of one seed share their initial set, and hence their round 0.
    assert found["bald"].rounds[0]["test_nll"] == found["random"].rounds[0]["test_nll"]
    assert set(json.loads((out / "results.json").read_text())) == {"bald", "random"}
    assert "## Against `random`" in (out / "report.md").read_text()
    assert (out / "learning_curves.png").stat().st_size
    capfd.readouterr()
    assert cli.main(["study", str(file), "--out", str(out)]) == 0
    assert capfd.readouterr().out.count("finished before") == 2
