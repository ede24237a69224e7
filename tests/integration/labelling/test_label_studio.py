"""A run and the real Label Studio: push, two people annotate, pull, train, push again.

Run with ``make labelstudio``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf.cli import main
from bgadl_tf.labelling.labelstudio import command, tokens
from bgadl_tf.labelling.taken_up import taken_up
from tests.support.label_studio_process import ANN, TOKEN, Person, label_studio
from tests.support.labelling import begin, right
from tests.support.photos import NAMES
from tests.support.run_tools import no_pictures

__all__ = ["no_pictures"]

pytestmark = [pytest.mark.labelstudio, pytest.mark.usefixtures("no_pictures")]

ROUND_0, ROUND_1 = 20, 180


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("label_studio")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with label_studio(folder / "server", folder) as url:
        yield url


@pytest.fixture(scope="module")
def ann(url: str) -> Person:
    person = Person(url)
    person.log_in(ANN)
    return person


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    """Waits for the first labels of a pool of 240 digits."""
    return begin(
        folder, rows=range(240), classes=range(10), initial_size=ROUND_0, query_size=ROUND_1,
        rounds=1,
    )  # fmt: skip


def asked(run: Path) -> tuple[str, ...]:
    with taken_up(run) as opened:
        return opened.loop.ask().ids


def tasks(person: Person, project: int) -> dict[str, dict[str, Any]]:
    """Tasks by id; none is there twice."""
    found: dict[str, dict[str, Any]] = {}
    page = 1
    while True:
        answer = person.ask("GET", "/api/tasks/", project=project, fields="all", page=page)
        for task in answer["tasks"]:
            assert task["data"]["bgadl_id"] not in found, "there twice"
            found[task["data"]["bgadl_id"]] = task
        if len(found) >= answer["total"]:
            return found
        page += 1


def asks_for(person: Person, project: int) -> str:
    """The id that is asked next."""
    task = person.ask("GET", f"/api/projects/{project}/next")
    id_: str = task["data"]["bgadl_id"]
    return id_


def test_two_people_label_a_run(
    url: str,
    ann: Person,
    run: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(tokens.VARIABLE, TOKEN)
    push = ["labelstudio", "push", str(run), "--url", url, "--project", "digits"]
    assert main(push) == 0
    (project,) = [
        one["id"] for one in ann.ask("GET", "/api/projects/")["results"] if one["title"] == "digits"
    ]
    there = tasks(ann, project)
    query = asked(run)
    assert len(query) == ROUND_0
    assert set(there) == set(query)
    assert main(push) == 0
    assert set(tasks(ann, project)) == set(query)
    assert "20 images, 0 of them new there" in capsys.readouterr().out

    # Alone, Ann is asked in the order of the query.
    annotations: dict[str, int] = {}
    for id_ in query[:12]:
        assert asks_for(ann, project) == id_
        annotations[id_] = ann.annotate(there[id_]["id"], right(id_))
    bob = Person(url)
    bob.sign_up("bob@example.com")
    for id_ in query[12:18]:
        annotations[id_] = bob.annotate(there[id_]["id"], right(id_))
    bob.annotate(there[query[18]]["id"], skip=True)
    bad = bob.annotate(there[query[19]]["id"], "cow")
    wrong = next(name for name in NAMES if name != right(query[0]))
    ann.change(annotations[query[0]], wrong)

    pull = ["labelstudio", "pull", str(run), "--url", url, "--project", str(project), "--no-export"]
    assert main(pull) == command.WAITING
    told = capsys.readouterr()
    assert "new: 18 labels, 1 skip\n" in told.out
    assert "round 0 lacks 1 label:" in told.out
    with taken_up(run) as opened:
        sources = {one.source for one in opened.loop.journal.ledger.records()}
        assert sources == {f"labelstudio:{ann.id}", f"labelstudio:{bob.id}"}
        labels, names = opened.loop.pool.labels, opened.loop.dataset.class_names
        assert names[labels[query[0]]] == wrong

    # A correction, a deletion, and the bad choice mended.
    ann.change(annotations[query[0]], right(query[0]))
    ann.change(annotations[query[1]])
    assert main([*pull, "--no-fit"]) == command.WAITING
    told = capsys.readouterr()
    assert (
        "new: 1 label, 0 skips, 1 correction among them; deleted, so asked for again: 1" in told.out
    )
    assert asked(run) == (query[1], query[19])
    ann.annotate(there[query[1]]["id"], right(query[1]))
    bob.change(bad, right(query[19]))

    # With a personal access token, as people have them today.
    personal = ann.ask("POST", "/api/token/", {})["token"]
    monkeypatch.setenv(tokens.VARIABLE, personal)
    assert main(pull) == command.WAITING
    assert "round 1 lacks 180 labels" in capsys.readouterr().out

    later = asked(run)
    assert len(later) == ROUND_1
    assert main(push) == 0
    assert "180 images, 180 of them new there" in capsys.readouterr().out
    there = tasks(ann, project)
    assert set(there) == {*query, *later}
    (prediction,) = there[later[5]]["predictions"]
    assert prediction["result"][0]["value"]["choices"][0] in NAMES
    assert main(push) == 0
    assert "180 images, 0 of them new there" in capsys.readouterr().out
    assert set(tasks(ann, project)) == {*query, *later}

    # Several members are asked at random among the first of the order, one more than they are.
    assert asks_for(ann, project) in later[:3]
    ann.ask("DELETE", f"/api/organizations/1/memberships/{bob.id}/")
    first = asks_for(ann, project)
    for id_ in [first, *(id_ for id_ in later if id_ != first)][:10]:
        assert asks_for(ann, project) == id_
        ann.annotate(there[id_]["id"], right(id_))

    # The same from files, of which nothing is new after the server was asked.
    assert main(pull) == command.WAITING
    assert "new: 10 labels, 0 skips\n" in capsys.readouterr().out
    for format_ in ("JSON", "JSON_MIN", "CSV"):
        file = folder / f"export.{format_}"
        answer = ann.session.get(
            f"{url}/api/projects/{project}/export", params={"exportType": format_}, timeout=300
        )
        file.write_bytes(answer.content)
        assert main(["labelstudio", "pull", str(run), "--file", str(file)]) == command.WAITING
        told = capsys.readouterr()
        assert "new: 0 labels, 0 skips\n" in told.out, format_
        assert "left out" not in told.err, format_
    with (run / "to_label.csv").open(newline="") as rows:
        assert {row["id"] for row in csv.DictReader(rows)} == {*query, *later}


def test_odd_names_local_files_and_late_classes(
    url: str, ann: Person, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tokens.VARIABLE, TOKEN)
    run = begin(folder / "served & odd")
    pool = run.parent / "photos" / "unlabelled"
    odd = ('a, "b".png', "ü [1]{2}.png", "50% #1?.png", "c'd\\e.png")
    for name, file in zip(odd, sorted(pool.iterdir()), strict=False):
        file.rename(pool / name)
    with taken_up(run) as opened:
        opened.loop.ask()
    push = ["labelstudio", "push", str(run), "--url", url, "--project", "served digits"]
    with_files = [*push, "--document-root", str(folder)]
    assert main(with_files) == 0
    (project,) = [
        one["id"]
        for one in ann.ask("GET", "/api/projects/")["results"]
        if one["title"] == "served digits"
    ]
    there = tasks(ann, project)
    assert len(there) == 6
    assert main(with_files) == 0
    assert tasks(ann, project).keys() == there.keys()
    for id_, task in there.items():
        answer = ann.session.get(url + task["data"]["image"], timeout=300)
        assert answer.content == (run.parent / "photos" / id_).read_bytes()
    with taken_up(run) as opened:
        opened.add_class("three")
    assert main(push) == 0
    config = ann.ask("GET", f"/api/projects/{project}/")["label_config"]
    assert '<Choice value="three" hotkey="4"' in config
