"""Answers that come late, are corrected, or are about what has gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import PoolError
from bgadl_tf.core.types import UNLABELLED, Id
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.loop.dataset_history import DatasetHistory
from bgadl_tf.loop.folder_journal import FolderJournal
from bgadl_tf.loop.labelling import Labelling
from bgadl_tf.loop.ledger import labels_in
from bgadl_tf.loop.round import Round
from tests.support.examples import some_images

IMAGES = some_images(30)
NAMES = ("bee", "cat")


def dataset(
    ids: str, labels: dict[str, int] | None = None, names: tuple[str, ...] = NAMES
) -> Dataset:
    """Images named by letters; unlabelled unless a label is given."""
    rows = [ord(letter) - ord("a") for letter in ids]
    known = np.array([(labels or {}).get(letter, UNLABELLED) for letter in ids], np.int32)
    test = ExampleSet(("t", "u"), IMAGES[28:], np.array([0, 1], np.int32))
    return Dataset("letters", ExampleSet((*ids,), IMAGES[rows], known), test, names)


class Run:
    """A run folder without any training."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(exist_ok=True)

    def start(self, now: Dataset) -> Labelling:
        self.journal = FolderJournal(self.path)
        self.journal.open()
        self.history = DatasetHistory(self.journal)
        ordered = self.history.ordered(now)
        self.history.start(ordered, len(self.journal.finished()))
        self.history.keep()
        self.labelling = Labelling(ordered, self.journal, self.history)
        return self.labelling

    def ask(self, *ids: Id) -> None:
        query = Query(ids, (0.0,) * len(ids))
        self.journal.save_query(self.labelling.round, query, 0)
        self.labelling.ask(self.labelling.round, query)

    def finish(self) -> None:
        labelled = self.labelling.pool.labelled_count
        self.journal.finish(Round(self.labelling.round, labelled, 0.5, 0.5, (), {}))
        self.labelling.advance(self.labelling.round + 1)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run")


def test_a_correction_is_a_further_line_that_holds_at_once(run: Run) -> None:
    labelling = run.start(dataset("abcd"))
    run.ask("a", "b")
    labelling.tell({"a": 0, "b": 1}, "ann")
    run.finish()
    with pytest.raises(PoolError, match="labelled in round 0 already; correct=True"):
        labelling.tell({"a": 1}, "bob")
    assert labelling.tell({"a": 1, "b": 1, "c": 0}, "bob", correct=True) == {"a": 1, "c": 0}
    lines = [record.to_json() for record in run.journal.ledger.records()]
    assert lines == [
        {"id": "a", "label": 0, "round": 0, "source": "ann"},
        {"id": "b", "label": 1, "round": 0, "source": "ann"},
        {"id": "a", "label": 1, "round": 1, "source": "bob", "correction": True},
        {"id": "c", "label": 0, "round": 1, "source": "bob"},
    ]
    assert labelling.pool.labels == {"a": 1, "b": 1, "c": 0}
    assert labels_in(run.journal.ledger.records(), 0) == {"a": 0, "b": 1}
    assert labelling.corrected_in(1) == ["a"]
    run.journal.close()
    assert run.start(dataset("abcd")).pool.labels == {"a": 1, "b": 1, "c": 0}


def test_what_is_told_while_a_round_trains_holds_from_the_next_one_on(run: Run) -> None:
    labelling = run.start(dataset("abcd"))
    run.ask("a")
    labelling.tell({"a": 0}, "ann")
    labelling.tell({"a": 1, "c": 1}, "bob", correct=True, has_begun=True)
    assert labelling.pool.labels == {"a": 0}
    run.journal.close()
    labelling = run.start(dataset("abcd"))  # killed in the middle
    assert labelling.pool.labels == {"a": 0}
    run.finish()
    assert labelling.pool.labels == {"a": 1, "c": 1}


def test_an_answer_is_withdrawn_and_given_after_all(run: Run) -> None:
    labelling = run.start(dataset("abcd"))
    labelling.tell({"a": 0, "b": None}, "ann")
    labelling.tell({"a": None, "b": 1}, "ann", correct=True)
    assert labelling.pool.labels == {"b": 1}
    assert labelling.pool.skipped == ("a",)
    labelling.pool.check()


