"""``bgadl score`` asked of a server that cannot do it: one line that helps, and nothing left."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bgadl_tf.core import durable
from tests.support.fake_grpc import grpc_server
from tests.support.fake_model import SIGNATURES, FakeModel, FaultError
from tests.support.fake_rest import rest_server
from tests.support.score_tools import (
    IDS,
    Score,
    address,
    content_of,
    expected_order,
    model,
    pool,
    score,
    table,
)
from tests.support.web_pages import web_server

__all__ = ["address", "model", "pool", "score"]

Serving = Callable[[FakeModel], AbstractContextManager[str]]
BALD = {name for name in SIGNATURES if name.startswith("bald")}


def refused(
    score: Score, capsys: pytest.CaptureFixture[str], *flags: str, server: str | None = None
) -> str:
    """The line that the command ends with; it must not go well."""
    capsys.readouterr()
    assert (score(*flags) if server is None else score(*flags, server=server)) == 2
    lines = [line.rpartition("\r")[2] for line in capsys.readouterr().err.splitlines()]
    (line,) = [line for line in lines if line.startswith("bgadl")]
    return line


@pytest.mark.parametrize("serving", [rest_server, grpc_server])
@pytest.mark.parametrize(
    ("lacks", "message"),
    [
        (
            {*SIGNATURES} - {"serving_default"},
            (
                "has no signature 'bald_bytes_seeded'; it has serving_default: it is a model "
                "without BALD scores; serve one that 'bgadl export RUN' wrote"
            ),
        ),
        (
            {name for name in SIGNATURES if "bytes" in name},
            (
                "it has augment, bald, bald_seeded, metadata, serving_default: it does not score "
                "image files by a seed"
            ),
        ),
        ({"bald_bytes_seeded"}, "has no signature 'bald_bytes_seeded'; it has augment, bald, bald"),
        ({*BALD, "serving_bytes"}, "it is a generator; name the classifier instead"),
        ({*BALD, "augment"}, "its classifier has no dropout"),
    ],
)
def test_a_model_without_the_signature(
    score: Score,
    tmp_path: Path,
    model: FakeModel,
    capsys: pytest.CaptureFixture[str],
    serving: Serving,
    lacks: set[str],
    message: str,
) -> None:
    model.lacks = lacks
    before = sorted(tmp_path.rglob("*"))
    with serving(model) as server:
        line = refused(score, capsys, server=server)
    assert message in line
    assert "model 'classifier' at" in line
    assert "so far" not in line
    assert "again" not in line
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("serving", [rest_server, grpc_server])
def test_a_name_that_no_model_has(
    score: Score,
    tmp_path: Path,
    model: FakeModel,
    capsys: pytest.CaptureFixture[str],
    serving: Serving,
) -> None:
    with serving(model) as server:
        line = refused(score, capsys, "--model", "birds", server=server)
    assert "Could not find any versions of model birds" in line
    assert line.endswith("is 'birds' the name it is served by?")
    assert not (tmp_path / "scores.csv.partial").exists()


def test_a_version_that_is_not_there_is_no_matter_of_the_name(
    score: Score, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(score, capsys, "--model-version", "9")
    assert line.endswith("is not served (available: 1, 3)")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({}, "does not answer as TF-Serving does: a web page, 'My wiki'; is it the address of"),
        ({"status": 404}, "a web page, 'My wiki' (HTTP 404); is it the address of a model server?"),
        ({"content": "<p>Hello</p>"}, "TF-Serving does: a web page; is it the address"),
        ({"content": '{"detail": "Not Found"}', "status": 404}, '{"detail": "Not Found"} (HTTP 4'),
        ({"content": '{"name": "classifier", "ready": true}'}, "does not answer as TF-Serving"),
        ({"content": "[]"}, "does not answer as TF-Serving does: []; is it the address"),
        ({"content": "", "status": 404}, "does not answer as TF-Serving does: Not Found (HTTP 404"),
        (
            {"status": 302, "headers": {"Location": "https://login.example/x"}},
            "failed: a redirection to https://login.example/x (HTTP 302)",
        ),
        ({"status": 403}, "failed: a web page, 'My wiki' (HTTP 403)"),
        ({"status": 502}, "or has no time: a web page, 'My wiki' (HTTP 502); gave up after"),
    ],
)
def test_a_server_of_another_kind(
    score: Score,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    answer: dict[str, object],
    message: str,
) -> None:
    before = sorted(tmp_path.rglob("*"))
    with web_server(**answer) as server:  # type: ignore[arg-type]
        line = refused(score, capsys, server=server)
    assert message in line
    assert "<" not in line
    assert "so far" not in line
    assert sorted(tmp_path.rglob("*")) == before


def test_a_server_that_dies_before_the_first_score_leaves_no_advice(
    score: Score, tmp_path: Path, model: FakeModel, capsys: pytest.CaptureFixture[str]
) -> None:
    model.refuses = lambda _: _refuse("UNAVAILABLE")
    line = refused(score, capsys)
    assert line.endswith("is the server running there?")
    assert not (tmp_path / "scores.csv.partial").exists()


def test_a_model_that_refuses_every_image_leaves_no_advice(
    score: Score, tmp_path: Path, model: FakeModel, capsys: pytest.CaptureFixture[str]
) -> None:
    model.refuses = lambda _: _refuse("INVALID_ARGUMENT")
    assert "refuses every image" in (line := refused(score, capsys))
    assert "so far" not in line
    assert not (tmp_path / "scores.csv.partial").exists()


@pytest.mark.parametrize(
    ("code", "kept", "advice"),
    [
        ("UNAVAILABLE", 3, ": run the same command again to go on"),
        ("INTERNAL", 6, ": when the server is mended, run the same command again to go on"),
    ],
)
def test_scores_are_spoken_of_where_there_are_some(
    score: Score,
    tmp_path: Path,
    model: FakeModel,
    capsys: pytest.CaptureFixture[str],
    code: str,
    kept: int,
    advice: str,
) -> None:
    model.refuses = lambda number: _refuse(code) if number >= kept // 3 else None
    line = refused(score, capsys, "--in-flight", "1")
    partial = tmp_path / "scores.csv.partial"
    assert f"; the {kept} scores so far are kept in {partial}{advice}" in line
    assert len(partial.read_text().splitlines()) == 1 + kept


def test_another_model_of_the_same_number_is_to_be_replaced_or_begun_with(
    score: Score, model: FakeModel, capsys: pytest.CaptureFixture[str]
) -> None:
    model.refuses = lambda number: _refuse("UNAVAILABLE") if number else None
    refused(score, capsys, "--in-flight", "1")
    model.refuses = lambda _: None
    model.metadata = {"run": "another"}
    line = refused(score, capsys)
    assert "is another model than the one with this number" in line
    assert "or add --restart to begin anew with what is served now" in line


def test_a_header_without_a_score_binds_nobody(
    score: Score, tmp_path: Path, model: FakeModel
) -> None:
    """What a process leaves that is killed between its first two writes."""
    header = {"format": 1, "source": "folder:/elsewhere", "model": "x", "version": 9, "seed": 4}
    (tmp_path / "scores.csv.partial").write_text(json.dumps(header) + "\n")
    assert score("--seed", "5") == 0
    assert [row["id"] for row in table(tmp_path / "scores.csv")] == expected_order(5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pool", "scores.csv"]


def test_failures_are_kept_as_scores_are(
    score: Score, tmp_path: Path, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.bad = {content_of(id_) for id_ in IDS[:3]}
    writes: list[object] = []
    append = durable.append_json_lines

    def interrupted(*arguments: object) -> None:
        if len(writes) == 2:
            raise KeyboardInterrupt
        writes.append(arguments)
        append(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(durable, "append_json_lines", interrupted)
        assert score("--in-flight", "1") == 130
    assert (tmp_path / "scores.csv.partial").read_text().count('"error"') == 3


def _refuse(code: str) -> None:
    raise FaultError(code)
