"""The loop's invariants, on tiny learners and the embedded digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from bgadl_tf.acquisition.base import ACQUISITIONS

from bgadl_tf.core import seeding
from bgadl_tf.core.errors import PoolError
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.dataset import Dataset, ExampleSet
from bgadl_tf.data.load import load_dataset
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.loop.active_learner import ActiveLearner, Plan
from bgadl_tf.loop.initial_set import initial_ids
from bgadl_tf.loop.journal import Round
from bgadl_tf.loop.ledger import Ledger
from bgadl_tf.loop.oracles.oracle import HeldBackLabels
from bgadl_tf.runs.run_folder import RunFolder
from tests.support.examples import RecordedImages
from tests.support.learners import small_learner


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """The embedded dataset."""
    return load_dataset("digits")


def make_loop(
    digits: Dataset,
    folder: Path,
    learner: str = "plain",
    acquisition: str = "bald",
    **plan: object,
) -> ActiveLearner:
    strategy = tf.distribute.get_strategy()
    made = small_learner(learner)
    initial = initial_ids(digits.train, 10, 20, seeding.generator(0, 0, "initial_set"))
    journal = RunFolder(folder)
    with journal.opened({}):
        pass
    journal.track(made)
    protocol = Plan(
        rounds=2, query_size=5, initial=initial, candidates=60, steps=5, seed=0, warm_start=False
    )
    return ActiveLearner(
        dataset=digits,
        learner=made,
        acquisition=ACQUISITIONS.get(acquisition)(),
        trainer=Trainer(made, strategy, 20),
        scorer=Scorer(made, strategy, mc_samples=5, chunk=100),
        ledger=Ledger(folder / "labels.jsonl"),
        journal=journal,
        plan=replace(protocol, **plan),
    )


def run(loop: ActiveLearner) -> list[Round]:
    oracle, rounds = HeldBackLabels(loop.dataset.train), []
    while not loop.finished:
        record = loop.step(oracle)
        assert record is not None
        rounds.append(record)
    return rounds


def test_everything_is_traced_once_in_five_rounds(digits: Dataset, tmp_path: Path) -> None:
    loop = make_loop(digits, tmp_path, "vaeacgan", rounds=5)
    run(loop)
    assert loop.trainer.traces == 1
    assert loop.scorer.score_traces == 1
    assert loop.scorer.evaluation_traces == 1


def test_the_pool_is_never_read_as_a_whole(digits: Dataset, tmp_path: Path) -> None:
    assert not isinstance(digits.train.examples, RecordedImages)
    assert isinstance(digits.train.examples, np.ndarray)
    stored = RecordedImages(digits.train.examples)
    train = ExampleSet(digits.train.ids, stored, digits.train.labels)
    records = {}
    for name, dataset in (("memory", digits), ("stored", replace(digits, train=train))):
        (tmp_path / name).mkdir()
        loop = make_loop(dataset, tmp_path / name, "vaeacgan", candidates=0)
        records[name] = [replace(record, seconds={}) for record in run(loop)]
        queries = [loop.journal.query(round_) for round_ in range(3)]
        records[name] += queries
    assert records["stored"] == records["memory"]
    # A chunk of the scorer, or five steps of twenty.
    assert max(len(rows) for rows in stored.asked) == 100
    assert all(rows == sorted(set(rows)) for rows in stored.asked)


def test_labelled_set_and_pool_stay_disjoint_and_complete(digits: Dataset, tmp_path: Path) -> None:
    # In the released code nothing ever leaves the pool, which grows by 2,000 ids a round, and
    # initial points may lie in it (methods, faults 3 and 4).
    loop = make_loop(digits, tmp_path, rounds=3)
    oracle = HeldBackLabels(digits.train)
    bought: list[Id] = []
    for round_ in range(4):
        before = set(loop.pool.unlabelled_ids)
        query = loop.ask()
        assert set(query.ids) <= before
        loop.step(oracle)
        bought += query.ids
        assert len(loop.pool.unlabelled_ids) == len(before) - len(query.ids)
        assert loop.pool.labelled_count == 20 + 5 * round_ == len(bought) == len(set(bought))
        assert not set(bought) & set(loop.pool.unlabelled_ids)
    truth = dict(zip(digits.train.ids, digits.train.labels.tolist(), strict=True))
    assert all(loop.pool.labels[id_] == truth[id_] for id_ in bought)


def test_the_query_is_the_top_of_the_scored_candidates(digits: Dataset, tmp_path: Path) -> None:
    # The released ranks do not index what they are applied to (methods, fault 1).
    loop = make_loop(digits, tmp_path, rounds=1)
    loop.step(HeldBackLabels(digits.train))
    candidates = loop.pool.candidates(60, seeding.generator(0, 1, "candidates"))
    bald = {id_: float(loop._bald(digits.train.examples_of([id_]))[0]) for id_ in candidates}
    best = sorted(bald.values(), reverse=True)[:5]
    asked = loop.ask()
    np.testing.assert_allclose([bald[id_] for id_ in asked.ids], best, atol=1e-5)
    np.testing.assert_allclose(asked.scores, best, atol=1e-5)


def test_accuracy_is_of_this_rounds_model_and_may_fall(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The released code reports a running maximum over the test set (methods, fault 5).
    loop = make_loop(digits, tmp_path, rounds=1)
    oracle = HeldBackLabels(digits.train)
    first = loop.step(oracle)
    monkeypatch.setattr(loop.trainer, "train", lambda *args, **kw: None)
    second = loop.step(oracle)
    assert first is not None
    assert second is not None
    untrained = loop.scorer.evaluate(digits.test.examples, digits.test.labels)
    assert second.test_accuracy == untrained.accuracy
    assert second.test_nll > first.test_nll


def test_round_0_is_the_same_for_every_acquisition(digits: Dataset, tmp_path: Path) -> None:
    accuracies = set()
    for name in ("random", "bald", "margin"):
        (tmp_path / name).mkdir()
        loop = make_loop(digits, tmp_path / name, acquisition=name)
        record = loop.step(HeldBackLabels(digits.train))
        assert record is not None
        accuracies.add((record.test_accuracy, record.test_nll))
    assert len(accuracies) == 1


def test_x_prime_is_made_of_this_rounds_images_and_joins_the_training_set_if_asked(
    digits: Dataset, tmp_path: Path
) -> None:
    sizes = {}
    for keep in (True, False):
        folder = tmp_path / str(keep)
        folder.mkdir()
        loop = make_loop(digits, folder, "vaeacgan")
        object.__setattr__(loop.learner.options, "keep_generated", keep)
        records = run(loop)
        sizes[keep] = len(loop._training_set()[0])
        generated = loop.journal.generated(2)
        assert generated is not None
        assert generated.ids == records[2].queried
        assert generated.labels.tolist() == [loop.pool.labels[id_] for id_ in generated.ids]
        images = digits.train.examples_of(generated.ids).astype(float)
        distance = np.sqrt(((generated.images - images) ** 2).sum(axis=(1, 2, 3))) / 255.0
        np.testing.assert_allclose(generated.distance, distance, rtol=1e-5)
        assert records[2].reconstruction_error == pytest.approx(distance.mean(), rel=1e-5)
        np.testing.assert_allclose(generated.bald, loop._bald(generated.images), atol=0.5)
    assert sizes == {True: 40, False: 30}  # 20 + 2 x 5 labelled; one x' for each of the 10 asked


def test_partial_answers_are_kept_and_the_rest_is_asked_again(
    digits: Dataset, tmp_path: Path
) -> None:
    loop = make_loop(digits, tmp_path)
    loop.step(HeldBackLabels(digits.train))
    asked = loop.ask().ids
    loop.tell({asked[2]: 1, asked[0]: None})
    assert loop.ask().ids == (asked[1], asked[3], asked[4])
    with pytest.raises(PoolError, match="3 labels are missing"):
        loop.fit()
    again = make_loop(digits, tmp_path)
    assert again.ask().ids == (asked[1], asked[3], asked[4])
    again.tell(dict.fromkeys(again.ask().ids, 0))
    assert again.fit().labelled == 24
    assert again.pool.skipped == (asked[0],)


@pytest.mark.parametrize(("label", "message"), [(10, "expected 0 to 9"), (-1, "expected 0 to 9")])
def test_an_impossible_answer_changes_nothing(
    digits: Dataset, tmp_path: Path, label: Label, message: str
) -> None:
    loop = make_loop(digits, tmp_path)
    first, second, *_ = loop.ask().ids
    with pytest.raises(PoolError, match=message):
        loop.tell({first: 1, second: label})
    with pytest.raises(PoolError, match="was not asked for"):
        loop.tell({first: 1, digits.train.ids[0] + "?": 1})
    assert loop.pool.labelled_count == 0
    assert not (tmp_path / "labels.jsonl").exists()


def test_an_oracle_without_an_answer_stops_the_run(digits: Dataset, tmp_path: Path) -> None:
    class Silent:
        source = "nobody"

        def answer(self, ids: Sequence[Id]) -> Mapping[Id, Label | None]:
            return {}

    loop = make_loop(digits, tmp_path)
    assert loop.run(Silent()) is False
    assert loop.run(HeldBackLabels(digits.train)) is True
    assert loop.finished