def test_only_what_a_source_has_not_said_before_is_news(run: Run) -> None:
    labelling = run.start(dataset("abcd"))
    file = {"a": 0, "b": 1, "c": None}
    assert labelling.news(file, "file") == file
    labelling.tell(file, "file", correct=True)
    assert labelling.news(file, "file") == {}
    labelling.tell({"a": 1}, "bob", correct=True)
    # What the file still says is older than what Bob said.
    assert labelling.news(file, "file") == {}
    assert labelling.news({**file, "b": 0}, "file") == {"b": 0}


def test_what_has_gone_is_skipped_and_what_comes_back_is_known(run: Run) -> None:
    labelling = run.start(dataset("abcd"))
    labelling.tell({"a": 0, "b": 1}, "ann")
    run.ask("c", "d")
    run.journal.close()
    labelling = run.start(dataset("bc"))
    assert labelling.pool.labels == {"b": 1}
    assert labelling.open(0).ids == ("c",)
    assert labelling.known_ids == {*"abcd"}
    assert labelling.news({"a": 1, "c": 1}, "file") == {"c": 1}
    run.journal.close()
    assert run.start(dataset("abc")).pool.labels == {"a": 0, "b": 1}


def test_an_image_under_a_new_name_keeps_its_label(run: Run) -> None:
    labelling = run.start(dataset("abcd"))
    run.ask("a", "b")
    labelling.tell({"a": 0}, "ann")
    run.journal.close()
    renamed = dataset("abcd")
    part = ExampleSet(("x", "y", "c", "d"), renamed.train.examples, renamed.train.labels)
    labelling = run.start(Dataset("letters", part, renamed.test, NAMES))
    assert labelling.pool.labels == {"x": 0}
    assert labelling.open(0).ids == ("y",)
    labelling.tell({"b": 1}, "ann")  # its old name, in a file that somebody still has
    assert labelling.pool.labels == {"x": 0, "y": 1}


def test_a_ledger_of_another_dataset_is_refused(run: Run) -> None:
    labelling = run.start(dataset("abcd"))
    labelling.tell({"a": 0}, "ann")
    line = '{"id": "z", "label": 0, "round": 0, "source": "ann"}\n'
    run.journal.close()
    with (run.path / "labels.jsonl").open("a") as file:
        file.write(line)
    with pytest.raises(PoolError, match="ledger names 'z', which the dataset does not have"):
        run.start(dataset("abcd"))


def test_labels_that_the_dataset_gives_later_are_told(run: Run) -> None:
    labelling = run.start(dataset("abcd", {"a": 0, "b": 1}))
    labelling.tell({"a": 0, "b": 1}, "held-back")
    assert labelling.given() == {}
    run.journal.close()
    # b is relabelled, c gets a label, e and f are new, one of them with a label.
    labelling = run.start(dataset("abcdef", {"a": 0, "b": 0, "c": 1, "e": 1}))
    assert labelling.given() == {"b": 0, "c": 1, "e": 1}


def test_a_simulation_holds_back_the_labels_of_what_is_added(run: Run) -> None:
    run.start(dataset("ab", {"a": 0, "b": 1}))
    run.journal.close()
    labelling = run.start(dataset("abcd", {"a": 0, "b": 1, "c": 1}))
    assert run.history.simulated
    assert labelling.given() == {}


def test_class_order_is_that_of_the_first_start(run: Run) -> None:
    labelling = run.start(dataset("ab", {"a": 0, "b": 1}))
    labelling.tell({"a": "bee", "b": "cat"}, "ann")
    run.journal.close()
    grown = dataset("abc", {"a": 1, "b": 2, "c": 0}, names=("ant", "bee", "cat"))
    labelling = run.start(grown)
    assert run.history.class_names == ("bee", "cat", "ant")
    assert run.history.class_counts == [2, 3]
    assert labelling.pool.labels == {"a": 0, "b": 1}
    assert labelling.given() == {}
    labelling.tell({"c": "ant"}, "ann")
    assert labelling.pool.labels["c"] == 2
    run.journal.close()
    # A class whose images have all gone stays a class.
    run.start(dataset("ab", {"a": 0, "b": 1}))
    assert run.history.class_names == ("bee", "cat", "ant")
