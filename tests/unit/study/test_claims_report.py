"""Claims over several studies: never harms, wins, and what is not decided yet."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from bgadl_tf import cli
from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import claims_report, families, findings, study_folder
from bgadl_tf.study.claims import Claims
from bgadl_tf.study.report import study_report
from tests.support.study.folders import write_run
from tests.support.study.protocols import on_datasets, protocol

SEEDS = 5
NOISE = [0.002, -0.001, 0.0, 0.001, -0.002]
CLAIMS = Claims("bgadl", (("bgadl", "bald"),), 0.5, (("bgadl", "bald"), ("bgadl", "random")))


def make(out: Path, gains: dict[str, float], claims: Claims | None = CLAIMS, runs: int = 5) -> Path:
    """A study in which every arm but ``random`` gains so much over that, with noise."""
    planned = protocol("bgadl", "bald", "random", seeds=tuple(range(SEEDS)), rounds=1)
    study_folder.claim(out, dataclasses.replace(planned, claims=claims))
    for place, arm in enumerate(("bgadl", "bald", "random")):
        for seed in range(runs):
            gain = gains.get(arm, 0.0) + (place + 1) * NOISE[seed]
            write_run(out / arm / f"seed_{seed}", [0.5, 0.6 + 2 * gain], method=arm, seed=seed)
    return out


@pytest.fixture
def studies(tmp_path: Path) -> list[Path]:
    return [
        make(tmp_path / "one", {"bgadl": 0.02, "bald": 0.001}),
        make(tmp_path / "two", {"bgadl": -0.02}),
    ]


def test_what_is_found(studies: list[Path], tmp_path: Path) -> None:
    path = claims_report.write(studies, tmp_path / "claims")
    text, found = path.read_text(), json.loads(path.with_suffix(".json").read_text())
    assert [row["holds"] for row in found["never_harms"]] == [True, False]
    assert [row["holds"] for row in found["wins"]] == [True, True, False, False]
    assert "`bgadl` harms by at most 0.5 points against `bald` on 1 of 2 sets (`one`)." in text
    assert "- `bgadl` is higher than `random` on 1 of 2 sets (`one`)." in text
    assert "Recommended: `bgadl`.\n" in text
    harm = found["never_harms"][0]
    differences = 100 * (0.019 - np.array(NOISE))  # AUBC halves what the last round differs by
    low, high = stats.t.interval(0.95, 4, differences.mean(), stats.sem(differences))
    assert (harm["difference"], harm["sd"]) == pytest.approx((1.9, differences.std(ddof=1)))
    assert (harm["t_low"], harm["t_high"]) == pytest.approx((low, high))
    assert harm["bootstrap_low"] < harm["difference"] < harm["bootstrap_high"]


def test_what_is_kept_of_a_study_is_enough(studies: list[Path], tmp_path: Path) -> None:
    kept = []
    for study in studies:
        study_report.write(study)
        kept.append(tmp_path / "kept" / study.name)
        kept[-1].mkdir(parents=True)
        for name in ("protocol.json", "results.json"):
            shutil.copy(study / name, kept[-1])
    whole = claims_report.write(studies, tmp_path / "whole").read_text()
    assert claims_report.write(kept, tmp_path / "parts").read_text() == whole
    (kept[0] / "results.json").write_text('{"bgadl": {"0": {}}}')
    with pytest.raises(RunFolderError, match=r"results\.json does not hold the results of a study"):
        claims_report.write(kept, tmp_path / "out")


def test_every_dataset_of_a_study_is_a_set_of_the_family(tmp_path: Path) -> None:
    alone = make(tmp_path / "alone", {"bgadl": 0.02})
    both = tmp_path / "both"
    planned = protocol("bgadl", "bald", "random", seeds=tuple(range(SEEDS)), rounds=1)
    spaces = {"small": {"image_size": 8}, "large": {"image_size": 14}}
    study_folder.claim(both, on_datasets(planned, spaces, claims=CLAIMS))
    for space, gain in (("small", 0.02), ("large", -0.02)):
        shutil.copytree(make(tmp_path / space, {"bgadl": gain}), both / space)
    text = claims_report.write([both, alone], tmp_path / "claims").read_text()
    assert text.startswith("# Claims on 3 sets: `both/small`, `both/large` and `alone`\n")
    assert "is higher than `random` on 2 of 3 sets (`both/small` and `alone`)." in text
    found = json.loads((tmp_path / "claims/claims.json").read_text())
    assert [row["holds"] for row in found["wins"]] == [True, True, False, False, True, True]
    assert found["wins"][0]["p_holm"] == pytest.approx(6 * min(row["p"] for row in found["wins"]))
    # What is kept of it says the same.
    study_report.write(both)
    for space in spaces:
        shutil.rmtree(both / space)
    assert claims_report.write([both, alone], tmp_path / "kept").read_text() == text


def test_runs_that_are_not_alike_are_doubted_and_compared_where_they_can_be(
    tmp_path: Path,
) -> None:
    even, longer = (make(tmp_path / name, {"bgadl": 0.02}) for name in ("even", "longer"))
    write_run(longer / "bald/seed_0", [0.5, 0.6 + 4 * NOISE[0], 0.99], method="bald")
    rng = np.random.default_rng(0)
    (one,), (other,) = (findings.harms(findings.read([study]), rng) for study in (even, longer))
    assert other.result.mean == pytest.approx(one.result.mean)
    text = claims_report.write([longer], tmp_path / "claims").read_text()
    assert "**Not one protocol on `longer`:** `rounds` is" in text
    assert "**Not alike on `longer`:** seed 0: `bald` measured at other numbers of labels" in text


def test_the_family_spans_all_studies(studies: list[Path]) -> None:
    rng = np.random.default_rng(0)
    found = findings.wins(findings.read(studies), rng)
    assert [finding.p_holm for finding in found] == families.holm([f.p for f in found])
    alone = findings.wins(findings.read(studies[:1]), rng)
    assert found[0].p == alone[0].p
    assert found[0].p_holm > alone[0].p_holm


def test_a_small_harm_is_within_the_margin_and_its_own_alone(tmp_path: Path) -> None:
    narrow = Claims(never_harms=(("bgadl", "bald"),), margin=0.2)
    folders = [
        make(tmp_path / "wide", {"bgadl": -0.001}),
        make(tmp_path / "narrow", {"bgadl": -0.001}, narrow),
    ]
    harms = findings.harms(findings.read(folders), np.random.default_rng(0))
    assert [finding.holds for finding in harms] == [True, False]


def test_nothing_is_decided_before_every_seed_is_finished(tmp_path: Path) -> None:
    out = make(tmp_path / "early", {"bgadl": 0.02}, runs=4)
    write_run(out / "bgadl/seed_4", [0.5], seed=4, rounds=1)
    text = claims_report.write([out], tmp_path).read_text()
    assert "on 0 of 1 sets; 1 not decided." in text
    assert "| 4 of 5 |" in text
    found = json.loads((tmp_path / "claims.json").read_text())
    assert {row["p_holm"] for row in found["wins"]} == {1.0}
    assert {row["holds"] for row in [*found["wins"], *found["never_harms"]]} == {None}


def test_arms_that_are_the_same_do_not_harm(tmp_path: Path) -> None:
    out = make(tmp_path / "same", {})
    for seed in range(SEEDS):
        for arm in ("bgadl", "bald"):
            write_run(out / arm / f"seed_{seed}", [0.5, 0.6], method=arm, seed=seed)
    (harm,) = findings.harms(findings.read([out]), np.random.default_rng(0))
    assert harm.result.t_interval() == (0.0, 0.0)
    assert harm.holds is True


def test_claims_stay_as_they_were_when_the_study_was_begun(tmp_path: Path) -> None:
    make(tmp_path / "s", {})
    with pytest.raises(RunFolderError, match="claims are others than the study was begun with"):
        make(tmp_path / "s", {}, dataclasses.replace(CLAIMS, margin=1.0))


def test_claims_made_late_are_called_so(tmp_path: Path) -> None:
    out = make(tmp_path / "late", {"bgadl": 0.02}, None)
    planned = study_folder.saved(out)
    assert planned is not None
    study_folder.claim(out, dataclasses.replace(planned, claims=CLAIMS))
    text = claims_report.write([out], tmp_path / "claims").read_text()
    assert "**Claimed late on `late`:** these claims were added after 15 runs had finished" in text


def test_a_run_of_another_protocol_decides_nothing_and_is_named(tmp_path: Path) -> None:
    out = make(tmp_path / "mixed", {"bgadl": 0.02})
    write_run(out / "bald/seed_0", [0.5, 0.1], method="bald", steps=7)
    (out / "bald/seed_1/config.json").write_text("")
    text = claims_report.write([out], tmp_path / "claims").read_text()
    assert "Left out on `mixed`: bald/seed_0: steps is 7, the study's is 300.\n" in text
    assert "Left out on `mixed`: bald/seed_1: cannot read" in text
    assert "| 3 of 5 |" in text


def test_bad_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path / "silent", {}, None)
    make(tmp_path / "one", {})
    make(tmp_path / "other" / "one", {})
    for folders, message in (
        (["none"], "is no folder of a study"),
        (["silent"], "makes no claims; name them under 'claims'"),
        (["one", "other/one"], "two studies are called 'one'"),
    ):
        paths = [str(tmp_path / folder) for folder in folders]
        assert cli.main(["claims", *paths, "--out", str(tmp_path / "out")]) == cli.BAD_INPUT
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert cli.main(["claims", str(tmp_path / "one"), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/out/claims.md\n"
