"""Label Studio lets us in, or what keeps us out is said in a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bgadl_tf.core.errors import BusyError, ConfigError, RejectedError, ServerError
from bgadl_tf.labelling.labelstudio import tokens
from bgadl_tf.labelling.labelstudio.api import LabelStudio
from tests.support.fake_label_studio import LEGACY, PERSONAL, FakeLabelStudio, serving
from tests.support.fake_model import FakeModel
from tests.support.fake_rest import rest_server


@pytest.fixture
def fake() -> FakeLabelStudio:
    return FakeLabelStudio()


@pytest.fixture
def url(fake: FakeLabelStudio) -> Iterator[str]:
    with serving(fake) as url:
        yield url


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_both_kinds_of_tokens_are_taken(fake: FakeLabelStudio, url: str) -> None:
    assert LabelStudio(f"{url}/", LEGACY).user["email"] == "ann@example.com"
    assert not fake.access
    assert LabelStudio(url, PERSONAL).user["email"] == "ann@example.com"
    assert fake.access == 1


def test_an_access_token_is_renewed(fake: FakeLabelStudio, url: str) -> None:
    clock = Clock()
    studio = LabelStudio(url, PERSONAL, clock=clock)
    clock.now = 239.0
    studio.get("/api/projects/")
    assert fake.access == 1
    clock.now = 241.0
    studio.get("/api/projects/")
    assert fake.access == 2
    fake.access = 7  # as if it had expired early
    studio.get("/api/projects/")
    assert fake.access == 8


def test_what_is_not_let_in_is_told_why(fake: FakeLabelStudio, url: str) -> None:
    with pytest.raises(ServerError, match=r"does not take the token: Invalid token\. \(HTTP 401\)"):
        LabelStudio(url, "f" * 40)
    with pytest.raises(ServerError, match="personal access token: Token is invalid or expired"):
        LabelStudio(url, "other.web.token")
    fake.legacy = False
    with pytest.raises(ServerError, match="takes no legacy tokens: give a personal access token"):
        LabelStudio(url, LEGACY)


@pytest.mark.parametrize(("release", "what"), [("1.22.0", "older"), ("2.0.0", "newer")])
def test_other_versions_are_refused(
    fake: FakeLabelStudio, url: str, release: str, what: str
) -> None:
    fake.release = release
    with pytest.raises(ServerError, match=f"is Label Studio {release}, which is {what} than what"):
        LabelStudio(url, LEGACY)


def test_what_is_no_label_studio_is_refused() -> None:
    with (
        rest_server(FakeModel()) as url,
        pytest.raises(ServerError, match=r"Malformed request: /api/version|does not answer as"),
    ):
        LabelStudio(url, LEGACY, pauses=())
    for url in ("localhost:8080", "ftp://host", "http://", "http://me@host", "http://host/?a=1"):
        with pytest.raises(ConfigError, match="--url is"):
            LabelStudio(url, LEGACY)


def test_a_server_that_hangs_up_is_asked_again_only_for_what_it_has(
    fake: FakeLabelStudio, url: str
) -> None:
    slept: list[float] = []
    studio = LabelStudio(url, LEGACY, pauses=(1.0, 2.0), sleep=slept.append)
    fake.stop_after = 0
    with pytest.raises(BusyError, match=r"cannot reach http://127.* is Label Studio running there"):
        studio.get("/api/projects/")
    assert slept == [1.0, 2.0]
    with pytest.raises(BusyError):
        studio.send("POST", "/api/projects/", {"title": "digits"})
    assert slept == [1.0, 2.0]
    fake.stop_after = None
    with pytest.raises(RejectedError, match=r"refuses POST /api/projects/: .*3 characters.*400"):
        studio.send("POST", "/api/projects/", {"title": "ab"})


def test_pages_are_followed_to_the_last(fake: FakeLabelStudio, url: str) -> None:
    for number in range(200):
        fake.projects[number] = {"id": number, "title": str(number)}
    studio = LabelStudio(url, LEGACY)
    assert [one["id"] for one in studio.pages("/api/projects/")] == [*range(200)]


def test_a_token_comes_from_the_environment_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tokens.VARIABLE, " abc\n")
    assert tokens.find(None) == "abc"
    file = tmp_path / "token"
    file.write_text("def\n")
    assert tokens.find(file) == "def"
    file.write_text("two words")
    with pytest.raises(ConfigError, match="holds no token of Label Studio"):
        tokens.find(file)
    with pytest.raises(ConfigError, match="cannot read --token-file"):
        tokens.find(tmp_path / "none")
    monkeypatch.delenv(tokens.VARIABLE)
    with pytest.raises(ConfigError, match="LABEL_STUDIO_API_KEY holds no token: put that of"):
        tokens.find(None)
