"""The loop's invariants, on tiny learners and the embedded digits."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import PoolView
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core import seeding
from bgadl_tf.core.errors import ConfigError, PoolError, RunFolderError, ScoreError
from bgadl_tf.core.types import UNLABELLED, Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.load import load_dataset
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.plain import Plain
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.further import NAME, mutual_information
from bgadl_tf.loop.oracles.held_back import HeldBackLabels
from bgadl_tf.loop.plan import Plan
from bgadl_tf.loop.round import Round
from tests.support.examples import RecordedImages
from tests.support.learners import small_learner

PLAN = Plan(
    rounds=2, query_size=5, initial_size=20, candidates=60, mc_samples=5, steps=5, batch_size=20
)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """The embedded dataset."""
    return load_dataset("digits")


def make_loop(
    digits: Dataset,
    folder: Path | None = None,
    learner: str = "plain",
    acquisition: Any = "bald",
    callbacks: Sequence[Callback] = (),
    **plan: Any,
) -> ActiveLearner:
    return ActiveLearner(
        small_learner(learner), acquisition, digits, folder=folder, callbacks=callbacks,
        plan=replace(PLAN, **plan),
    )  # fmt: skip


def run(loop: ActiveLearner) -> list[Round]:
    rounds = []
    while not loop.finished:
        record = loop.step()
        assert record is not None
        rounds.append(record)
    return rounds


def bald_of(loop: ActiveLearner, examples: np.ndarray, round_: int) -> np.ndarray:
    """BALD of examples under the masks of a round."""
    seed = seeding.mask_seed(loop.plan.seed, round_)
    return np.concatenate(
        [part for (part,) in loop.scorer.look(examples, seed, mutual_information)]
    )


def test_everything_is_traced_once_in_five_rounds(digits: Dataset) -> None:
    loop = make_loop(digits, None, "vaeacgan", rounds=5)
    run(loop)
    assert loop.fitting.trainer.traces == 1
    # The query's own score, and how informative x* and x' are.
    assert loop.scorer.score_traces == 2
    assert loop.scorer.evaluation_traces == 1


def test_the_pool_is_never_read_as_a_whole(digits: Dataset, tmp_path: Path) -> None:
    stored = RecordedImages(np.asarray(digits.train.examples))
    train = ExampleSet(digits.train.ids, stored, digits.train.labels)
    records: dict[str, list[Any]] = {}
    for name, dataset in (("memory", digits), ("stored", replace(digits, train=train))):
        loop = make_loop(dataset, tmp_path / name, "vaeacgan", candidates=0)
        records[name] = [replace(record, seconds={}) for record in run(loop)]
        records[name] += [loop.journal.query(round_) for round_ in range(3)]
    assert records["stored"] == records["memory"]
    # A chunk of the scorer, or five steps of twenty.
    assert max(len(rows) for rows in stored.asked) == 1000
    assert all(rows == sorted(set(rows)) for rows in stored.asked)


def test_labelled_set_and_pool_stay_disjoint_and_complete(digits: Dataset) -> None:
    # In the released code nothing ever leaves the pool, which grows by 2,000 ids a round, and
    # initial points may lie in it (methods, faults 3 and 4).
    loop = make_loop(digits, rounds=3)
    bought: list[Id] = []
    for round_ in range(4):
        before = set(loop.pool.unlabelled_ids)
        query = loop.ask()
        assert set(query.ids) <= before
        loop.step()
        bought += query.ids
        assert len(loop.pool.unlabelled_ids) == len(before) - len(query.ids)
        assert loop.pool.labelled_count == 20 + 5 * round_ == len(bought) == len(set(bought))
        assert not set(bought) & set(loop.pool.unlabelled_ids)
        loop.pool.check()
    truth = dict(zip(digits.train.ids, digits.train.labels.tolist(), strict=True))
    assert all(loop.pool.labels[id_] == truth[id_] for id_ in bought)


def test_the_query_is_the_top_of_the_scored_candidates(digits: Dataset) -> None:
    # The released ranks do not index what they are applied to (methods, fault 1).
    loop = make_loop(digits, rounds=1)
    loop.step()
    candidates = loop.pool.candidates(60, seeding.generator(0, 1, "candidates"))
    found = [bald_of(loop, digits.train.examples_of([id_]), 1)[0] for id_ in candidates]
    bald = dict(zip(candidates, found, strict=True))
    best = sorted(bald.values(), reverse=True)[:5]
    asked = loop.ask()
    np.testing.assert_allclose([bald[id_] for id_ in asked.ids], best, atol=1e-5)
    np.testing.assert_allclose(asked.scores, best, atol=1e-5)


def test_accuracy_is_of_this_rounds_model_and_may_fall(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The released code reports a running maximum over the test set (methods, fault 5).
    loop = make_loop(digits, rounds=1)
    first = loop.step()
    monkeypatch.setattr(loop.fitting.trainer, "train", lambda *args, **kw: None)
    second = loop.step()
    assert first is not None
    assert second is not None
    untrained = loop.scorer.evaluate(digits.test.examples, digits.test.labels)
    assert second.test_accuracy == untrained.accuracy
    assert untrained.calibration is not None
    noted = Round.from_json(json.loads(json.dumps(second.to_json()))).calibration
    assert noted == untrained.calibration.to_json()
    assert sum(noted["count"]) == len(digits.test)
    assert second.test_nll > first.test_nll


def test_round_0_is_the_same_for_every_acquisition(digits: Dataset) -> None:
    accuracies = set()
    for name in ("random", "bald", "margin"):
        record = make_loop(digits, acquisition=name).step()
        assert record is not None
        accuracies.add((record.test_accuracy, record.test_nll))
    assert len(accuracies) == 1


@pytest.mark.parametrize("warm_start", [False, True])
def test_every_round_begins_from_the_initial_weights(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch, warm_start: bool
) -> None:
    loop = make_loop(digits, warm_start=warm_start)
    classifier = loop.learner.classifier
    initial = [weight.numpy() for weight in classifier.weights]
    begun: list[bool] = []
    train = loop.fitting.trainer.train

    def look(*args: Any, **kw: Any) -> None:
        weights = [weight.numpy() for weight in classifier.weights]
        begun.append(all(map(np.array_equal, weights, initial)))
        train(*args, **kw)

    monkeypatch.setattr(loop.fitting.trainer, "train", look)
    run(loop)
    assert begun == [True, not warm_start, not warm_start]


def test_x_prime_is_made_of_this_rounds_examples_and_joins_the_training_set_if_asked(
    digits: Dataset,
) -> None:
    sizes = {}
    for keep in (True, False):
        learner = small_learner("vaeacgan", keep_generated=keep)
        loop = ActiveLearner(learner, "bald", digits, plan=PLAN)
        records = []
        while not loop.finished:
            if loop.round == 2:
                bald_before = bald_of(loop, digits.train.examples_of(loop.ask().ids), 2)
            record = loop.step()
            assert record is not None
            records.append(record)
            if record.round == 1:
                kept = loop.journal.kept(1, NAME)
        sizes[keep] = len(loop.training_set.labelled(2)[0])
        kept = loop.journal.kept(2, NAME)
        assert kept is not None
        ids = kept["ids"].tolist()
        assert tuple(ids) == records[2].queried
        assert kept["labels"].tolist() == [loop.pool.labels[id_] for id_ in ids]
        images = digits.train.examples_of(ids).astype(float)
        distance = np.sqrt(((kept["examples"] - images) ** 2).sum(axis=(1, 2, 3))) / 255.0
        np.testing.assert_allclose(kept["fact_reconstruction_error"], distance, rtol=1e-5)
        assert records[2].facts["reconstruction_error"] == pytest.approx(distance.mean(), rel=1e-5)
        # Both by the model of the round before, under this round's masks.
        np.testing.assert_allclose(kept["fact_bald_queried"], bald_before, atol=1e-6)
        np.testing.assert_allclose(loop.journal.query(2).scores, bald_before, atol=1e-6)
        assert records[2].facts["bald_queried"] == pytest.approx(bald_before.mean(), abs=1e-6)
        assert set(records[2].facts) == {
            "reconstruction_error", "bald_queried", "bald_generated", "further_per_real",
        }  # fmt: skip
        assert records[0].facts == {"further_per_real": 2.0}
    assert sizes == {True: 40, False: 30}  # 20 + 2 x 5 labelled; one x' for each of the 10 asked


class FailingOnce(Callback):
    """Breaks off the first training of a round after some steps."""

    def __init__(self, round_: int) -> None:
        self.round, self.failed = round_, False

    def on_step(self, round_: int, stage: str, step: int, means: Mapping[str, float]) -> None:
        if round_ == self.round and not self.failed:
            self.failed = True
            raise OSError("no space left")


@pytest.mark.parametrize("round_", [0, 2])
def test_a_fit_that_failed_may_be_called_once_more(
    digits: Dataset, tmp_path: Path, round_: int
) -> None:
    ends = []
    for name, callbacks in (("whole", ()), ("failing", (FailingOnce(round_),))):
        learner = small_learner("vaeacgan", keep_generated=True)
        loop = ActiveLearner(
            learner, "bald", digits, folder=tmp_path / name, callbacks=callbacks, plan=PLAN
        )
        while not loop.finished:
            try:
                loop.step()
            except OSError:
                assert callbacks
                assert loop.round == round_
        weights = [w.numpy() for net in learner.networks.values() for w in net.weights]
        ends.append((weights, loop.training_set.labelled(2), loop.journal.finished()))
    for one, other in zip(ends[0][0], ends[1][0], strict=True):
        np.testing.assert_array_equal(one, other)
    # x' of a round joins the training set once.
    np.testing.assert_array_equal(ends[0][1][0], ends[1][1][0])
    assert len(ends[0][1][0]) == 40
    for one, other in zip(ends[0][2], ends[1][2], strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_partial_answers_are_kept_and_the_rest_is_asked_again(
    digits: Dataset, tmp_path: Path
) -> None:
    loop = make_loop(digits, tmp_path)
    loop.step()
    asked = loop.ask().ids
    loop.tell({asked[2]: 1, asked[0]: None})
    assert loop.ask().ids == (asked[1], asked[3], asked[4])
    with pytest.raises(PoolError, match="3 labels are missing"):
        loop.fit()
    del loop
    again = make_loop(digits, tmp_path)
    assert again.ask().ids == (asked[1], asked[3], asked[4])
    again.tell(dict.fromkeys(again.ask().ids, 0))
    assert again.fit().labelled == 24
    assert again.pool.skipped == (asked[0],)


@pytest.mark.parametrize(
    ("label", "message"),
    [(10, "expected 0 to 9"), (-1, "expected 0 to 9"), ("ten", "name of a class"), (1.5, "1.5"),
     (True, "True")],
)  # fmt: skip
def test_an_impossible_answer_changes_nothing(
    digits: Dataset, tmp_path: Path, label: Any, message: str
) -> None:
    loop = make_loop(digits, tmp_path)
    first, second, *_ = loop.ask().ids
    with pytest.raises(PoolError, match=message):
        loop.tell({first: 1, second: label})
    with pytest.raises(PoolError, match="no example of the pool"):
        loop.tell({first: 1, digits.train.ids[0] + "?": 1})
    assert loop.pool.labelled_count == 0
    assert not (tmp_path / "labels.jsonl").exists()
    loop.tell({first: np.int64(3), second: "4"})
    assert dict(loop.pool.labels) == {first: 3, second: 4}
    with pytest.raises(PoolError, match="labelled in round 0 already"):
        loop.tell({first: 1})


def test_an_oracle_without_an_answer_stops_the_run(digits: Dataset) -> None:
    class Silent:
        source = "nobody"

        def answer(self, query: Query, examples: ExampleSource) -> Mapping[Id, Label | None]:
            assert len(examples) == len(query.ids)
            return {}

    loop = make_loop(digits)
    assert loop.run(Silent()) is False
    assert loop.run(HeldBackLabels(digits.train)) is True
    assert loop.finished


def unlabelled(digits: Dataset) -> Dataset:
    """The same with no training label known to anyone."""
    nobody = np.full(len(digits.train), UNLABELLED, np.int32)
    return replace(digits, train=replace(digits.train, labels=nobody))


def test_ask_tell_and_fit_come_in_any_order(digits: Dataset) -> None:
    loop = make_loop(unlabelled(digits))
    with pytest.raises(PoolError, match="nothing is labelled yet"):
        loop.fit()
    ids = digits.train.ids
    loop.tell({ids[3]: 1, ids[8]: 2})  # nobody asked
    assert loop.fit().labelled == 2
    asked = loop.ask(7)
    assert len(asked.ids) == 7
    assert not {ids[3], ids[8]} & set(asked.ids)
    assert loop.ask(3) == asked  # still open
    loop.tell(dict.fromkeys(asked.ids, 0))
    assert loop.ask().ids == ()
    more = loop.ask(2).ids  # a round may ask again
    assert len(more) == 2
    assert not set(more) & set(asked.ids)
    loop.tell(dict.fromkeys(more, 1))
    assert loop.ask(3).ids != more
    loop.tell(dict.fromkeys(loop.ask().ids))  # declined
    record = loop.fit()
    assert record.labelled == 11
    assert record.queried[:9] == asked.ids + more
    assert loop.fit().labelled == 11  # and another round without a question


def test_labels_that_a_dataset_knows_are_the_initial_set(digits: Dataset) -> None:
    labels = np.where(np.arange(len(digits.train)) < 30, digits.train.labels, UNLABELLED)
    dataset = replace(digits, train=replace(digits.train, labels=labels.astype(np.int32)))
    loop = make_loop(dataset, initial_size=None)
    known = dict(zip(digits.train.ids[:30], labels[:30].tolist(), strict=True))
    assert loop.fit().labelled == 30
    assert dict(loop.pool.labels) == known
    # Further labels of round 0 are asked of a person.
    loop = make_loop(dataset, initial_size=None)
    asked = loop.ask(4).ids
    assert len(asked) == 4
    assert not set(asked) & set(known)
    assert dict(loop.pool.labels) == known


def test_the_first_ask_of_a_pool_without_labels_is_random(digits: Dataset) -> None:
    loop = make_loop(unlabelled(digits))
    first = loop.ask(20).ids
    assert len(first) == 20
    assert first == make_loop(unlabelled(digits)).ask(20).ids
    assert first != make_loop(unlabelled(digits), seed=1).ask(20).ids


def test_what_does_not_fit_together_is_refused(digits: Dataset) -> None:
    with pytest.raises(ConfigError, match=r"\(16, 16, 1\).*\(8, 8, 1\)"):
        ActiveLearner(small_learner("plain", shape=(16, 16, 1)), "bald", digits)
    with pytest.raises(ConfigError, match="steps is 0"):
        Plan(steps=0)
    with pytest.raises(ConfigError, match="unknown acquisition 'bold'"):
        ActiveLearner(small_learner("plain"), "bold", digits)


def test_names_are_enough(digits: Dataset) -> None:
    loop = ActiveLearner("plain", "margin", "digits", plan=replace(PLAN, rounds=0, steps=2))
    assert loop.run()
    assert loop.journal.finished()[0]["labelled"] == 20


class Remembering(Callback):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def on_query(self, round_: int, query: Query) -> None:
        self.told.append(("query", round_, len(query.ids)))

    def on_answers(self, round_: int, answers: Mapping[Id, Label | None]) -> None:
        self.told.append(("answers", round_, len(answers)))

    def on_step(self, round_: int, stage: str, step: int, means: Mapping[str, float]) -> None:
        self.told.append((stage, round_, step, *means))

    def on_round(self, record: Round) -> None:
        self.told.append(("round", record.round, record.labelled))


def test_callbacks_are_told_what_happens(digits: Dataset) -> None:
    callback = Remembering()
    run(make_loop(digits, callbacks=[callback], rounds=1))
    step = ("loss", "accuracy", "classification")
    assert callback.told == [
        ("query", 0, 20), ("answers", 0, 20), ("train", 0, 5, *step), ("round", 0, 20),
        ("query", 1, 5), ("answers", 1, 5), ("train", 1, 5, *step), ("round", 1, 25),
    ]  # fmt: skip


def test_thousands_of_answers_take_no_time(digits: Dataset) -> None:
    count = 8000
    examples = np.zeros((count + 20, 8, 8, 1), np.uint8)
    dataset = Dataset.from_arrays(
        examples, np.arange(count + 20) % 10,
        test_examples=examples[:10], test_labels=np.arange(10),
    )  # fmt: skip
    loop = make_loop(dataset, acquisition="random", initial_size=count)
    ids = loop.ask().ids
    calls = []
    for batch in (ids[: count // 2], ids[count // 2 :]):
        start = time.perf_counter()
        loop.tell(dict.fromkeys(batch, 1))
        calls.append(time.perf_counter() - start)
    assert loop.pool.labelled_count == count
    # Quadratic work was 6 s; this is no measurement of speed but a bound that only that passes.
    assert sum(calls) < 3


@dataclass(frozen=True)
class Synthesising:
    """Asks about examples of its own making."""

    needs = ()
    chooses_initial_set = False

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        ids = tuple(f"made-{view.round}-{number}" for number in range(size))
        examples = rng.integers(0, 256, (size, 8, 8, 1), dtype=np.uint8)
        return Query(ids, (0.0,) * size, examples, {"made": float(size)})


def test_synthesised_examples_are_admitted_asked_about_and_learnt(
    digits: Dataset, tmp_path: Path
) -> None:
    loop = make_loop(digits, tmp_path, "vaeacgan", Synthesising())
    loop.step()
    query = loop.ask()
    assert loop.examples.of(query.ids).shape == (5, 8, 8, 1)
    # Nobody has held back a label of these.
    assert loop.step(HeldBackLabels(digits.train)) is None
    loop.tell(dict.fromkeys(query.ids[:4], 3) | {query.ids[4]: None})
    del loop
    again = make_loop(digits, tmp_path, "vaeacgan", Synthesising())
    assert again.ask().ids == ()
    record = again.fit()
    assert (record.labelled, record.facts["made"], record.facts["declined"]) == (24, 5.0, 1.0)
    examples, labels = again.training_set.labelled(1)
    np.testing.assert_array_equal(examples[-4:], again.examples.of(query.ids[:4]))
    assert labels[-4:].tolist() == [3] * 4
    assert not set(again.ask().ids) & set(query.ids)


class Counting(Plain):
    """Counts the batches it is given; an acquisition's own network."""

    steps = 0

    @property
    def uses_unlabelled(self) -> bool:
        return True

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        assert isinstance(data, Batch)
        assert data.unlabelled is not None
        return super().train_step(data)


