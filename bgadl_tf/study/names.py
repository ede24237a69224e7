"""Names and options of a protocol, looked up before any run starts."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from bgadl_tf.study import study_file
from bgadl_tf.study.protocol import Protocol


def check(protocol: Protocol) -> None:
    """See that every learner, acquisition, classifier and option exists. Imports TensorFlow.

    Raises:
        ConfigError: One does not, or an option cannot have its value.
    """
    from bgadl_tf.runs.build import names_of

    for arm in protocol.arms:
        with study_file.of_arm(arm.name, arm.dataset):
            names_of(arm.config)


def check_apart(protocol: Protocol) -> None:
    """``check`` in a process that ends, so that TensorFlow's memory is left to the runs.

    Raises:
        ConfigError: As ``check``.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        pool.submit(check, protocol).result()
