"""A study from its file to its report, with real runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bgadl_tf import cli
from bgadl_tf.study import runs

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


@pytest.mark.slow
def test_a_study_of_digits_from_file_to_report(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "study.yaml", tmp_path / "out"
    file.write_text(STUDY)
    assert cli.main(["study", str(file), "--out", str(out), "--jobs", "2"]) == 0
    found = {run.arm: run for run in runs.read_study(out)}
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
