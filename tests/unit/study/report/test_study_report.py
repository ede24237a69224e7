from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import report, study_folder
from bgadl_tf.study.claims import Claims
from tests.support.study.folders import rewrite_rounds, write_run
from tests.support.study.protocols import on_datasets, protocol
from tests.support.study.times import without_times


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for seed in range(3):
        top = 0.01 * seed
        write_run(tmp_path / f"random/seed_{seed}", [0.5, 0.7 + top], method="random", seed=seed)
        write_run(tmp_path / f"bgadl/seed_{seed}", [0.5, 0.8 + 1.1 * top], seed=seed)
    write_run(tmp_path / "bgadl/seed_3", [0.5], seed=3, rounds=1)
    write_run(tmp_path / "bda-full/seed_0", [0.98], method="bda-full", rounds=0, initial_size=1437)
    return tmp_path


def test_report(out: Path) -> None:
    text = report.write(out).read_text()
    assert text.startswith("# digits: 3 arms, 7 runs\n")
    assert "Left out: bgadl seed 3, with 1 of 2 rounds finished." in text
    assert "`bgadl` higher than `random`" in text
    assert "There is no finished run of `bald`" in text
    assert "Not one protocol" not in text
    assert text.index("| bgadl ") < text.index("| random ") < text.index("| bda-full ")
    assert text.count("### Labels saved beside `random`") == 1
    assert text.count("### Cost beside `random`") == 1
    assert "Facts of the rounds" not in text
    assert (out / "learning_curves.png").stat().st_size
    results = json.loads((out / "results.json").read_text())
    assert results["bgadl"]["1"]["test_accuracy"] == pytest.approx([0.5, 0.811])
    assert results["bgadl"]["1"]["seconds"] == pytest.approx(3.5)
    assert results["bda-full"]["0"]["aubc"] is None


def test_arms_to_compare_with(out: Path) -> None:
    text = report.write(out, ["bgadl"]).read_text()
    assert "`random` lower than `bgadl`" in text
    assert [line for line in text.splitlines() if "Against" in line] == ["## Against `bgadl`"]
    assert "There is no finished run of `bogus`" in report.write(out, ["bogus"]).read_text()


def test_a_report_is_the_same_every_time(out: Path) -> None:
    texts = [report.write(out).read_bytes() for _ in range(2)]
    assert texts[0] == texts[1]


def test_reports_of_slower_runs_differ_in_their_times_alone(out: Path) -> None:
    names = ("report.md", "report.html", "results.json", "curves.csv")
    report.write(out)
    before, texts = without_times(out), {name: (out / name).read_text() for name in names}
    seconds = {"train": 12345.0, "score": 0.5, "evaluate": 0.25}
    rewrite_rounds(out / "bgadl/seed_1", lambda record: {**record, "seconds": seconds})
    report.write(out)
    assert without_times(out) == before
    assert not [name for name in names if (out / name).read_text() == texts[name]]
    for text in before.values():
        assert "bgadl" in text
        assert "evaluate" in text
    rewrite_rounds(out / "bgadl/seed_1", lambda record: {**record, "test_accuracy": 0.6})
    report.write(out)
    after = without_times(out)
    assert not [name for name in names if after[name] == before[name]]


def test_runs_of_two_protocols_are_pointed_out(out: Path) -> None:
    write_run(out / "bald/seed_0", [0.5, 0.7], method="bald", dataset="mnist")
    assert "**Not one protocol:** `dataset` is" in report.write(out).read_text()


def test_runs_of_another_protocol_are_named_and_left_out(out: Path) -> None:
    study_folder.claim(out, protocol("random", "bgadl", "bda-full", seeds=(0, 1, 2, 3), rounds=1))
    write_run(out / "random/seed_0", [0.5, 0.99], method="random", steps=100)
    write_run(out / "random/seed_1", [0.5, 0.99], method="bald", seed=7)
    write_run(out / "random/seed_9", [0.5, 0.99], method="random", seed=9)
    write_run(out / "backup/seed_0", [0.5, 0.99], method="random")
    text = report.write(out).read_text()
    assert "Left out: random/seed_0: steps is 100, the study's is 300.\n" in text
    assert (
        "Left out: random/seed_1: it is of bald, the study's is of random; seed is 7, the" in text
    )
    assert "Left out: random/seed_9: the study has no such seed.\n" in text
    assert "Left out: backup/seed_0: the study has no such arm.\n" in text
    assert [*json.loads((out / "results.json").read_text())["random"]] == ["2"]


def test_late_claims_and_seeds_of_tuning_are_said(out: Path) -> None:
    text = report.write(out).read_text()
    assert "Claimed late" not in text
    assert "Seeds of tuning" not in text
    write_run(out / "random/seed_100", [0.5, 0.7], method="random", seed=100)
    planned = protocol("random", "bgadl", "bda-full", seeds=(0, 1, 2, 3, 100), rounds=1)
    claims = Claims(wins=(("bgadl", "random"),))
    study_folder.claim(out, dataclasses.replace(planned, claims=claims))
    text = report.write(out).read_text()
    assert "**Claimed late:** these claims were added after 9 runs had finished rounds" in text
    assert "**Seeds of tuning:** 100. From 100 on `bgadl tune` takes its seeds" in text


