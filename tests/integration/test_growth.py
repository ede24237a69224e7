"""A run whose dataset grows, shrinks, gains a class and is corrected, killed in between."""

from __future__ import annotations

import csv
import functools
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import PoolError
from bgadl_tf.core.types import Id, Json
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.loop import checkpoints
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.ledger import Record, labels_in
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.export import export_once
from bgadl_tf.runs.train import train
from bgadl_tf.study.tasks import Task
from tests.support.photos import NAMES, digits, rows_of, save_digits
from tests.support.repository import REPOSITORY
from tests.support.run_tools import final_weights, no_export, no_pictures

__all__ = ["no_export", "no_pictures"]

pytestmark = pytest.mark.usefixtures("no_pictures", "no_export")

SETTINGS: dict[str, Any] = {
    "method": "bgadl", "options": ("width=0.1", "latent_dim=5", "keep_generated=true"),
    "classifier": "lenet", "query_size": 4, "initial_size": 12, "candidates": 40, "mc_samples": 2,
    "steps": 6, "batch_size": 8,
}  # fmt: skip


class KilledError(Exception):
    """Stands for kill -9: nothing of the process is left but what is on disk."""


class KilledAt(Callback):
    """Kills after some gradient steps of a round, and not a second time."""

    def __init__(self, round_: int) -> None:
        self._round, self.killed = round_, False

    def on_step(self, round_: int, stage: str, step: int, means: Mapping[str, float]) -> None:
        if round_ == self._round and step >= 4 and not self.killed:
            self.killed = True
            raise KilledError


class Photos:
    """A folder of images that changes as people's folders do; a copy changes alike."""

    def __init__(self, root: Path) -> None:
        self.root = root
        save_digits(root, rows_of((4, 5, 6), 0, 200))

    def add(self) -> None:
        save_digits(self.root, rows_of((4, 5, 6), 200, 400))

    def remove(self, run: Path) -> None:
        """Three that are labelled and two that are not."""
        labelled = {line["id"] for line in ledger(run)}
        every = sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*.png"))
        stock = start_of(run)
        kept = [id_ for id_ in every if id_ not in labelled and id_ in stock]
        for id_ in [*sorted(labelled)[:3], *kept[:2]]:
            (self.root / id_).unlink()

    def add_class(self) -> None:
        """``eight`` sorts before all others."""
        save_digits(self.root, rows_of((8,), 0, 150))


def ledger(run: Path) -> list[Json]:
    return [json.loads(line) for line in (run / "labels.jsonl").read_text().splitlines()]


def starts(run: Path) -> list[Json]:
    return [json.loads(line) for line in (run / "dataset.jsonl").read_text().splitlines()]


def start_of(run: Path) -> set[Id]:
    with np.load(run / "arrays" / "dataset" / f"round_{starts(run)[-1]['state']:02d}.npz") as kept:
        ids = kept["ids"].tobytes().decode().split("\0")
        return {id_ for id_, test in zip(ids, kept["in_test"], strict=True) if not test}


def correct(run: Path, answers: Mapping[Id, str]) -> None:
    with (run / "to_label.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "label"), *answers.items()])


def three_corrections(run: Path) -> dict[Id, str]:
    names = json.loads((run / "config.json").read_text())["class_names"]
    asked = [line for line in ledger(run) if line["round"] == 1][:3]
    return {line["id"]: names[(line["label"] + 1) % 3] for line in asked}


GoOn = Callable[[Photos, Path, int], None]
"""One more round, up to the given number."""


def config_of(photos: Photos, rounds: int) -> RunConfig:
    return RunConfig(dataset=f"folder:{photos.root}", rounds=rounds, **SETTINGS)


def go_on(photos: Photos, run: Path, rounds: int) -> None:
    train(config_of(photos, rounds), run)


def killed_in_training(photos: Photos, run: Path, rounds: int) -> None:
    with pytest.raises(KilledError):
        train(config_of(photos, rounds), run, (KilledAt(rounds),))
    train(config_of(photos, rounds), run)


def killed_as_a_process(photos: Photos, run: Path, rounds: int) -> None:
    """kill -9 when what a round makes first is there; then to the end."""
    config = config_of(photos, rounds)
    task = Task("bgadl", run, config)
    command = [sys.executable, "-m", "bgadl_tf.cli", "train", *task.flags]
    query = run / "queries" / f"round_{rounds:02d}.json"
    process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL)
    while not query.exists():
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    subprocess.run(command, cwd=REPOSITORY, check=True, stderr=subprocess.DEVNULL)


