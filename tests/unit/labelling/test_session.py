"""Several people label one run, and it trains in between."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from bgadl_tf.core.errors import ConfigError, PoolError, RunFolderError
from bgadl_tf.labelling.originals import Originals
from bgadl_tf.labelling.session import RefusedError, Who
from bgadl_tf.labelling.worker import Phase
from bgadl_tf.loop.callback import Callback
from tests.support.labelling import begin, copied, labelling, ledger
from tests.support.run_tools import no_export, no_pictures

__all__ = ["no_export", "no_pictures"]

ANN, ANN_TOO, BOB = Who("tab-of-ann", "Ann"), Who("tab-two-of-ann", "Ann"), Who("tab-of-bob", "Bob")

pytestmark = pytest.mark.usefixtures("eager", "no_pictures", "no_export")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Waits for labels; to be copied."""
    return begin(tmp_path_factory.mktemp("session"))


@pytest.fixture
def run(begun: Path, tmp_path: Path) -> Path:
    """Waits for labels."""
    return copied(begun, tmp_path)


class Gate(Callback):
    """Stops training in its middle until it may go on, and can make it fail."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self.error: Exception | None = None

    def on_step(self, round_: int, stage: str, step: int, means: Mapping[str, float]) -> None:
        self.reached.set()
        assert self.open.wait(120)
        if self.error is not None:
            error, self.error = self.error, None
            raise error


def test_a_run_is_labelled_to_its_end(run: Path) -> None:
    with labelling(run) as here:
        here.until(Phase.LABELLING)
        first = here.session.show(ANN)
        assert (first["round"], first["rounds"]) == (0, 2)
        assert first["query"] == {"asked": 6, "left": 6, "with_others": 0}
        assert first["current"]["guess"] is None
        assert first["current"]["score"] is None
        assert len(first["next"]) == 3
        assert first["current"]["id"] not in first["next"]
        here.answer_all(ANN)
        here.until(Phase.TRAINING)
        here.until(Phase.LABELLING, Phase.FAILED)
        second = here.session.show(ANN)
        guess = second["current"]["guess"]
        assert 1 / 3 <= guess["probability"] <= 1
        # What is asked for is what BALD finds most informative.
        assert guess["bald"] == pytest.approx(second["current"]["score"], abs=1e-5)
        here.answer_all(ANN)
        here.until(Phase.TRAINING)
        here.until(Phase.LABELLING)
        here.answer_all(ANN)
        here.until(Phase.FINISHED)
        last = here.session.show(BOB)
        assert [one["labelled"] for one in last["finished"]] == [6, 10, 14]
        assert last["export"] == str(run / "export")
        assert last["current"] is None
    assert {line["source"] for line in ledger(run)} == {"page:Ann"}
    assert len({line["id"] for line in ledger(run)}) == 14
    with labelling(run, rounds=3) as here:
        here.until(Phase.LABELLING)
        assert here.session.show(ANN)["query"]["asked"] == 4


def test_no_two_tabs_are_asked_the_same(run: Path) -> None:
    with labelling(run) as here:
        here.until(Phase.LABELLING)
        shown = [here.session.show(who)["current"]["id"] for who in (ANN, ANN_TOO, BOB)]
        assert len({*shown}) == 3
        before = ledger(run)
        with pytest.raises(RefusedError, match="is with somebody else"):
            here.session.answer(ANN, shown[2], 0)
        assert ledger(run) == before
        assert here.session.show(ANN)["query"]["with_others"] == 2
        here.session.answer(BOB, shown[2], 1)
        with pytest.raises(RefusedError, match="somebody else has answered"):
            here.session.answer(ANN, shown[2], 0)
        here.session.release(ANN_TOO)
        assert here.session.show(ANN)["query"]["with_others"] == 1
        here.answer_all(BOB)
        assert here.session.show(BOB)["current"] is None
        assert here.session.show(ANN)["current"]["id"] == shown[0]
        # Who has not said who they are is asked nothing.
        assert here.session.show(Who("nobodys-tab"))["current"] is None
    ids = [line["id"] for line in ledger(run)]
    assert len(ids) == len({*ids}) == 5


def test_many_at_once_answer_everything_once(run: Path) -> None:
    with labelling(run, pause=60.0) as here:
        here.until(Phase.LABELLING)
        crowd = [Who(f"tab-number-{n}", f"person {n % 3}") for n in range(8)]
        threads = [threading.Thread(target=here.answer_all, args=(who,)) for who in crowd]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert here.session.show(ANN)["query"]["left"] == 0
    ids = [line["id"] for line in ledger(run)]
    assert len(ids) == len({*ids}) == 6


def test_an_answer_is_on_disk_when_it_is_acknowledged_and_may_be_said_again(run: Path) -> None:
    with labelling(run) as here:
        here.until(Phase.LABELLING)
        id_ = here.session.show(ANN)["current"]["id"]
        here.session.answer(ANN, id_, 2)
        assert [(line["id"], line["label"]) for line in ledger(run)] == [(id_, 2)]
        again = here.session.answer(ANN, id_, 2)
        assert again["query"]["left"] == 5
        assert len(ledger(run)) == 1
        with pytest.raises(RefusedError, match="you have answered"):
            here.session.answer(ANN, id_, 1)
        other = again["current"]["id"]
        for label in (3, -1, 2**70):
            with pytest.raises(PoolError, match="expected 0 to 2"):
                here.session.answer(ANN, other, label)
        for unknown in ("nobody", "../run/config.json", ""):
            with pytest.raises(RefusedError, match="nobody asks about"):
                here.session.answer(ANN, unknown, 0)
        assert len(ledger(run)) == 1


def test_undo_outlives_the_server(run: Path) -> None:
    with labelling(run) as here:
        here.until(Phase.LABELLING)
        first = here.session.show(ANN)["current"]["id"]
        second = here.session.answer(ANN, first, 0)["current"]["id"]
        here.session.answer(ANN, second, None)
        here.session.correct(ANN, first, 1)
    with labelling(run) as here:
        here.until(Phase.LABELLING)
        with pytest.raises(RefusedError, match="nothing to undo"):
            here.session.undo(BOB)
        state = here.session.undo(ANN)  # of the correction
        assert [(one["id"], one["label"]) for one in state["recent"]] == [
            (second, None),
            (first, 0),
        ]
        state = here.session.undo(ANN)
        assert state["current"]["id"] == second
        assert state["undo"]["id"] == first
        state = here.session.undo(ANN_TOO)
        assert state["current"]["id"] == first
        assert state["undo"] is None
        assert state["query"] == {"asked": 6, "left": 6, "with_others": 1}
        assert here.run.loop.pool.labelled_count == 0


def test_the_last_answer_can_be_undone_for_a_while(run: Path) -> None:
    with labelling(run, pause=30.0) as here:
        here.until(Phase.LABELLING)
        ids = here.answer_all(ANN)
        left = here.session.show(ANN)["begins_in"]
        assert 0 < left <= 30
        state = here.session.undo(ANN)
        assert state["current"]["id"] == ids[-1]
        assert state["begins_in"] is None


def test_what_is_corrected_while_training_holds_from_the_next_round(run: Path) -> None:
    gate = Gate()
    with labelling(run, gate) as here:
        here.until(Phase.LABELLING)
        ids = here.answer_all(ANN)
        assert gate.reached.wait(120)
        state = here.session.show(ANN)
        assert (state["phase"], state["current"]) == ("training", None)
        with pytest.raises(RefusedError, match="is trained on already"):
            here.session.undo(ANN)
        with pytest.raises(RefusedError, match="not while the model trains"):
            here.session.add_class(ANN, "three")
        old = state["recent"][-1]["label"]
        here.session.correct(BOB, ids[0], (old + 1) % 3)
        with pytest.raises(RefusedError, match="no answer that could be corrected"):
            here.session.correct(BOB, "unlabelled/0001.png", 1)
        assert here.run.loop.pool.labels[ids[0]] == old
        gate.open.set()
        here.until(Phase.LABELLING)
        assert here.run.loop.pool.labels[ids[0]] == (old + 1) % 3
    assert (ledger(run)[-1]["round"], ledger(run)[-1]["correction"]) == (1, True)


def test_a_class_is_added_and_its_examples_are_learnt(run: Path) -> None:
    with labelling(run) as here:
        here.until(Phase.LABELLING)
        state = here.session.add_class(ANN, "three")
        assert state["classes"] == ["zero", "one", "two", "three"]
        with pytest.raises(PoolError, match="'three' is a class already"):
            here.session.add_class(ANN, "three")
        with pytest.raises(ConfigError):
            here.session.add_class(ANN, "7")
        here.session.answer(ANN, state["current"]["id"], 3)
        here.answer_all(ANN)
        here.until(Phase.TRAINING)
        here.until(Phase.LABELLING)
    with labelling(run) as here:
        here.until(Phase.LABELLING)
        assert here.session.show(ANN)["classes"][3] == "three"


def test_a_failure_is_shown_and_can_be_tried_again(run: Path) -> None:
    gate = Gate()
    gate.error = RunFolderError("cannot write to it: No space left on device")
    gate.open.set()
    with labelling(run, gate) as here:
        here.until(Phase.LABELLING)
        here.answer_all(ANN)
        here.until(Phase.FAILED)
        state = here.session.show(ANN)
        assert "No space left on device" in state["problem"]
        assert len(ledger(run)) == 6
        gate.error = ZeroDivisionError("a bug")
        here.session.retry(ANN)
        here.until(Phase.CHOOSING, Phase.TRAINING)
        here.until(Phase.FAILED)
        assert here.session.show(ANN)["problem"] == "ZeroDivisionError: a bug"
        here.session.retry(ANN)
        here.until(Phase.LABELLING)
        assert here.session.show(ANN)["problem"] == ""
        assert here.session.show(ANN)["query"]["asked"] == 4


def test_ending_while_it_trains_loses_nothing(run: Path) -> None:
    gate = Gate()
    with labelling(run, gate) as here:
        here.until(Phase.LABELLING)
        here.answer_all(ANN)
        assert gate.reached.wait(120)
        threading.Timer(0.2, gate.open.set).start()
    assert not (run / "rounds.jsonl").exists() or not (run / "rounds.jsonl").read_text()
    with labelling(run) as here:
        here.until(Phase.LABELLING)
        assert here.session.show(ANN)["round"] == 1


def test_what_was_synthesised_is_shown_and_answered(tmp_path: Path) -> None:
    options = [f"simple_gan.{option}" for option in ("steps=2", "latent_dim=4", "width=0.1")]
    run = begin(
        tmp_path, method=None, learner="plain", acquisition="simple_gan", options=options,
        classifier="linear", image_size=8, rounds=1,
    )  # fmt: skip
    with labelling(run) as here:
        here.until(Phase.LABELLING)
        here.answer_all(ANN)
        here.until(Phase.TRAINING)
        here.until(Phase.LABELLING)
        current = here.session.show(ANN)["current"]
        assert current["synthesised"] is True
        # A linear classifier has no dropout.
        assert current["guess"]["bald"] is None
        assert Originals(here.run).of(current["id"]).media_type == "image/png"
        here.session.answer(ANN, current["id"], None)
        assert (run / "synthesised" / f"{current['id']}.png").exists()