def test_damaged_runs_are_named_and_the_others_reported_on(out: Path) -> None:
    (out / "random/seed_0/config.json").write_text("")
    (out / "random/seed_1/rounds.jsonl").write_text('{"round": 0}\n{"round": 1}\n')
    text = report.write(out).read_text()
    assert text.startswith("# digits: 3 arms, 5 runs\n")
    assert f"Left out: random/seed_0: cannot read {out}/random/seed_0/config.json" in text
    assert "Left out: random/seed_1: " in text


def test_an_arm_whose_runs_are_not_of_one_kind_is_pointed_out(out: Path) -> None:
    write_run(out / "bgadl/seed_0", [0.5, 0.8], options={"width": 0.5, "new": 1})
    write_run(out / "bgadl/seed_1", [0.5, 0.8], seed=1, options={"width": 1.0})
    assert "**Not one arm:** `width` of `bgadl` is 0.5 and 1.0.\n" in report.write(out).read_text()


def test_a_report_of_references_alone_has_no_curves(tmp_path: Path) -> None:
    write_run(tmp_path / "bda-full/seed_0", [0.98], method="bda-full")
    assert "learning_curves.png" not in report.write(tmp_path).read_text()


def test_nothing_to_report(tmp_path: Path) -> None:
    write_run(tmp_path / "bgadl/seed_0", [0.5], rounds=3)
    with pytest.raises(RunFolderError, match="holds 1 runs, none of them finished"):
        report.write(tmp_path)


def test_arms_of_one_method_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    write_run(tmp_path / "bgadl/seed_0", [0.5, 0.8])
    write_run(tmp_path / "narrow/seed_0", [0.5, 0.7])
    write_run(tmp_path / "all/seed_0", [0.98], method="bda-full", rounds=0, initial_size=1437)
    text = report.write(tmp_path, ["bgadl"]).read_text()
    assert text.startswith("# digits: 3 arms, 3 runs\n")
    assert text.index("| bgadl ") < text.index("| narrow ") < text.index("| all ")


def test_facts_of_older_and_newer_rounds(tmp_path: Path) -> None:
    old = write_run(tmp_path / "bgadl/seed_0", [0.5, 0.8]) / "rounds.jsonl"
    new = write_run(tmp_path / "bgadl/seed_1", [0.5, 0.8], seed=1) / "rounds.jsonl"
    for path, facts in (
        (old, {"reconstruction_error": 2.5}),
        (new, {"facts": {"reconstruction_error": 2.0, "gap": 1}}),
    ):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        lines[1] |= facts
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    text = report.write(tmp_path).read_text()
    assert "## Facts of the rounds" in text
    assert "| reconstruction_error | 2.25 ± 0.354 |" in text
    found = json.loads((tmp_path / "results.json").read_text())["bgadl"]
    assert found["0"]["facts"] == {"reconstruction_error": [None, 2.5]}
    assert found["1"]["facts"] == {"gap": [None, 1.0], "reconstruction_error": [None, 2.0]}


def test_compare_draws_any_runs(out: Path) -> None:
    folders = [out / "bgadl/seed_0", out / "bgadl/seed_3", out / "bda-full/seed_0"]
    report.compare(folders, out / "new" / "c.png")
    assert (out / "new" / "c.png").stat().st_size
    # The same arm and seed twice is drawn as two lines.
    report.compare([folders[0], write_run(out / "twin", [0.4, 0.5])], out / "new" / "twins.png")
    with pytest.raises(RunFolderError, match="add one that learns"):
        report.compare(folders[2:], out / "new" / "c.png")