def story(root: Path, go_on: GoOn) -> Path:
    """Grown by images, loses five, gains a class, three answers corrected, a round each time."""
    photos, run = Photos(root / "photos"), root / "run"
    go_on(photos, run, 1)
    photos.add()
    go_on(photos, run, 2)
    photos.remove(run)
    go_on(photos, run, 3)
    photos.add_class()
    go_on(photos, run, 4)
    correct(run, three_corrections(run))
    go_on(photos, run, 5)
    return run


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tf.config.experimental.enable_op_determinism()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bgadl_tf.runs.pictures.Pictures.draw", lambda *_: None)
        patch.setattr("bgadl_tf.runs.open_run.export_once", lambda *_: None)
        return story(tmp_path_factory.mktemp("told"), go_on)


def rounds(run: Path) -> list[Json]:
    lines = [json.loads(line) for line in (run / "rounds.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def refuse_different(one: Path, other: Path) -> None:
    assert rounds(one) == rounds(other)
    weights = final_weights(one), final_weights(other)
    assert weights[0].keys() == weights[1].keys()
    different = [n for n in weights[0] if not np.array_equal(weights[0][n], weights[1][n])]
    assert not different


def test_the_files_tell_the_whole_story(told: Path) -> None:
    first, added, removed, classes = starts(told)
    assert first["classes"] == [NAMES[5], NAMES[4], NAMES[6]]
    assert len(added["added"]) == len(rows_of((4, 5, 6), 200, 400))
    assert len(removed["removed"]) == 5
    assert classes["new_classes"] == ["eight"]
    assert classes["classes"] == [*first["classes"], "eight"]
    assert classes["test_added"]
    assert {*classes["added"]} | {*classes["test_added"]} == {
        f"eight/{row:04}.png" for row in rows_of((8,), 0, 150)
    }
    assert [start["round"] for start in starts(told)] == [0, 2, 3, 4]
    assert [line["test_set"] for line in rounds(told)] == [0, 0, 0, 0, 1, 1]
    lines = ledger(told)
    corrections = [line for line in lines if line.get("correction")]
    assert [line["round"] for line in corrections] == [5, 5, 5]
    assert {line["source"] for line in corrections} == {"file:to_label.csv"}
    labelled = labels_in(map(Record.from_json, lines), 5).keys() - {*removed["removed"]}
    assert rounds(told)[-1]["labelled"] == len(labelled)
    # An index never changes its meaning: eight, which sorts first, came last.
    for line in lines:
        if not line.get("correction"):
            assert line["id"].startswith(classes["classes"][line["label"]])


def test_killed_between_and_within_any_two_it_ends_the_same(
    told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr(Trainer, "train", functools.partialmethod(Trainer.train, report_every=2))
    killed = story(tmp_path, killed_in_training)
    refuse_different(told, killed)
    assert ledger(told) == ledger(killed)


@pytest.mark.slow
def test_processes_that_are_killed_end_the_same(told: Path, tmp_path: Path) -> None:
    killed = story(tmp_path, killed_as_a_process)
    refuse_different(told, killed)
    assert ledger(told) == ledger(killed)


def test_replaying_the_files_gives_the_same_weights(told: Path, tmp_path: Path) -> None:
    archive = Photos(tmp_path / "archive")
    archive.add()
    archive.add_class()
    root, run = Photos(tmp_path / "photos").root, tmp_path / "run"
    history, lines = starts(told), ledger(told)
    for number, start in enumerate(history):
        put(archive.root, root, [*start.get("added", ()), *start.get("test_added", ())])
        for id_ in (*start.get("removed", ()), *start.get("test_removed", ())):
            (root / id_).unlink()
        ends = [history[number + 1]["round"] - 1 if number + 1 < len(history) else 5]
        held = [n for n in lines if n.get("correction") and start["round"] <= n["round"] <= ends[0]]
        ends = [n["round"] - 1 for n in held[:1]] + ends
        for last in ends:
            config = RunConfig(dataset=f"folder:{root}", rounds=last, **SETTINGS)
            train(config, run)
            correct(run, {n["id"]: start["classes"][n["label"]] for n in held})
    refuse_different(told, run)
    assert ledger(run) == lines


def put(source: Path, target: Path, ids: Sequence[Id]) -> None:
    for id_ in ids:
        (target / id_).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / id_, target / id_)


def test_what_is_generated_from_a_corrected_image_is_made_anew(told: Path) -> None:
    corrected = {line["id"] for line in ledger(told) if line.get("correction")}
    with np.load(told / "arrays" / "further" / "round_05.npz") as kept:
        anew = dict(zip(kept["ids"].tolist(), kept["labels"].tolist(), strict=True))
    assert corrected <= anew.keys()
    newest = labels_in(map(Record.from_json, ledger(told)), 5)
    assert {id_: anew[id_] for id_ in corrected} == {id_: newest[id_] for id_ in corrected}


def test_photos_without_any_label_begin_with_a_person(tmp_path: Path) -> None:
    root, run = tmp_path / "photos", tmp_path / "run"
    chosen = rows_of((1, 2, 3), 0, 120)
    rows = {
        path.name: row for row, path in zip(chosen, save_digits(root, chosen, "."), strict=True)
    }
    settings = {**SETTINGS, "method": "bald", "options": (), "initial_size": 6, "rounds": 1}

    def go(**more: Any) -> Any:
        return train(RunConfig(dataset=f"folder:{root}", **{**settings, **more}), run)

    def fill_in() -> None:
        with (run / "to_label.csv").open() as file:
            ids = [row["id"] for row in csv.DictReader(file)]
        correct(run, {id_: NAMES[digits()[1][rows[id_]]] for id_ in ids})

    outcome = go(new_classes=("one", "two", "three"))
    assert outcome.waiting_for == run / "to_label.csv"
    fill_in()
    outcome = go()  # the classes are known by now
    assert [line["test_accuracy"] for line in outcome.rounds] == [None]
    fill_in()
    # Somebody holds out a few by then: accuracies begin, and are marked.
    for path in save_digits(root / "test", rows_of((1, 2, 3), 120, 200)):
        assert path.exists()
    outcome = go()
    assert outcome.waiting_for is None
    assert outcome.rounds[1]["test_accuracy"] is not None
    assert [line["test_set"] for line in outcome.rounds] == [0, 1]
    assert len(ledger(run)) == 10


def learner_of(name: str, classes: int) -> Learner:
    options = {
        "vaeacgan": {"width": 0.1, "latent_dim": 5},
        "simsiam": {"pretext_steps": 4, "projection_dim": 8},
        "tod": {},
    }[name]
    learner_type = LEARNERS.get(name)
    classifier = CLASSIFIERS.get("lenet")((8, 8, 1), classes)
    return learner_type.create(classifier, learner_type.options_type(**options))


@pytest.mark.parametrize(
    "name", ["simsiam", "tod", pytest.param("vaeacgan", marks=pytest.mark.slow)]
)
def test_a_class_added_in_a_session_is_as_one_that_a_restart_finds(
    name: str, tmp_path: Path
) -> None:
    tf.config.experimental.enable_op_determinism()
    plan = Plan(rounds=2, query_size=4, initial_size=12, candidates=40, mc_samples=2, steps=4,
                batch_size=8)  # fmt: skip
    whole = load_dataset("digits")
    rows = np.flatnonzero(whole.train.labels < 3)
    test = whole.test.part(np.flatnonzero(whole.test.labels < 3))
    few = Dataset("digits", whole.train.part(rows), test, whole.class_names[:3])
    folders = tmp_path / "session", tmp_path / "restarted"
    for folder in folders:

        def restart(active: ActiveLearner, folder: Path = folder) -> ActiveLearner:
            if folder.name == "session":
                return active
            active.journal.close()
            return ActiveLearner(learner_of(name, 3), "bald", few, folder=folder, plan=plan)

        active = ActiveLearner(learner_of(name, 3), "bald", few, folder=folder, plan=plan)
        assert active.step() is not None
        before = tf.train.latest_checkpoint(folder / "checkpoints")
        active.add_class("other")
        active = restart(active)
        assert active.learner.classifier.classes == 4
        query = active.ask()
        active.tell({**dict.fromkeys(query.ids, 1), query.ids[0]: "other"})
        with pytest.raises(PoolError, match="'other' is a class already"):
            active.add_class("other")
        active.tell({query.ids[1]: "other"}, correct=True)
        assert active.fit().labelled == 16
        # What is newer has another name: a crash while it is written loses nothing.
        assert number_of(tf.train.latest_checkpoint(folder / "checkpoints")) > number_of(before)
        active = restart(active)
        active.add_class("further")
        active = restart(active)
        assert active.learner.classifier.classes == 5
        assert active.step() is not None
        active.journal.close()
    refuse_different(*folders)


def number_of(checkpoint: str) -> int:
    return int(checkpoint.rpartition("-")[2])


def test_what_is_told_after_an_interruption_holds_from_the_next_round_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr(Trainer, "train", functools.partialmethod(Trainer.train, report_every=2))
    plan = Plan(rounds=2, query_size=4, initial_size=12, candidates=40, mc_samples=2, steps=6,
                batch_size=8)  # fmt: skip
    killer = KilledAt(1)
    digits_ = load_dataset("digits")
    active = ActiveLearner("plain", "bald", digits_, folder=tmp_path / "run", plan=plan,
                           callbacks=[killer])  # fmt: skip
    assert active.step() is not None
    with pytest.raises(KilledError):
        active.step()
    wrong = active.pool.labelled_ids[0]
    label = (active.pool.labels[wrong] + 1) % 10
    active.tell({wrong: label}, correct=True)
    assert active.journal.ledger.records()[-1].round == 2
    assert active.pool.labels[wrong] != label
    active.fit()
    assert active.pool.labels[wrong] == label


def test_a_class_that_no_step_has_seen_is_not_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported: list[tuple[int, list[str]]] = []

    def export(learner: Learner, out: Path, *, facts: Json, **_: Any) -> None:
        exported.append((learner.classifier.classes, facts["class_names"]))

    photos, run = Photos(tmp_path / "photos"), tmp_path / "run"
    go_on(photos, run, 1)
    photos.add_class()
    monkeypatch.setattr("bgadl_tf.runs.export.export_models", export)
    monkeypatch.setattr("bgadl_tf.runs.open_run.export_once", export_once)
    go_on(photos, run, 1)
    assert exported == [(3, ["five", "four", "six"])]
    go_on(photos, run, 2)
    assert exported[1:] == [(4, ["five", "four", "six", "eight"])]


def test_pictures_are_drawn_where_what_they_show_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, run = Photos(tmp_path / "photos"), tmp_path / "run"
    with pytest.raises(KilledError):
        train(config_of(photos, 1), run, (KilledAt(1),))
    for line in ledger(run):
        if line["round"] == 1:
            (photos.root / line["id"]).unlink()
    monkeypatch.undo()
    monkeypatch.setattr("bgadl_tf.runs.open_run.export_once", lambda *_: None)
    train(config_of(photos, 1), run)
    assert (run / "figures" / "learning_curve.png").exists()
    assert not list((run / "figures").glob("queried_*"))


def test_a_label_is_corrected_by_moving_the_file(tmp_path: Path) -> None:
    photos, run = Photos(tmp_path / "photos"), tmp_path / "run"
    go_on(photos, run, 1)
    first = ledger(run)[0]["id"]
    other = "six" if not first.startswith("six") else "four"
    (photos.root / first).rename(photos.root / other / "moved.png")
    go_on(photos, run, 2)
    last = ledger(run)[-1] if ledger(run)[-1].get("correction") else ledger(run)[16]
    assert (last["id"], last["round"], last["correction"]) == (f"{other}/moved.png", 2, True)
    assert starts(run)[1]["renamed"] == {first: f"{other}/moved.png"}
    go_on(photos, run, 3)