@dataclass(frozen=True)
class OwnNetwork:
    """Trains a network of its own, remembers an array, and looks at labelled examples."""

    needs = ()
    chooses_initial_set = False

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        kept = view.remember("mean", lambda: {"round": np.array(view.round)})
        small = small_learner("plain")
        own = Counting(small.classifier)
        own.compile()
        before = [weight.numpy() for weight in own.classifier.weights]
        view.train(own, 3)
        assert any(
            not np.array_equal(a, b.numpy())
            for a, b in zip(before, own.classifier.weights, strict=True)
        )
        labelled = [*view.labels]
        (seen,) = zip(*view.look(self.look, labelled), strict=True)
        assert sum(map(len, seen)) == len(labelled) > 0
        assert set(view.labels.values()) <= set(range(view.classes))
        return Query(tuple(view.ids[:size]), (float(kept["round"]),) * size)

    def look(self, evidence: Any) -> tf.Tensor:
        return evidence.penultimate


def test_an_acquisition_may_train_remember_and_look_at_what_is_labelled(digits: Dataset) -> None:
    loop = make_loop(digits, acquisition=OwnNetwork())
    run(loop)
    # Computed in round 1, and kept.
    assert loop.journal.query(2).scores == (1.0,) * 5
    assert loop.scorer.score_traces == 1