def test_accuracies_of_two_test_sets_are_pointed_out(
    out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = out / "random/seed_1/rounds.jsonl"
    first, last = map(json.loads, file.read_text().splitlines())
    file.write_text(f"{json.dumps(first)}\n{json.dumps({**last, 'test_set': 1})}\n")
    told = f"from round 1 on the accuracies of {out / 'random/seed_1'} are of another test set"
    assert f"**Not one test set:** {told}" in report.write(out).read_text()
    report.compare([out / "random/seed_1", out / "bgadl/seed_1"], out / "c.png")
    assert [message for message in caplog.messages if told in message]


def test_arms_on_different_data_are_pointed_out(tmp_path: Path) -> None:
    for arm, prints in (("random", "aa"), ("bgadl", "ab")):
        for seed, fingerprint in enumerate(prints):
            folder = tmp_path / arm / f"seed_{seed}"
            write_run(folder, [0.5, 0.7], method=arm, seed=seed, fingerprint=fingerprint)
    text = report.write(tmp_path).read_text()
    assert "**Not one dataset:** the runs of seed 1 are" in text
    assert "the runs of seed 0 are" not in text


def test_every_round_of_every_run_is_in_the_csv(out: Path) -> None:
    report.write(out)
    lines = (out / "curves.csv").read_text().splitlines()
    assert lines[0].startswith("arm,seed,round,labelled,test_accuracy,test_nll,test_ece,seconds_")
    assert len(lines) == 1 + 6 * 2 + 1  # of the runs that are finished
    assert lines[1].startswith("bgadl,0,0,20,0.5,0.5,,1.0,0.5,0.25")


def test_each_dataset_has_an_answer_and_a_part_of_its_own(tmp_path: Path) -> None:
    for dataset in ("digits", "mnist"):
        for arm, top in (("ours", 0.8), ("random", 0.7)):
            for seed in range(3):
                folder = tmp_path / f"{arm}-{dataset}" / f"seed_{seed}"
                curve = [0.5, top + 0.01 * seed * (1 + (arm == "ours"))]
                write_run(folder, curve, seed=seed, dataset=dataset)
    text = report.write(tmp_path, ["random-digits", "random-mnist"]).read_text()
    assert text.startswith("# Study: 4 arms, 12 runs\n")
    assert "> **digits**: with 30 labels `ours-digits`" in text
    assert "> **mnist**: with 30 labels `ours-mnist`" in text
    assert text.index("\n# digits\n") < text.index("\n# mnist\n")
    assert "(learning_curves_2.png)" in text
    assert (tmp_path / "learning_curves_2.png").stat().st_size


@pytest.fixture
def spaces(tmp_path: Path) -> Path:
    """Two spaces of one dataset, the larger one of which helps."""
    planned = on_datasets(
        protocol("bgadl", "random", seeds=(0, 1, 2, 3), rounds=1),
        {"small": {"image_size": 8}, "large": {"image_size": 14}, "later": {"image_size": 20}},
    )
    study_folder.claim(tmp_path, planned)
    for space, size, gain in (("small", 8, 0.0), ("large", 14, 0.1)):
        for seed in range(3):
            for arm, top in (("bgadl", 0.7 + gain), ("random", 0.7)):
                write_run(
                    tmp_path / space / arm / f"seed_{seed}",
                    [0.5, top + 0.01 * seed * (1 + (arm == "bgadl"))],
                    method=arm, seed=seed, image_size=size, initial=[f"{space}-{seed}"],
                )  # fmt: skip
    return tmp_path


def test_each_space_of_one_dataset_has_an_answer_and_a_part_of_its_own(spaces: Path) -> None:
    write_run(spaces / "large/bgadl/seed_3", [0.5], seed=3, rounds=1)
    text = report.write(spaces, ["random"]).read_text()
    assert text.startswith("# Study: 2 arms, 12 runs\n")
    assert "> **small**: with 30 labels `bgadl` is right on 72.0 %" in text
    assert "> **large**: with 30 labels `bgadl` is right on 82.0 %" in text
    assert "> **later**: no run is finished yet.\n" in text
    assert text.index("\n# small\n") < text.index("\n# large\n")
    assert "\n# later\n" not in text
    assert "Protocol on `small`: dataset digits, rounds 1, initial_size 20, image_size 8." in text
    assert "Left out on `large`: bgadl seed 3, with 1 of 2 rounds finished." in text
    # Initial sets and settings differ between the spaces, and in neither.
    assert "**Not" not in text
    assert (spaces / "learning_curves_2.png").stat().st_size


def test_options_of_acquisitions_are_no_part_of_the_protocol(out: Path) -> None:
    for arm, options in (("a", {"coreset": {"metric": "cosine"}}), ("b", {})):
        write_run(out / arm / "seed_0", [0.5, 0.6], acquisition_options=options)
    assert "acquisition_options" not in report.write(out, ["random"]).read_text()


def test_warnings_say_on_which_dataset(spaces: Path) -> None:
    write_run(spaces / "large/bgadl/seed_0", [0.5, 0.8], image_size=14, initial=["x"])
    text = report.write(spaces, ["random"]).read_text()
    assert "**Not alike on `large`:** seed 0: `random` began with another initial set" in text
    assert "`small`:**" not in text


def test_files_say_the_dataset_of_each_curve(spaces: Path) -> None:
    report.write(spaces)
    assert {path.name for path in spaces.glob("hparams/*/*/seed_2")} == {"seed_2"}
    assert len([*spaces.glob("hparams/*/*/seed_*/events*")]) == 12
    found = json.loads((spaces / "results.json").read_text())
    assert found.keys() == {"datasets"}
    assert found["datasets"].keys() == {"small", "large"}
    assert found["datasets"]["large"]["bgadl"]["0"]["test_accuracy"] == pytest.approx([0.5, 0.8])
    lines = (spaces / "curves.csv").read_text().splitlines()
    assert lines[0].startswith("dataset,arm,seed,round,labelled,test_accuracy,")
    assert lines[1].startswith("small,bgadl,0,0,20,0.5,")
    assert len(lines) == 1 + 2 * 2 * 3 * 2


def test_arms_that_stay_as_good_as_another_one(out: Path) -> None:
    text = report.write(out, ["random"]).read_text()
    assert "### Not lower than `random`" in text
    assert re.search(r"\| \+5\.05 ± 0\.05 +\| \+4\.93 to \+5\.17 +\| shown ", text)
