from __future__ import annotations

import os
import signal

import pytest

from bgadl_tf.study.processes import share_of_threads, terminated_as_interrupted


def test_a_lone_process_has_all_cores_and_several_share_them() -> None:
    assert share_of_threads(1) == {}
    assert share_of_threads(10_000)["TF_NUM_INTRAOP_THREADS"] == "1"


def test_sigterm_is_an_interrupt_for_a_while() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), terminated_as_interrupted():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before
