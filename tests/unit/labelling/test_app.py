"""The page over HTTP: what is sent is read with distrust."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from bgadl_tf.labelling.app import FILES, PAGE
from bgadl_tf.labelling.guard import SECURITY_HEADERS, Guard
from bgadl_tf.labelling.worker import Phase
from tests.support.labelling import Labelling, begin, labelling, ledger, served

TAB, OTHER = "a" * 32, "b" * 32


class Page(NamedTuple):
    """A page that is served."""

    here: Labelling
    folder: Path
    url: str

    def post(self, what: str, **fields: Any) -> requests.Response:
        """What a tab of Ann's sends."""
        fields = {"tab": TAB, "name": "Ann", **fields}
        return requests.post(f"{self.url}api/{what}", json=fields, timeout=60)

    def image(self, id_: str) -> requests.Response:
        """An image."""
        return requests.get(f"{self.url}image", params={"id": id_}, timeout=60)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Asks about six images; tests leave them unanswered."""
    run = begin(tmp_path_factory.mktemp("app"))
    with labelling(run) as here:
        here.until(Phase.LABELLING)
        with served(here) as url:
            yield Page(here, run, url)


@pytest.fixture
def unchanged(page: Page) -> Iterator[None]:
    """Nothing is recorded, and the page still answers."""
    before = ledger(page.folder)
    yield
    assert ledger(page.folder) == before
    state = page.post("show").json()
    assert (state["phase"], state["query"]["left"]) == ("labelling", 6)


@pytest.mark.usefixtures("unchanged")
def test_files_of_the_page_ask_for_nothing_from_elsewhere(page: Page) -> None:
    assert {file.name for file in PAGE.iterdir()} == {name for name, _ in FILES.values()}
    for path in FILES:
        answer = requests.get(page.url + path[1:], timeout=60)
        assert answer.status_code == 200
        assert "://" not in answer.text.replace("http://www.w3.org/2000/svg", "")
        assert all(answer.headers[name] == is_ for name, is_ in SECURITY_HEADERS.items())
    assert requests.get(page.url + "page.py", timeout=60).status_code == 404
    assert requests.get(page.url + "../app.py", timeout=60).status_code == 404
    assert requests.post(page.url, timeout=60).status_code == 405


@pytest.mark.usefixtures("unchanged")
def test_images_are_those_of_the_pool_alone(page: Page) -> None:
    id_ = page.post("show").json()["current"]["id"]
    answer = page.image(id_)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    for unknown in ("../run/config.json", "/etc/passwd", "", "..", f"{id_}/../{id_}", "\x00"):
        assert page.image(unknown).status_code == 404
    assert requests.get(f"{page.url}image", timeout=60).status_code == 404


def test_what_is_acknowledged_is_on_disk(page: Page) -> None:
    id_ = page.post("show").json()["current"]["id"]
    state = page.post("answer", id=id_, label=1).json()
    line = ledger(page.folder)[-1]
    assert (line["id"], line["label"], line["source"]) == (id_, 1, "page:Ann")
    assert state["current"]["id"] != id_
    assert state["recent"][0] == {"id": id_, "label": 1, "who": "Ann"}
    assert page.post("undo").json()["current"]["id"] == id_
    assert ledger(page.folder)[-1]["withdrawn"] is True


@pytest.mark.usefixtures("unchanged")
def test_two_tabs(page: Page) -> None:
    mine = page.post("show").json()["current"]["id"]
    theirs = page.post("show", tab=OTHER, name="Bob").json()["current"]["id"]
    assert mine != theirs
    refused = page.post("answer", id=theirs, label=0)
    assert (refused.status_code, "somebody else" in refused.json()["error"]) == (409, True)
    assert page.post("release", tab=OTHER, name="").json() == {}
    assert page.post("show").json()["query"]["with_others"] == 0
    assert page.post("show", name="").json()["current"] is None


@pytest.mark.parametrize(
    ("what", "fields", "status"),
    [
        ("answer", {"id": "nobody", "label": 0}, 409),
        ("answer", {"id": "", "label": 0}, 400),
        ("answer", {"id": ["a"], "label": 0}, 400),
        ("answer", {"id": "x" * 5000, "label": 0}, 400),
        ("answer", {"label": 0}, 400),
        ("answer", {"id": "CURRENT", "label": 3}, 409),
        ("answer", {"id": "CURRENT", "label": -1}, 409),
        ("answer", {"id": "CURRENT", "label": 10**300}, 409),
        ("answer", {"id": "CURRENT", "label": "zero"}, 400),
        ("answer", {"id": "CURRENT", "label": True}, 400),
        ("answer", {"id": "CURRENT", "label": 0.0}, 400),
        ("answer", {"id": "CURRENT"}, 400),
        ("answer", {"id": "CURRENT", "label": 0, "name": ""}, 400),
        ("answer", {"id": "CURRENT", "label": 0, "name": "a\nb"}, 400),
        ("answer", {"id": "CURRENT", "label": 0, "name": "\ud800"}, 400),
        ("answer", {"id": "CURRENT", "label": 0, "name": "x" * 61}, 400),
        ("answer", {"id": "CURRENT", "label": 0, "name": 7}, 400),
        ("answer", {"id": "CURRENT", "label": 0, "tab": "short"}, 400),
        ("answer", {"id": "CURRENT", "label": 0, "tab": None}, 400),
        ("correct", {"id": "CURRENT", "label": 0}, 409),
        ("undo", {"name": "Nobody"}, 409),
        ("class", {"class": "zero"}, 409),
        ("class", {"class": " "}, 400),
        ("class", {"class": "a\u202eb"}, 400),
        ("class", {"class": {"a": 1}}, 400),
        ("release", {"tab": "<script>"}, 400),
        ("nothing", {}, 404),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_what_makes_no_sense_changes_nothing(
    page: Page, what: str, fields: dict[str, Any], status: int
) -> None:
    if fields.get("id") == "CURRENT":
        fields = {**fields, "id": page.post("show").json()["current"]["id"]}
    answer = page.post(what, **fields)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"label": ' + b"9" * 60_000 + b"}", "application/json", 400),
        (b" " * 2**17, "application/json", 413),
        (b"x" * 2**22, "application/json", 413),
        (b"{}", "text/plain", 415),
        (b"tab=1", "application/x-www-form-urlencoded", 415),
        (b"{}", "", 415),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_what_is_no_json_changes_nothing(page: Page, body: bytes, kind: str, status: int) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = requests.post(f"{page.url}api/answer", data=body, headers=headers, timeout=60)
    assert answer.status_code == status, answer.text


@pytest.mark.usefixtures("unchanged")
def test_other_origins_and_names_are_refused(page: Page) -> None:
    fields = {"tab": TAB, "name": "Ann"}
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        for send in (
            lambda headers: requests.post(
                f"{page.url}api/show", json=fields, headers=headers, timeout=60
            ),
            lambda headers: requests.get(page.url, headers=headers, timeout=60),
        ):
            answer = send(headers)
            assert answer.status_code == 403
            assert all(answer.headers[name] == is_ for name, is_ in SECURITY_HEADERS.items())


def test_the_token_of_the_address_is_kept_as_a_cookie(page: Page) -> None:
    with served(page.here, Guard(None, "secret", "token")) as url:
        browser = requests.Session()
        assert browser.get(url, timeout=60).status_code == 401
        assert browser.get(f"{url}?token=wrong", timeout=60).status_code == 401
        assert browser.get(f"{url}page.js?token=secret", timeout=60).status_code == 401
        fields = {"tab": TAB, "name": "Ann"}
        assert browser.post(f"{url}api/show", json=fields, timeout=60).status_code == 401
        first = browser.get(f"{url}?token=secret", allow_redirects=False, timeout=60)
        assert (first.status_code, first.headers["Location"]) == (303, "/")
        assert "HttpOnly" in first.headers["Set-Cookie"]
        assert browser.get(url, timeout=60).status_code == 200
        assert browser.post(f"{url}api/show", json=fields, timeout=60).status_code == 200


def test_a_disk_that_is_full_is_told_and_nothing_recorded(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, content: Any) -> int:
        raise OSError(28, "No space left on device")

    id_ = page.post("show").json()["current"]["id"]
    before = ledger(page.folder)
    with monkeypatch.context() as patched:
        patched.setattr("bgadl_tf.core.durable._write_all", full)
        answer = page.post("answer", id=id_, label=0)
    assert answer.status_code == 500
    assert "No space left on device" in answer.json()["error"]
    assert ledger(page.folder) == before
    assert page.post("answer", id=id_, label=0).status_code == 200
    page.post("undo")
