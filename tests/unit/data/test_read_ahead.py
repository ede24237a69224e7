from __future__ import annotations

import threading

import pytest

from bgadl_tf.data.read_ahead import read_ahead


class Reader:
    """Doubles numbers when it is let; remembers what it was asked and by whom."""

    def __init__(self, allowed: int = 9) -> None:
        self.begun: list[int] = []
        self.threads: set[threading.Thread] = set()
        self.has_begun = [threading.Event() for _ in range(9)]
        self.allowed = threading.Semaphore(allowed)

    def read(self, number: int) -> int:
        self.begun.append(number)
        self.threads.add(threading.current_thread())
        self.has_begun[number].set()
        assert self.allowed.acquire(timeout=60)
        if number == 3:
            raise OSError("3 is gone")
        return 2 * number


def test_results_come_in_order_with_the_next_one_under_way() -> None:
    reader = Reader(allowed=1)
    results = read_ahead(reader.read, [0, 1, 2])
    assert not reader.begun
    assert next(results) == 0
    assert reader.has_begun[1].wait(60), "it waits until somebody asks for it"
    reader.allowed.release(2)
    assert list(results) == [2, 4]


def test_pieces_are_read_one_after_the_other_in_another_thread() -> None:
    together = []

    def read(number: int) -> int:
        if number == 0:
            together.append(reader.has_begun[1].wait(0.1))
        return reader.read(number)

    reader = Reader()
    assert list(read_ahead(read, [0, 1, 2])) == [0, 2, 4]
    assert together == [False]
    (thread,) = reader.threads
    assert thread is not threading.main_thread()
    assert not thread.is_alive()


def test_no_more_than_one_piece_is_read_ahead() -> None:
    reader = Reader()
    results = read_ahead(reader.read, [0, 1, 2, 4])
    for taken in range(3):
        next(results)
        assert len(reader.begun) <= taken + 2


def test_an_error_comes_when_it_is_its_turn() -> None:
    reader = Reader()
    results = read_ahead(reader.read, [2, 3, 4])
    assert next(results) == 4
    with pytest.raises(OSError, match="3 is gone"):
        next(results)
    assert not any(thread.is_alive() for thread in reader.threads)


def test_closed_early_the_thread_ends() -> None:
    reader = Reader()
    results = read_ahead(reader.read, range(4, 9))
    next(results)
    results.close()
    assert not any(thread.is_alive() for thread in reader.threads)
    assert len(reader.begun) == 2


def test_nothing_to_read() -> None:
    assert list(read_ahead(Reader().read, [])) == []
