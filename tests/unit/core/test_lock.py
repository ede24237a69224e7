from __future__ import annotations

import os
from pathlib import Path

import pytest

from bgadl_tf.core import lock
from tests.support.held import held


def test_one_process_at_a_time_holds_it(tmp_path: Path) -> None:
    path = tmp_path / lock.LOCK
    assert not lock.is_held(path)
    assert not path.exists()
    with held(path):
        assert lock.hold(path) is None
        assert lock.is_held(path)
    assert not lock.is_held(path)
    descriptor = lock.hold(path)
    assert descriptor is not None
    os.close(descriptor)


def test_who_holds_it_may_hold_it_once_more(tmp_path: Path) -> None:
    one, other = (lock.hold(tmp_path / lock.LOCK) for _ in range(2))
    assert one is not None
    assert other is not None
    os.close(one)
    os.close(other)


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        lock.hold(tmp_path / "nowhere" / lock.LOCK)
