from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bgadl_tf.core.errors import BusyError, RejectedError
from bgadl_tf.serving.client.retry import Retry


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)

    def retry(self, jitter: float = 1.0, **settings: Any) -> Retry:
        return Retry(
            clock=lambda: self.now,
            sleep=self.sleep,
            jitter=lambda: jitter,
            **settings,
        )


def failing(times: int) -> tuple[list[int], Callable[[], str]]:
    calls: list[int] = []

    def request() -> str:
        calls.append(len(calls))
        if len(calls) <= times:
            raise BusyError("no time")
        return "done"

    return calls, request


def test_pauses_double_up_to_the_longest() -> None:
    time = Time()
    _, request = failing(6)
    assert time.retry(first=1.0, longest=5.0).call(request) == "done"
    assert time.pauses == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0]


def test_jitter_halves_a_pause_at_most() -> None:
    time = Time()
    _, request = failing(3)
    time.retry(jitter=0.0, first=1.0).call(request)
    assert time.pauses == [0.5, 1.0, 2.0]


def test_the_last_try_is_when_patience_ends() -> None:
    time = Time()
    calls, request = failing(1000)
    with pytest.raises(BusyError, match=r"no time; gave up after 5 tries in 10 s"):
        time.retry(first=1.0, longest=60.0, patience=10.0).call(request)
    assert time.pauses == [1.0, 2.0, 4.0, 3.0]
    assert len(calls) == 5


def test_many_tries_do_not_overflow() -> None:
    time = Time()
    _, request = failing(2000)
    time.retry(first=0.1, longest=1.0, patience=1e9).call(request)
    assert time.pauses[-1] == 1.0


def test_other_errors_pass_at_once() -> None:
    time = Time()

    def request() -> None:
        raise RejectedError("bad")

    with pytest.raises(RejectedError):
        time.retry().call(request)
    assert time.pauses == []


def test_sleeping_may_say_that_there_is_no_use() -> None:
    calls, request = failing(5)
    with pytest.raises(BusyError, match=r"^no time$"):
        Retry(sleep=lambda _: True).call(request)
    assert len(calls) == 1


def test_whoever_wants_to_know_is_told() -> None:
    reasons: list[str] = []
    _, request = failing(2)
    Retry(sleep=lambda _: None, notify=reasons.append).call(request)
    assert reasons == ["no time", "no time"]
