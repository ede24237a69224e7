"""A whole pool through the client: bad images, order, concurrency."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from bgadl_tf.core.errors import ServerError
from bgadl_tf.serving.client.client import Client
from bgadl_tf.serving.client.in_flight import map_in_flight
from bgadl_tf.serving.client.pool import Failed, Item, Outcome, Scored, score_pool
from bgadl_tf.serving.client.retry import Retry
from tests.support.examples import tiny_png
from tests.support.fake_model import FakeModel, FaultError, bald
from tests.support.fake_rest import rest_server


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def client(model: FakeModel) -> Iterator[Client]:
    retry = Retry(patience=2.0, first=0.01, longest=0.02)
    with rest_server(model) as address, Client(address, retry=retry, batch_size=8) as client:
        yield client


def pool(count: int) -> list[Item]:
    def reader(content: bytes) -> Callable[[], bytes]:
        return lambda: content

    return [Item(f"{n:03}", 3, reader(tiny_png(f"{n:03}"))) for n in range(count)]


def outcomes(client: Client, items: list[Item], **options: int) -> dict[str, Outcome]:
    found = [outcome for some in score_pool(client, items, 5, **options) for outcome in some]
    assert len({outcome.id for outcome in found}) == len(found) == len(items)
    return {outcome.id: outcome for outcome in found}


@pytest.mark.parametrize("in_flight", [1, 3])
def test_every_image_is_scored_once(client: Client, model: FakeModel, in_flight: int) -> None:
    found = outcomes(client, pool(50), in_flight=in_flight)
    for id_, outcome in found.items():
        assert isinstance(outcome, Scored)
        assert outcome.bald == pytest.approx(bald(tiny_png(id_), 5, 3), rel=1e-7)
        assert outcome.label == (1 if outcome.bald < 2 / 3 else 0)
        assert outcome.probability == pytest.approx(max(1 - outcome.bald, outcome.bald / 2))
    assert len(model.seen) == 50


def test_faults_on_the_way_change_nothing(client: Client, model: FakeModel) -> None:
    undisturbed = outcomes(client, pool(40))
    codes = ["UNAVAILABLE", "RESET", "RESOURCE_EXHAUSTED", None, "RESET"]
    model.faults = [None if code is None else FaultError(code) for code in codes]
    assert outcomes(client, pool(40)) == undisturbed


@pytest.mark.parametrize("bad", [{3}, {0, 7}, {8, 9, 10, 11}, {20}, set(range(8))])
def test_bad_images_are_found_and_the_rest_is_scored(
    client: Client, model: FakeModel, bad: set[int]
) -> None:
    model.bad = {tiny_png(f"{n:03}") for n in bad}
    found = outcomes(client, pool(21))
    failed = {id_: outcome for id_, outcome in found.items() if isinstance(outcome, Failed)}
    assert set(failed) == {f"{n:03}" for n in bad}
    assert all("got junk" in outcome.error for outcome in failed.values())


def test_one_bad_image_costs_few_requests(client: Client, model: FakeModel) -> None:
    model.bad = {tiny_png("003")}
    outcomes(client, pool(8))
    assert [rows for _, _, rows in model.requests] == [8, 4, 2, 2, 1, 1, 4]


def test_a_model_that_refuses_everything_is_told_from_bad_images(
    client: Client, model: FakeModel
) -> None:
    def refuse(_: int) -> None:
        raise FaultError("INVALID_ARGUMENT", "no such tensor")

    model.refuses = refuse
    with pytest.raises(ServerError, match=r"version 3, refuses every image: .*no such tensor"):
        outcomes(client, pool(100))


def test_images_that_cannot_be_read(client: Client, model: FakeModel) -> None:
    def fail() -> bytes:
        raise OSError(5, "Input/output error")

    items = [*pool(3), Item("x", 0, fail)]
    assert outcomes(client, items)["x"] == Failed("x", "cannot be read: Input/output error")
    assert len(model.seen) == 3


def test_what_is_no_image_costs_no_other(client: Client, model: FakeModel) -> None:
    items = [*pool(3), Item("x", 4, lambda: b"junk"), Item("y", 0, lambda: b"")]
    found = outcomes(client, items)
    expected = "cannot be read: {}; expected the bytes of a PNG, JPEG, "
    for id_, why in (("x", "not an image"), ("y", "the file is empty")):
        failed = found[id_]
        assert isinstance(failed, Failed)
        assert failed.error.startswith(f"images[0] {expected.format(why)}")
    assert len(model.seen) == 3


def test_an_empty_pool(client: Client) -> None:
    assert outcomes(client, []) == {}


# Calls in flight


def test_no_more_calls_at_a_time_than_asked_and_the_stream_is_read_as_they_end() -> None:
    running, most, lock = 0, 0, threading.Lock()
    pulled: list[int] = []

    def stream() -> Iterator[int]:
        for number in range(20):
            pulled.append(number)
            yield number

    def call(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.002)
        with lock:
            running -= 1
        return number

    results = map_in_flight(call, stream(), 3)
    assert next(results) in range(4)
    assert len(pulled) == 4
    assert len(list(results)) == 19
    assert 1 < most <= 3


def test_the_first_error_ends_it() -> None:
    calls: list[int] = []

    def call(number: int) -> int:
        calls.append(number)
        if number == 2:
            raise RuntimeError("stop")
        return number

    with pytest.raises(RuntimeError, match="stop"):
        list(map_in_flight(call, range(1000), 2))
    assert len(calls) < 20
