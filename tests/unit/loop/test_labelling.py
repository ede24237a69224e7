"""Answers that come late, are corrected, or are about what has gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import LedgerError, PoolError
from bgadl_tf.core.types import UNLABELLED, Id
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.id_matching import Ids
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
        self.history.keep(None)
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
    assert labelling.known_ids == {id_: id_ for id_ in "abcd"}
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


def named(contents: str, names: str, labels: dict[str, int] | None = None) -> Dataset:
    """Images by what they show, under other names; labels by what they show."""
    shown = dataset(contents, labels)
    part = ExampleSet((*names,), shown.train.examples, shown.train.labels)
    return Dataset("letters", part, shown.test, NAMES)


def test_an_id_twice_in_the_ledger_is_refused(run: Run) -> None:
    run.start(dataset("abcd")).tell({"a": 0}, "ann")
    run.journal.close()
    file = run.path / "labels.jsonl"
    file.write_text(file.read_text() * 2)
    with pytest.raises(LedgerError, match="line 2: id 'a' is recorded already; mend or delete"):
        run.start(dataset("abcd"))


def test_a_renamed_image_is_corrected(run: Run) -> None:
    labelling = run.start(dataset("abcd", {"a": 0, "b": 1, "c": 0, "d": 1}))
    labelling.tell({"a": 0, "b": 1}, "held-back")
    run.journal.close()
    # Somebody moves a file to where it belongs.
    labelling = run.start(named("abcd", "xbcd", {"a": 1, "b": 1, "c": 0, "d": 1}))
    assert labelling.given() == {"x": 1}
    labelling.tell(labelling.given(), "held-back", correct=True)
    assert labelling.given() == {}
    run.journal.close()
    assert run.start(named("abcd", "xbcd")).pool.labels == {"x": 1, "b": 1}


def test_a_name_that_is_used_again_is_that_of_the_new_image(run: Run) -> None:
    labelling = run.start(dataset("ab"))
    labelling.tell({"a": 0}, "ann")
    run.journal.close()
    labelling = run.start(named("abc", "xba"))  # a is x now, and a is another
    assert labelling.pool.labels == {"x": 0}
    run.ask("a")
    labelling.tell({"a": 1}, "ann")
    run.journal.close()
    labelling = run.start(named("abc", "xba"))
    assert labelling.pool.labels == {"x": 0, "a": 1}
    assert labelling.open(0).ids == ()


def test_other_contents_under_the_name_of_what_has_gone_have_no_label(run: Run) -> None:
    labelling = run.start(dataset("abcd"))
    labelling.tell({"a": 0, "b": 1}, "ann")
    run.journal.close()
    run.start(dataset("bcd"))
    run.journal.close()
    labelling = run.start(named("ebcd", "abcd"))
    assert labelling.pool.labels == {"b": 1}
    run.journal.close()
    # Nor has what was renamed to it, and what is back has its own.
    assert run.start(named("debca", "adbcx")).pool.labels == {"b": 1, "x": 0}


def test_images_that_are_numbered_anew_keep_their_labels(run: Run) -> None:
    labelling = run.start(named("abcd", "1234"))
    labelling.tell({"1": 0, "2": 1, "3": 0}, "file")
    file = {"1": 0, "2": 1, "3": 0}
    run.journal.close()
    labelling = run.start(named("eabcd", "12345"))
    assert labelling.pool.labels == {"2": 0, "3": 1, "4": 0}
    # The rows of the file are of the numbers of then.
    assert labelling.news(file, "file") == {}
    labelling.tell({"1": 1}, "ann")
    assert labelling.pool.labels["1"] == 1


def test_two_rows_about_one_image_do_not_undo_each_other(run: Run) -> None:
    run.start(dataset("ab")).tell({"a": 0}, "file")
    run.journal.close()
    rows = {"a": 0, "x": 1}
    for news in ({"x": 1}, {}, {}):
        labelling = run.start(named("ab", "xb"))
        assert labelling.news(rows, "file") == news
        labelling.tell(news, "file", correct=True)
        run.journal.close()


def test_who_agrees_with_a_correction_may_go_back_on_it(run: Run) -> None:
    labelling = run.start(dataset("ab"))
    labelling.tell({"a": 0}, "file")
    labelling.tell({"a": 1}, "bob", correct=True)
    labelling.tell(labelling.news({"a": 1}, "file"), "file", correct=True)
    assert labelling.news({"a": 0}, "file") == {"a": 0}


def test_what_went_unanswered_and_is_back_is_asked_by_no_round_that_is_over(run: Run) -> None:
    labelling = run.start(dataset("abcd"))
    run.ask("a", "b")
    labelling.tell({"a": 0}, "ann")
    run.journal.close()
    labelling = run.start(dataset("acd"))
    run.finish()
    run.journal.close()
    labelling = run.start(dataset("abcd"))
    assert not labelling.lost(1)
    assert labelling.open(1).ids == ()
    assert "b" in labelling.pool.unlabelled_ids


def test_names_in_common_are_those_of_one_image(run: Run) -> None:
    part = dataset("ab").train
    first = ExampleSet(("new/1.png", "new/2.png"), part.examples, part.labels)
    run.start(Dataset("letters", first, dataset("ab").test, NAMES))
    run.journal.close()
    moved = ExampleSet(("2024/1.png", "2024/2.png"), part.examples, part.labels)
    labelling = run.start(Dataset("letters", moved, dataset("ab").test, NAMES))
    assert Ids(labelling.known_ids).match("1.png") == "2024/1.png"
