"""Names, options, datasets and files of a protocol, looked up before any run starts."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from bgadl_tf.study import study_file
from bgadl_tf.study.protocol import Protocol
from bgadl_tf.study.tasks import Task


def check(protocol: Protocol, tasks: Sequence[Task] = ()) -> None:
    """See that every learner, acquisition, classifier and option exists, and that settings of
    datasets can be. Imports TensorFlow.

    Args:
        protocol: What names them.
        tasks: Runs whose datasets and files are to be there.

    Raises:
        ConfigError: One does not or is not, or an option cannot have its value.
    """
    from bgadl_tf.runs import loading
    from bgadl_tf.runs.build import names_of

    for arm in protocol.arms:
        with study_file.of_arm(arm.name, arm.dataset):
            names_of(arm.config)
            loading.check(arm.config)
    known = set()
    for task in tasks:
        named = tuple(getattr(task.config, name) for name in loading.NAMES)
        if named not in known:
            dataset, _, arm_name = task.arm.rpartition("/")
            with study_file.of_arm(arm_name, dataset):
                loading.find(task.config)
            known.add(named)


def check_apart(protocol: Protocol, tasks: Sequence[Task] = ()) -> None:
    """``check`` in a process that ends, so that TensorFlow's memory is left to the runs.

    Raises:
        ConfigError: As ``check``.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        pool.submit(check, protocol, tasks).result()
