"""Merged answers equal separate ones; every caller gets its own rows, and none waits for ever."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from bgadl_tf.serving.server.batching import BatchingRunner
from bgadl_tf.serving.server.configuration import Batching
from bgadl_tf.serving.server.savedmodel import Array
from bgadl_tf.serving.server.status import Code, StatusError
from tests.support.model_folders import refused
from tests.support.runners import Doubler

PATIENCE = 20.0


def rows(*values: float) -> dict[str, Array]:
    return {"x": np.array(values, np.float32)}


class Busy:
    """A queue whose only slot is taken until ``release``."""

    def __init__(self, **batching: Any) -> None:
        self.inner, self.sizes = Doubler(), list[int]()
        self.runner = BatchingRunner(
            self.inner, Batching(**{"num_batch_threads": 1, **batching}), self.sizes.append
        )
        self.pool = ThreadPoolExecutor(40)
        self.inner.free.clear()
        self.first = self.ask(0)
        wait(lambda: self.inner.running == 1)

    def ask(self, *values: float, fetches: Sequence[str] = ("twice",), timeout_ms: int = 0) -> Any:
        return self.pool.submit(self.runner.run, rows(*values), fetches, timeout_ms)

    def waits(self, count: int) -> None:
        """Until so many rows wait."""
        queues = self.runner._queues
        wait(lambda: sum(queue.rows for queue in [*queues.values()]) == count)

    def release(self) -> None:
        self.inner.free.set()
        assert answer(self.first) == [0]

    def is_sound(self) -> None:
        """Nothing is left behind."""
        assert (self.runner._queues, self.runner._running) == ({}, 0)
        assert answer(self.ask(7)) == [14]


def wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


def answer(future: Future[list[Array]]) -> list[float]:
    (values,) = future.result(PATIENCE)
    return [*map(float, values)]


@pytest.fixture
def busy() -> Iterator[Callable[..., Busy]]:
    made: list[Busy] = []

    def make(**batching: Any) -> Busy:
        made.append(Busy(**batching))
        return made[-1]

    yield make
    for one in made:
        one.inner.free.set()
        one.pool.shutdown()


def test_who_waits_is_merged_and_gets_their_own_rows(busy: Callable[..., Busy]) -> None:
    one = busy()
    futures = []
    for number in range(1, 6):
        futures.append(one.ask(number, number + 0.5))
        one.waits(2 * number)
    one.release()
    assert [answer(future) for future in futures] == [[2 * n, 2 * n + 1] for n in range(1, 6)]
    assert one.sizes == [1, 10]
    one.is_sound()


def test_a_lone_caller_does_not_wait() -> None:
    runner = BatchingRunner(Doubler(), Batching())
    start = time.perf_counter()
    for number in range(200):
        assert runner.run(rows(number), ["twice"])[0][0] == 2 * number
    assert time.perf_counter() - start < 1


def test_batches_hold_no_more_than_they_may(busy: Callable[..., Busy]) -> None:
    one = busy(max_batch_size=4)
    futures = [one.ask(1, 1, 1)]
    one.waits(3)
    futures.append(one.ask(2, 2))
    one.waits(5)
    futures.append(one.ask(3, 3))
    one.waits(7)
    one.release()
    assert [answer(future)[0] for future in futures] == [2, 4, 6]
    assert one.inner.sizes == [1, 3, 4]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_so_many_batches_run_at_a_time(threads: int) -> None:
    inner = Doubler(seconds=0.005)
    runner = BatchingRunner(inner, Batching(num_batch_threads=threads, max_batch_size=2))
    with ThreadPoolExecutor(12) as pool:
        # Three kinds of task, so three queues: the limit is that of them all.
        kinds = [["twice"], ["same"], ["twice", "same"]]
        for future in [pool.submit(runner.run, rows(n), kinds[n % 3]) for n in range(60)]:
            future.result(PATIENCE)
    assert inner.most_at_once == threads


def test_a_batch_waits_for_more_no_longer_than_its_timeout() -> None:
    inner = Doubler()
    runner = BatchingRunner(inner, Batching(batch_timeout_micros=150_000, max_batch_size=3))
    start = time.monotonic()
    runner.run(rows(1), ["twice"])
    assert 0.14 < time.monotonic() - start < 2
    with ThreadPoolExecutor(3) as pool:
        start = time.monotonic()
        for future in [pool.submit(runner.run, rows(n), ["twice"]) for n in range(3)]:
            future.result(PATIENCE)
        assert time.monotonic() - start < 0.14  # it is full
    assert inner.sizes == [1, 3]


def test_a_batch_that_waits_for_more_does_not_keep_others_from_running() -> None:
    runner = BatchingRunner(
        Doubler(), Batching(batch_timeout_micros=300_000, max_batch_size=2, num_batch_threads=1)
    )
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(runner.run, rows(1), ["twice"])
        wait(lambda: bool(runner._queues))
        runner.run(rows(1, 2), ["same"])  # full at once
        assert not waiting.done()
        waiting.result(PATIENCE)


def test_large_tasks_run_alone_or_are_refused() -> None:
    inner = Doubler()
    runner = BatchingRunner(inner, Batching(max_batch_size=2))
    assert [*runner.run(rows(1, 2, 3), ["twice"])[0]] == [2, 4, 6]
    runner = BatchingRunner(inner, Batching(max_batch_size=2, enable_large_batch_splitting=False))
    with refused(Code.INVALID_ARGUMENT, "Task size 3 is larger than maximum input batch size 2"):
        runner.run(rows(1, 2, 3), ["twice"])


def test_allowed_sizes_pad_and_slice(busy: Callable[..., Busy]) -> None:
    one = busy(max_batch_size=8, allowed_batch_sizes=(2, 8))
    futures = [one.ask(1, 2)]
    one.waits(2)
    futures.append(one.ask(3))
    one.waits(3)
    one.release()
    assert [answer(future) for future in futures] == [[2, 4], [6]]
    assert one.inner.sizes == one.sizes == [2, 8]
    assert one.inner.batches[1].tolist() == [1, 2, 3, 1, 1, 1, 1, 1]


def test_a_full_queue_turns_away(busy: Callable[..., Busy]) -> None:
    one = busy(max_batch_size=2, max_enqueued_batches=2)
    futures = [one.ask(1), one.ask(1, 1), one.ask(1)]
    one.waits(4)
    with refused(Code.UNAVAILABLE, "queue .* is full"):
        answer(one.ask(9))
    one.release()
    assert sorted(len(answer(future)) for future in futures) == [1, 1, 2]
    one.is_sound()


def test_a_bad_row_fails_its_caller_alone(busy: Callable[..., Busy]) -> None:
    one = busy()
    good = one.ask(1)
    one.waits(1)
    bad = one.ask(-1)
    one.waits(2)
    also_good = one.ask(2)
    one.waits(3)
    one.release()
    assert (answer(good), answer(also_good)) == ([2], [4])
    with refused(Code.INVALID_ARGUMENT, "negative row"):
        answer(bad)
    assert one.inner.sizes == [1, 3, 1, 1, 1]
    one.is_sound()


def test_what_is_out_of_time_is_not_tried_again() -> None:
    class Slow(Doubler):
        def run(self, *args: Any) -> list[Array]:
            super().run(*args)
            raise StatusError(Code.DEADLINE_EXCEEDED, "too slow")

    one = Busy()
    slow = Slow()
    one.runner._runner = slow
    futures = [one.ask(1, timeout_ms=9000), one.ask(2, timeout_ms=8000)]
    one.waits(2)
    one.release()
    for future in futures:
        with refused(Code.DEADLINE_EXCEEDED):
            answer(future)
    assert (slow.sizes, slow.timeouts) == ([2], [9000])
    one.pool.shutdown()


def test_different_things_are_not_merged(busy: Callable[..., Busy]) -> None:
    one = busy()
    futures = [one.ask(1), one.ask(2, fetches=("same",))]
    other = {"x": np.ones([1, 2], np.float32)}
    futures.append(one.pool.submit(one.runner.run, other, ["same"]))
    integers = {"x": np.ones([1], np.int32)}
    futures.append(one.pool.submit(one.runner.run, integers, ["same"]))
    one.waits(4)
    assert len(one.runner._queues) == 4
    one.release()
    for future in futures:
        future.result(PATIENCE)
    assert one.inner.sizes == [1] * 5
    one.is_sound()  # a shape that came once leaves no queue behind


@pytest.mark.parametrize(
    ("feeds", "match"),
    [
        ({"x": np.float32(1)}, "at least one dimension"),
        ({"x": np.ones(2), "y": np.ones(3)}, "equal 0th-dimension size"),
        ({}, "at least one input tensor"),
    ],
)
def test_inputs_that_cannot_be_merged_are_refused(feeds: dict[str, Array], match: str) -> None:
    feeds = {name: np.asarray(value) for name, value in feeds.items()}
    with refused(Code.INVALID_ARGUMENT, match):
        BatchingRunner(Doubler(), Batching()).run(feeds, ["twice"])


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize(
    ("output", "match"), [(np.float32(1), "0 dimensions"), (np.ones(9), "0th dimension")]
)
def test_outputs_that_cannot_be_cut_are_refused(size: int, output: Any, match: str) -> None:
    class Wrong:
        def run(self, feeds: Mapping[str, Array], fetches: Sequence[str], _: int) -> list[Array]:
            return [np.asarray(output)]

    runner = BatchingRunner(Wrong(), Batching(max_batch_size=3))
    with refused(Code.FAILED_PRECONDITION, match):
        runner.run({"x": np.ones(size, np.float32)}, ["twice"])


def test_an_empty_task_runs_alone() -> None:
    inner = Doubler()
    assert BatchingRunner(inner, Batching()).run(rows(), ["twice"])[0].shape == (0,)


def test_strings_are_merged_and_padded(busy: Callable[..., Busy]) -> None:
    one = busy(max_batch_size=4, allowed_batch_sizes=(4,))
    texts = [np.array([b"a", b""], object), np.array([b"\xff"], object)]
    futures = [one.pool.submit(one.runner.run, {"x": text}, ["same"]) for text in texts]
    one.waits(3)
    one.release()
    got = [future.result(PATIENCE)[0].tolist() for future in futures]
    assert got == [[b"a", b""], [b"\xff"]]


class TestTimeouts:
    def test_of_a_leader_hand_the_lead_on(self, busy: Callable[..., Busy]) -> None:
        one = busy()
        leader = one.ask(1, timeout_ms=60)
        one.waits(1)
        follower = one.ask(2)
        with refused(Code.DEADLINE_EXCEEDED):
            answer(leader)
        one.waits(1)
        one.release()
        assert answer(follower) == [4]
        assert one.sizes == [1, 1]
        one.is_sound()

    def test_of_followers_leave_the_queue_sound(self, busy: Callable[..., Busy]) -> None:
        one = busy()
        leader = one.ask(1)
        one.waits(1)
        impatient = [one.ask(n, timeout_ms=30 + n) for n in range(2, 12)]
        for future in impatient:
            with refused(Code.DEADLINE_EXCEEDED):
                answer(future)
        one.waits(1)
        one.release()
        assert answer(leader) == [2]
        one.is_sound()

    def test_do_not_hit_what_runs_already(self, busy: Callable[..., Busy]) -> None:
        one = busy(num_batch_threads=2)
        running = one.ask(1, timeout_ms=30)
        wait(lambda: one.inner.running == 2)
        time.sleep(0.06)
        one.release()
        assert answer(running) == [2]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_or_stuck(seed: int) -> None:
    chance = random.Random(seed)
    inner = Doubler(seconds=chance.choice([0, 0.0005]))
    sizes: list[int] = []
    runner = BatchingRunner(
        inner,
        Batching(
            max_batch_size=chance.choice([1, 3, 8]),
            num_batch_threads=chance.choice([1, 2, 4]),
            batch_timeout_micros=chance.choice([0, 500]),
            max_enqueued_batches=chance.choice([3, 100]),
        ),
        sizes.append,
    )
    outcomes: dict[str, int] = {}
    lock = threading.Lock()

    def caller(number: int) -> None:
        mine = random.Random(seed * 1000 + number)
        for _ in range(80):
            values = np.float32([mine.random() for _ in range(mine.randint(0, 10))])
            bad = bool(len(values)) and mine.random() < 0.05
            if bad:
                values[-1] = -1
            kind = mine.choice(["twice", "same"])
            shape = [len(values)] + [1] * mine.randint(0, 1)
            timeout_ms = mine.choice([0, 0, 1, 5, 1000])
            try:
                (got,) = runner.run({"x": values.reshape(shape)}, [kind], timeout_ms)
            except StatusError as error:
                outcome = error.code.name
            else:
                outcome = "OK"
                assert not bad
                expected = values * 2 if kind == "twice" else values
                np.testing.assert_array_equal(got, expected.reshape(shape))
            assert bad or outcome in ("OK", "UNAVAILABLE", "DEADLINE_EXCEEDED")
            assert timeout_ms or outcome != "DEADLINE_EXCEEDED"
            with lock:
                outcomes[outcome] = outcomes.get(outcome, 0) + 1

    with ThreadPoolExecutor(24) as pool:
        for future in [pool.submit(caller, number) for number in range(24)]:
            future.result(60)
    assert sum(outcomes.values()) == 24 * 80
    assert outcomes["OK"] > 100
    assert (runner._queues, runner._running) == ({}, 0)