def test_answers_that_a_ledger_has_lost_are_asked_again(digits: Dataset, tmp_path: Path) -> None:
    run(make_loop(digits, tmp_path))
    ledger = tmp_path / "labels.jsonl"
    lines = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join(lines[:22] + lines[23:]))  # one of round 1
    for _ in range(2):  # and once more, with the answer at the end of the file
        loop = make_loop(digits, tmp_path)
        assert loop.run()
        assert loop.pool.labelled_count == 30


@dataclass(frozen=True)
class Broken:
    """Asks what cannot be asked."""

    answer: tuple[Any, ...]

    needs = ()
    chooses_initial_set = False

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        return Query(*self.answer)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ((("nobody",), (1.0,)), PoolError, "no example of the pool is called 'nobody'"),
        ((("digits-0000",), (1.0, 2.0)), ScoreError, "1 ids and 2 scores"),
        ((("digits-0000",), (float("nan"),)), ScoreError, "not finite"),
        ((("digits-0000",), (0.0,), None, {"radius": float("inf")}), ScoreError, "not finite"),
        ((("digits-0000",) * 2, (0.0, 0.0)), PoolError, "twice"),
    ],
)
def test_a_query_that_cannot_be_is_refused_and_not_kept(
    digits: Dataset, answer: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    loop = make_loop(digits, acquisition=Broken(answer))
    loop.step()
    with pytest.raises(error, match=message):
        loop.ask()
    assert loop.journal.query(1) is None


def test_numbers_of_numpy_can_be_kept(digits: Dataset) -> None:
    ids = digits.train.ids[5:7]
    query = (ids, tuple(np.float32([2, 1])), None, {"radius": np.float32(3)})
    loop = make_loop(digits, acquisition=Broken(query), seed=3)
    loop.step()
    assert loop.ask().scores == (2.0, 1.0)


def test_a_round_that_asked_about_synthesised_examples_asks_once(digits: Dataset) -> None:
    loop = make_loop(digits, None, "vaeacgan", Synthesising())
    loop.step()
    loop.tell(dict.fromkeys(loop.ask().ids, 1))
    with pytest.raises(PoolError, match="cannot ask again"):
        loop.ask(3)
    loop.fit()


def test_a_round_that_has_begun_to_train_asks_no_more(digits: Dataset, tmp_path: Path) -> None:
    loop = make_loop(digits, tmp_path, "vaeacgan", callbacks=[FailingOnce(1)])
    loop.step()
    with pytest.raises(OSError, match="no space"):
        loop.step()
    assert loop.ask(20).ids == ()
    again = make_loop(digits, tmp_path, "vaeacgan")
    assert again.ask(20).ids == ()
    assert again.fit().labelled == 25


@pytest.mark.parametrize("size", [0, -5])
def test_how_many_labels_cannot_be(digits: Dataset, size: int) -> None:
    loop = make_loop(digits)
    loop.step()
    with pytest.raises(PoolError, match="expected 1 or more"):
        loop.ask(size)


def test_a_folder_of_something_else_is_left_alone(digits: Dataset, tmp_path: Path) -> None:
    (tmp_path / ".photo.tmp").touch()
    with pytest.raises(RunFolderError, match=r"holds '.photo.tmp' and nothing of a run"):
        make_loop(digits, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".photo.tmp"]


def test_a_run_goes_on_under_its_own_plan(digits: Dataset, tmp_path: Path) -> None:
    make_loop(digits, tmp_path).step()
    with pytest.raises(RunFolderError, match="steps was 5, now 6; go on with its plan"):
        make_loop(digits, tmp_path, steps=6)
    assert make_loop(digits, tmp_path, rounds=5).step() is not None  # longer
