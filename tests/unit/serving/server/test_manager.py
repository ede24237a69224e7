"""Versions come and go, and no request fails."""

from __future__ import annotations

import shutil
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from bgadl_tf.serving.server.manager import Manager
from bgadl_tf.serving.server.status import Code, StatusError
from bgadl_tf.serving.server.versions import Policy
from tests.support.model_folders import (
    Loader,
    config,
    in_thread,
    publish,
    refused,
    served_folder,
    states,
)


def test_a_new_version_replaces_the_old_one(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    manager = Manager(loader := Loader())
    manager.configure([config(tmp_path)])
    assert states(manager) == {1: "AVAILABLE"}
    publish(tmp_path, 2)
    manager.poll()
    assert states(manager) == {2: "AVAILABLE", 1: "END"}
    assert served_folder(manager, "m") == served_folder(manager, "m", 2) == f"{tmp_path.name}/2"
    with refused(Code.NOT_FOUND, r"Specific\(m, 1\)"):
        served_folder(manager, "m", 1)
    shutil.rmtree(tmp_path / "2")
    manager.poll()
    assert states(manager) == {2: "END", 1: "AVAILABLE"}
    assert len(loader.open) == 1
    assert manager.close()
    assert loader.open == []


def test_all_and_specific_versions_are_served_together(tmp_path: Path) -> None:
    publish(tmp_path, 1, 2, 3)
    manager = Manager(Loader())
    manager.configure([config(tmp_path, policy=Policy(latest=None))])
    assert [*states(manager)] == [3, 2, 1]
    assert set(states(manager).values()) == {"AVAILABLE"}
    manager.configure([config(tmp_path, policy=Policy(specific=(1, 3)))])
    assert states(manager) == {3: "AVAILABLE", 2: "END", 1: "AVAILABLE"}
    manager.configure([config(tmp_path, policy=Policy(latest=2))])
    assert states(manager) == {3: "AVAILABLE", 2: "AVAILABLE", 1: "END"}


def test_the_new_one_is_available_before_the_old_one_goes(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    manager = Manager(loader := Loader())
    manager.configure([config(tmp_path)])
    seen = []
    loader.before = lambda _: seen.append((states(manager), served_folder(manager, "m")))
    publish(tmp_path, 2)
    manager.poll()
    assert seen == [({2: "LOADING", 1: "AVAILABLE"}, f"{tmp_path.name}/1")]


def test_a_version_is_unloaded_after_its_last_request(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    manager = Manager(loader := Loader())
    manager.configure([config(tmp_path)])
    publish(tmp_path, 2)
    first = ExitStack()
    number, _ = first.enter_context(manager.acquired("m"))
    assert number == 1
    with in_thread(manager.poll) as polling:
        while states(manager)[1] != "UNLOADING":
            time.sleep(0.001)
        assert served_folder(manager, "m") == f"{tmp_path.name}/2"
        polling.join(0.05)
        assert polling.is_alive()
        assert len(loader.open) == 2
        assert not manager.close(0.01)
        assert manager.requests == 1
        first.close()
    assert loader.open == [f"{tmp_path.name}/2"]


def test_no_request_fails_while_versions_change(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    manager = Manager(loader := Loader())
    manager.configure([config(tmp_path)])
    done, answers = threading.Event(), [set[int]() for _ in range(4)]

    def ask(mine: set[int]) -> None:
        last = 0
        while not done.is_set():
            with manager.acquired("m") as (number, servable):
                (folder,) = servable.signatures
                assert folder in loader.open
                assert number >= last
                last = number
                mine.add(number)
                time.sleep(0)
                assert folder in loader.open

    def reload() -> None:
        for number in range(2, 30):
            publish(tmp_path, f".tmp-{number}")
            (tmp_path / f".tmp-{number}").rename(tmp_path / str(number))
            manager.poll()
            shutil.rmtree(tmp_path / str(number - 1))
            manager.poll()
        done.set()

    try:
        with (
            in_thread(lambda: ask(answers[0])),
            in_thread(lambda: ask(answers[1])),
            in_thread(lambda: ask(answers[2])),
            in_thread(lambda: ask(answers[3])),
        ):
            reload()
    finally:
        done.set()
    assert all(len(mine) > 3 for mine in answers)
    assert loader.open == [f"{tmp_path.name}/29"]


def test_a_broken_version_changes_nothing_and_is_tried_again(tmp_path: Path) -> None:
    base = tmp_path / "a base"
    publish(base, 1)
    manager = Manager(loader := Loader(), retries=2, retry_seconds=0.02)
    manager.configure([config(base)])
    publish(base, 2, broken=True)
    for _ in range(40):
        manager.poll()
        assert served_folder(manager, "m") == "a base/1"
        time.sleep(0.005)
    assert loader.attempts.count(base / "2") == 3
    status = manager.status("m", 2).model_version_status[0]
    assert status.state == status.END
    assert (status.status.error_code, status.status.error_message) == (
        Code.INTERNAL, "OSError: 2/broken is in the way",
    )  # fmt: skip
    (base / "2").rename(base / ".tmp-2")
    manager.poll()
    (base / ".tmp-2" / "broken").unlink()
    (base / ".tmp-2").rename(base / "2")
    manager.poll()
    assert states(manager) == {2: "AVAILABLE", 1: "END"}


def test_a_retry_is_not_before_its_time_and_may_succeed(tmp_path: Path) -> None:
    publish(tmp_path, 1, broken=True)
    manager = Manager(loader := Loader(), retries=5, retry_seconds=0.1)
    manager.configure([config(tmp_path)])
    with refused(Code.NOT_FOUND, r"Latest\(m\)"):
        served_folder(manager, "m")
    (tmp_path / "1" / "broken").unlink()
    manager.poll()
    assert len(loader.attempts) == 1
    time.sleep(0.1)
    manager.poll()
    assert states(manager) == {1: "AVAILABLE"}
    assert manager.status("m").model_version_status[0].status.error_message == ""


def test_a_folder_that_vanishes_and_comes_back(tmp_path: Path) -> None:
    base = tmp_path / "m"
    publish(base, 1)
    manager = Manager(loader := Loader())
    manager.configure([config(base)])
    base.rename(tmp_path / "away")
    for _ in range(3):
        manager.poll()
    assert states(manager) == {1: "AVAILABLE"}
    publish(tmp_path / "away", 2)
    (tmp_path / "away").rename(base)
    manager.poll()
    assert states(manager) == {2: "AVAILABLE", 1: "END"}
    assert loader.open == ["m/2"]


def test_an_empty_folder_is_believed_the_second_time(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    manager = Manager(Loader())
    manager.configure([config(tmp_path)])
    shutil.rmtree(tmp_path / "1")
    manager.poll()
    assert states(manager) == {1: "AVAILABLE"}
    manager.poll()
    assert states(manager) == {1: "END"}
    publish(tmp_path, 1)
    manager.poll()
    assert states(manager) == {1: "AVAILABLE"}


def test_a_model_without_a_folder_waits_for_one(tmp_path: Path) -> None:
    manager = Manager(Loader())
    manager.configure([config(tmp_path / "late")])
    with refused(Code.NOT_FOUND, "Could not find any versions of model m"):
        manager.status("m")
    with refused(Code.NOT_FOUND, r"Latest\(m\)"):
        served_folder(manager, "m")
    assert not manager.available()
    publish(tmp_path / "late", 3)
    manager.poll()
    assert served_folder(manager, "m") == "late/3"
    assert manager.available()


def test_a_configuration_is_all_that_is_wanted(tmp_path: Path) -> None:
    publish(tmp_path / "a", 1)
    publish(tmp_path / "b", 1)
    publish(tmp_path / "c", 1)
    manager = Manager(loader := Loader())
    manager.configure([config(tmp_path / "a", "a"), config(tmp_path / "b", "b")])
    manager.configure([config(tmp_path / "b", "b"), config(tmp_path / "c", "c")])
    assert loader.open == ["b/1", "c/1"]
    assert [path.parent.name for path in loader.attempts] == ["a", "b", "c"]
    with refused(Code.NOT_FOUND):
        manager.status("a")
    assert not manager.has("a")
    manager.configure([])
    assert loader.open == []


def test_another_folder_takes_over_without_a_gap(tmp_path: Path) -> None:
    publish(tmp_path / "a", 1, 2)
    publish(tmp_path / "b", 1)
    manager = Manager(loader := Loader())
    manager.configure([config(tmp_path / "a")])
    answers = []
    loader.before = lambda _: answers.append(served_folder(manager, "m"))
    manager.configure([config(tmp_path / "b")])
    assert answers == ["a/2"]
    assert (served_folder(manager, "m"), states(manager)) == ("b/1", {2: "END", 1: "AVAILABLE"})
    manager.configure([config(tmp_path / "a", policy=Policy(specific=(1,)))])
    assert served_folder(manager, "m", 1) == "a/1"
    assert loader.open == ["a/1"]
    manager.configure([config(tmp_path / "missing")])
    manager.poll()
    assert served_folder(manager, "m") == "a/1"  # better an old version than none
    publish(tmp_path / "broken", 1, broken=True)
    manager.configure([config(tmp_path / "broken")])
    assert states(manager)[1] == "AVAILABLE"


def test_a_request_has_the_model_it_asked_for_to_the_end(tmp_path: Path) -> None:
    publish(tmp_path / "a", 1)
    manager = Manager(loader := Loader())
    manager.configure([config(tmp_path / "a")])
    request = ExitStack()
    _, servable = request.enter_context(manager.acquired("m"))
    with in_thread(lambda: manager.configure([])):
        while manager.has("m"):
            time.sleep(0.001)
        assert loader.open == [*servable.signatures]
        request.close()
    assert loader.open == []


class TestLabels:
    @pytest.fixture
    def base(self, tmp_path: Path) -> Path:
        publish(tmp_path, 1, 2)
        return tmp_path

    def both(self, base: Path, **labels: int) -> list[object]:
        return [config(base, policy=Policy(specific=(1, 2)), **labels)]

    def test_name_versions(self, base: Path) -> None:
        manager = Manager(Loader())
        manager.configure(self.both(base, stable=1, canary=2))
        assert served_folder(manager, "m", None, "stable").endswith("/1")
        assert served_folder(manager, "m", None, "canary").endswith("/2")
        assert manager.status("m", None, "canary").model_version_status[0].version == 2
        with refused(Code.INVALID_ARGUMENT, "Unrecognized servable version label: other"):
            served_folder(manager, "m", None, "other")
        manager.configure(self.both(base, stable=2))
        assert served_folder(manager, "m", None, "stable").endswith("/2")
        with refused(Code.INVALID_ARGUMENT, "canary"):
            served_folder(manager, "m", None, "canary")

    def test_of_missing_versions_are_refused(self, base: Path) -> None:
        manager = Manager(loader := Loader())
        with refused(Code.FAILED_PRECONDITION, "version 3 of model m, which is not currently"):
            manager.configure(self.both(base, next=3))
        assert not manager.has("m")
        assert loader.open == []
        # Version 1 is there, but not wanted.
        with refused(Code.FAILED_PRECONDITION):
            manager.configure([config(base, old=1)])

    def test_of_missing_versions_are_accepted_if_asked_for(self, base: Path) -> None:
        manager = Manager(Loader(), allow_unavailable_labels=True)
        manager.configure([config(base, policy=Policy(latest=None), next=3)])
        with refused(Code.NOT_FOUND, r"Specific\(m, 3\)"):
            served_folder(manager, "m", None, "next")
        manager.configure([config(base, policy=Policy(latest=None), next=3)])  # nothing moved
        publish(base, 3)
        manager.poll()
        assert served_folder(manager, "m", None, "next").endswith("/3")

    @pytest.mark.parametrize("allow", [False, True])
    def test_in_use_move_only_to_what_is_loaded_already(self, base: Path, allow: bool) -> None:
        manager = Manager(loader := Loader(), allow_unavailable_labels=allow)
        manager.configure(self.both(base, stable=1))
        publish(base, 3)
        three = Policy(specific=(1, 3))
        with refused(Code.FAILED_PRECONDITION, "version 3"):
            manager.configure([config(base, policy=three, stable=3)])
        assert states(manager) == {2: "AVAILABLE", 1: "AVAILABLE"}
        assert len(loader.attempts) == 2  # checked before anything was loaded
        manager.configure([config(base, policy=three, stable=1)])
        manager.configure([config(base, policy=three, stable=3)])
        assert served_folder(manager, "m", None, "stable").endswith("/3")

    def test_refused_leave_everything_as_it_was(self, base: Path, tmp_path: Path) -> None:
        publish(tmp_path / "other", 1)
        manager = Manager(loader := Loader())
        before = self.both(base, stable=1)
        manager.configure(before)
        with pytest.raises(StatusError):
            manager.configure([
                config(tmp_path / "other", "other"),
                config(base, policy=Policy(specific=(2,)), canary=1),
            ])  # fmt: skip
        assert not manager.has("other")
        assert states(manager) == {2: "AVAILABLE", 1: "AVAILABLE"}
        assert served_folder(manager, "m", None, "stable").endswith("/1")
        manager.poll()
        assert states(manager) == {2: "AVAILABLE", 1: "AVAILABLE"}
        assert len(loader.open) == 2


def test_a_model_must_have_a_name_to_be_asked() -> None:
    manager = Manager(Loader())
    with refused(Code.INVALID_ARGUMENT, "no name specified"):
        served_folder(manager, "")
    with refused(Code.NOT_FOUND, r"Servable not found for request: Specific\(x, 7\)"):
        served_folder(manager, "x", 7)
    with refused(Code.INVALID_ARGUMENT):
        served_folder(manager, "x", None, "label")


def test_why_there_is_nothing_to_serve_is_said_once_until_it_changes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base = tmp_path / "m"
    manager = Manager(Loader())
    manager.configure([config(base)])
    for _ in range(3):
        manager.poll()
    assert [record.message for record in caplog.records] == [
        f"model m: nothing to serve: the base path {base} does not exist"
    ]
    with refused(Code.NOT_FOUND, "Could not find any versions of model m; the base path .* exist"):
        manager.status("m")
    for spec in (("m",), ("m", 1)):
        with refused(Code.NOT_FOUND, r"request: \w+\(m(, 1)?\); the base path .* does not exist"):
            served_folder(manager, *spec)
    with refused(Code.NOT_FOUND, "^Could not find any versions of model other$"):
        manager.status("other")
    base.mkdir()
    manager.poll()
    manager.poll()
    assert len(caplog.records) == 2
    assert f"{base} is empty" in caplog.records[1].message
    publish(base, 1)
    manager.poll()
    with refused(Code.NOT_FOUND, r"Specific\(m, 2\)$"):
        served_folder(manager, "m", 2)
    shutil.rmtree(base)
    manager.poll()
    manager.poll()
    assert served_folder(manager, "m") == "m/1"
    assert len(caplog.records) == 3
    assert "does not exist" in caplog.records[2].message


def test_a_folder_that_is_being_replaced_is_no_reason_for_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish(tmp_path, 1)
    manager = Manager(Loader())
    manager.configure([config(tmp_path)])
    shutil.rmtree(tmp_path / "1")
    manager.poll()
    publish(tmp_path, 2)
    manager.poll()
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []
