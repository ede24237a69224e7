from __future__ import annotations

import json
from pathlib import Path

import pytest

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import runs
from tests.support.study.folders import curve, write_run


def test_reads_a_run(tmp_path: Path) -> None:
    run = runs.read(write_run(tmp_path / "a", [0.5, 0.7], seed=3))
    assert (run.arm, run.seed, run.finished, run.is_reference) == ("bgadl", 3, True, False)
    assert run.curve.labelled.tolist() == [20, 30]
    assert run.curve.accuracy.tolist() == [0.5, 0.7]


def test_a_run_is_finished_with_one_line_more_than_rounds(tmp_path: Path) -> None:
    assert not runs.read(write_run(tmp_path / "a", [0.5, 0.7], rounds=2)).finished
    assert runs.read(write_run(tmp_path / "b", [0.5, 0.7, 0.8], rounds=2)).finished


def test_a_line_still_being_written_is_neither_read_nor_cut_off(tmp_path: Path) -> None:
    path = write_run(tmp_path, [0.5]) / "rounds.jsonl"
    content = path.read_text() + '{"round": 1, "lab'
    path.write_text(content)
    assert len(runs.read(tmp_path).rounds) == 1
    assert path.read_text() == content


def test_the_whole_set_is_one_line_whatever_the_rounds(tmp_path: Path) -> None:
    run = runs.read(write_run(tmp_path, [0.98], method="bda-full", rounds=10))
    assert run.is_reference
    assert run.finished


@pytest.mark.parametrize(("acquisition", "arm"), [("bald", "bgadl"), ("margin", "vaeacgan+margin")])
def test_an_arm_without_method_is_named_by_its_pair(
    tmp_path: Path, acquisition: str, arm: str
) -> None:
    assert runs.read(write_run(tmp_path, [0.5], method=None, acquisition=acquisition)).arm == arm


def test_an_arm_is_called_what_its_study_calls_it(tmp_path: Path) -> None:
    write_run(tmp_path / "all" / "seed_0", [0.9], method="bda-full", rounds=3)
    write_run(tmp_path / "notes" / "a", [0.9])
    (folder,) = runs.folders(tmp_path)
    run = runs.read(folder, folder.parent.name)
    assert (run.arm, run.method, run.is_reference, run.finished) == ("all", "bda-full", True, True)


def test_configs_of_older_and_newer_runs_are_one_protocol(tmp_path: Path) -> None:
    old = runs.read(write_run(tmp_path / "old", [0.5], options=["width=0.5"], data_dir="/a"))
    new = runs.read(
        write_run(
            tmp_path / "new", [0.5, 0.6], method=None, seed=1, rounds=0, data_dir="/b",
            options={"width": 0.5}, fingerprint={"images": 3}, backbone=None,
        )
    )  # fmt: skip
    assert (old.arm, new.arm) == ("bgadl", "bgadl")
    assert runs.differing_settings([old, new]) == {}


def test_refuses_what_is_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"has no config\.json"):
        runs.read(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(RunFolderError, match="cannot read"):
        runs.read(tmp_path)
    (tmp_path / "config.json").write_text('{"seed": 1}')
    with pytest.raises(RunFolderError, match="seed and rounds"):
        runs.read(tmp_path)


def test_refuses_damaged_rounds(tmp_path: Path) -> None:
    path = write_run(tmp_path, [0.5, 0.6]) / "rounds.jsonl"
    path.write_text("nonsense\n" + path.read_text())
    with pytest.raises(RunFolderError, match="line 1 is not JSON"):
        runs.read(tmp_path)
    path.write_text('{"round": 0, "labelled": 20}\n')
    with pytest.raises(RunFolderError, match="lacks a number 'test_accuracy'"):
        _ = runs.read(tmp_path).curve


def test_a_run_without_rounds_has_no_curve(tmp_path: Path) -> None:
    run = runs.read(write_run(tmp_path, [], rounds=3))
    with pytest.raises(RunFolderError, match="no learning curve"):
        _ = run.curve


def test_groups_by_arm_and_refuses_twins(tmp_path: Path) -> None:
    made = [
        runs.read(write_run(tmp_path / f"{m}{s}", [0.5], method=m, seed=s))
        for m, s in (("random", 1), ("bgadl", 0), ("random", 0))
    ]
    groups = runs.by_arm(made)
    assert {arm: [run.seed for run in group] for arm, group in groups.items()} == {
        "random": [0, 1],
        "bgadl": [0],
    }
    with pytest.raises(RunFolderError, match="are both random with seed 1"):
        runs.by_arm([made[0], *made])


def test_settings_in_which_arms_may_differ_are_no_difference(tmp_path: Path) -> None:
    one = runs.read(write_run(tmp_path / "a", [0.5], seed=0, steps=10))
    two = runs.read(write_run(tmp_path / "b", [0.5], method="random", seed=1, steps=20))
    full = runs.read(
        write_run(tmp_path / "c", [0.9], method="bda-full", initial_size=1437, steps=10)
    )
    assert runs.differing_settings([one, two, full]) == {"steps": [10, 20]}


def test_curves_are_validated() -> None:
    with pytest.raises(ValueError, match="one length"):
        curve([1, 2], [0.1])
    with pytest.raises(ValueError, match="strictly increase"):
        curve([2, 2], [0.1, 0.2])


def change(folder: Path, changes: dict[int, dict[str, object]]) -> Path:
    """Give some rounds of a run other entries."""
    file = folder / "rounds.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for number, entries in changes.items():
        lines[number] |= entries
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_rounds_without_a_test_set_are_no_part_of_the_curve(tmp_path: Path) -> None:
    none = {"test_accuracy": None, "test_nll": None}
    folder = change(write_run(tmp_path, [0.5, 0.6, 0.7]), {0: none})
    assert runs.read(folder).curve.accuracy.tolist() == [0.6, 0.7]
    change(folder, {1: none, 2: none})
    with pytest.raises(RunFolderError, match="has no learning curve"):
        _ = runs.read(folder).curve


def test_where_labelled_images_have_gone_the_newest_rounds_count(tmp_path: Path) -> None:
    run = write_run(tmp_path, [0.5, 0.6, 0.7, 0.8])  # 20, 30, 40, 50 labels
    curve = runs.read(change(run, {3: {"labelled": 25}})).curve
    assert (curve.labelled.tolist(), curve.accuracy.tolist()) == ([20, 25], [0.5, 0.8])


def test_what_was_declined_cost_a_label(tmp_path: Path) -> None:
    run = write_run(tmp_path, [0.5, 0.6, 0.7, 0.8])
    # Of ten synthesised examples each: none is labelled, then six, then all.
    change(
        run,
        {
            1: {"labelled": 20, "facts": {"declined": 10.0}},
            2: {"labelled": 26, "facts": {"declined": 4.0}},
            3: {"labelled": 36, "facts": {"declined": 0.0}},
        },
    )
    found = runs.read(run)
    assert found.curve.labelled.tolist() == [20, 30, 40, 50]
    assert found.curve.accuracy.tolist() == [0.5, 0.6, 0.7, 0.8]
    assert [record["labelled"] for record in found.rounds] == [20, 20, 26, 36]


def test_rounds_with_another_test_set_are_known(tmp_path: Path) -> None:
    run = write_run(tmp_path, [0.5, 0.6, 0.7, 0.8])
    assert runs.read(run).other_test_sets == []
    change(run, {2: {"test_set": 1}, 3: {"test_set": 2}})
    assert runs.read(run).other_test_sets == [2, 3]
