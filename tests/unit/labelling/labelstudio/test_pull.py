"""Answers, skips, corrections and deletions come back, and nothing is told twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf.labelling.labelstudio import project as projects
from bgadl_tf.labelling.labelstudio import tasks, telling
from bgadl_tf.labelling.labelstudio.api import LabelStudio
from bgadl_tf.labelling.labelstudio.asked import asked
from bgadl_tf.labelling.labelstudio.images import Uploaded
from bgadl_tf.labelling.labelstudio.project import Project
from bgadl_tf.labelling.labelstudio.pull import pull
from bgadl_tf.labelling.originals import Originals
from bgadl_tf.labelling.taken_up import taken_up
from bgadl_tf.runs.open_run import OpenRun
from tests.support.fake_label_studio import LEGACY, FakeLabelStudio, serving
from tests.support.labelling import begin, right

NOTHING = telling.Pulled(0, 0, 0, (), (), [])


class Labelled:
    """A run, a project with its tasks, and who annotates them."""

    def __init__(self, opened: OpenRun, fake: FakeLabelStudio, url: str) -> None:
        self.opened, self.loop, self.fake = opened, opened.loop, fake
        self.studio = LabelStudio(url, LEGACY, pauses=())
        self.project: Project = projects.made(
            self.studio, "digits", opened.loop.dataset.class_names
        )
        self.push()
        self.ids = self.loop.ask().ids

    def push(self) -> tasks.Pushed:
        return tasks.push(
            self.studio, self.project, asked(self.loop), Uploaded(Originals(self.opened))
        )

    def task(self, id_: str) -> int:
        return next(t["id"] for t in self.fake.tasks.values() if t["data"]["bgadl_id"] == id_)

    def annotate(self, id_: str, *choices: str, **how: Any) -> int:
        return self.fake.annotate(self.task(id_), *choices, **how)

    def pull(self) -> telling.Pulled:
        return pull(self.loop, self.studio, self.project)

    def answers(self) -> dict[str, str | None]:
        """What holds, by id."""
        pool, names = self.loop.pool, self.loop.dataset.class_names
        return {
            id_: names[pool.labels[id_]] if id_ in pool.labels else None
            for id_ in pool.ids
            if pool.is_answered(id_)
        }


@pytest.fixture
def labelled(tmp_path: Path) -> Iterator[Labelled]:
    fake = FakeLabelStudio()
    with serving(fake) as url, taken_up(begin(tmp_path)) as opened:
        yield Labelled(opened, fake, url)


def records(opened: OpenRun) -> list[tuple[str, int | None, str]]:
    return [(one.id, one.label, one.source) for one in opened.loop.journal.ledger.records()]


def test_over_a_round(labelled: Labelled) -> None:
    first, second, third, fourth, *rest = labelled.ids
    labelled.annotate(first, "one")
    labelled.annotate(second, skip=True, by=2)
    wrong = labelled.annotate(third, "two", "one")
    problem = (
        f"task {labelled.task(third)} ({third!r}) has 2 choices, 'two' and 'one'; expected one"
    )
    assert labelled.pull() == telling.Pulled(1, 1, 0, (), (), [problem])
    assert labelled.answers() == {first: "one", second: None}
    assert records(labelled.opened) == [
        (first, 1, "labelstudio:1"),
        (second, None, "labelstudio:2"),
    ]
    assert labelled.pull().problems
    assert len(records(labelled.opened)) == 2

    labelled.fake.change(wrong, "two")
    labelled.annotate(second, "zero", by=2)
    odd = labelled.annotate(fourth, "cow")
    problem = f"({fourth!r}) has the choice 'cow', which is no class of the run"
    problem = f"task {labelled.task(fourth)} {problem}"
    assert labelled.pull() == telling.Pulled(2, 0, 1, (), (), [problem])
    assert labelled.answers() == {first: "one", second: "zero", third: "two"}

    labelled.fake.change(wrong)
    labelled.fake.change(odd)
    assert labelled.pull() == telling.Pulled(0, 0, 0, (third,), (), [])
    assert labelled.pull() == NOTHING
    assert third in labelled.loop.ask().ids
    assert labelled.push().created == 0

    annotations = {id_: labelled.annotate(id_, right(id_)) for id_ in (third, fourth, *rest)}
    assert labelled.pull() == telling.Pulled(4, 0, 0, (), (), [])
    telling.go_on(labelled.opened, fit=False)
    assert labelled.loop.round == 0
    telling.go_on(labelled.opened)
    assert labelled.loop.round == 1
    assert labelled.pull() == NOTHING
    assert labelled.push() == tasks.Pushed(created=4, predicted=0, annotated=0, asked=4)

    labelled.fake.change(annotations[third])
    labelled.fake.change(annotations[fourth], "zero")
    told = labelled.pull()
    assert told == telling.Pulled(int(right(fourth) != "zero"), 0, told.labelled, (), (third,), [])
    assert labelled.answers()[third] == right(third)
    assert labelled.answers()[fourth] == "zero"


def test_two_who_disagree_are_named_until_they_agree(labelled: Labelled) -> None:
    first, second, *_ = labelled.ids
    labelled.annotate(first, "one")
    other = labelled.annotate(first, "two", by=2)
    labelled.annotate(second, "zero")
    told = labelled.pull()
    assert (told.labelled, labelled.answers()) == (1, {second: "zero"})
    (problem,) = told.problems
    assert problem.startswith(
        f"task {labelled.task(first)} ({first!r}) is said to be 'one' (1) and"
    )
    assert problem.endswith("and 'two' (2): let them agree")
    labelled.fake.change(other, "one")
    assert labelled.pull().labelled == 1
    assert labelled.answers()[first] == "one"


def test_tasks_of_others_are_named(labelled: Labelled) -> None:
    number = labelled.project.id
    body = [{"data": {"image": "x"}}, {"data": {"image": "x", "bgadl_id": "../secret"}}]
    answer = labelled.studio.send("POST", f"/api/projects/{number}/import", body)
    for task in answer["task_ids"]:
        labelled.fake.annotate(task, "one")
    told = labelled.pull()
    assert (told.labelled, len(told.problems)) == (0, 2)
    assert "has no bgadl_id: it was not made by push" in told.problems[0]
    assert "is about '../secret', which is no id of the run" in told.problems[1]


def test_who_answered_elsewhere_is_left_alone(labelled: Labelled) -> None:
    first, second, third, *_ = labelled.ids
    labelled.annotate(first, "one")
    labelled.pull()
    # Somebody corrects it elsewhere; the same annotation is no news.
    labelled.loop.tell({first: "two", second: "zero"}, "file:to_label.csv", correct=True)
    assert labelled.pull() == NOTHING
    assert labelled.answers() == {first: "two", second: "zero"}
    # Of another project, whose tasks this one does not have.
    labelled.loop.tell({third: "one"}, "labelstudio:1")
    task = labelled.fake.tasks.pop(labelled.task(third))
    assert labelled.pull() == NOTHING
    labelled.fake.tasks[task["id"]] = task
    assert labelled.pull().withdrawn == (third,)


def test_a_file_is_as_good_as_a_server(labelled: Labelled, tmp_path: Path) -> None:
    first, second, third, *_ = labelled.ids
    labelled.annotate(first, "one")
    labelled.annotate(second, skip=True)
    labelled.annotate(third, "cow")
    file = tmp_path / "export.json"
    file.write_text(json.dumps(labelled.fake.exported(labelled.project.id)))
    told = telling.tell_file(labelled.loop, file)
    assert (told.labelled, told.declined, len(told.problems)) == (1, 1, 1)
    assert labelled.pull() == telling.Pulled(0, 0, 0, (), (), told.problems)
    # A file that lacks what is told deletes nothing.
    file.write_text("[]")
    assert telling.tell_file(labelled.loop, file) == NOTHING
    assert labelled.answers() == {first: "one", second: None}
