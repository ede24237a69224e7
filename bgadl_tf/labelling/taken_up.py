"""A run that was begun, taken up by whoever labels."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.loop.callback import Callback
from bgadl_tf.runs.open_run import OpenRun, open_run
from bgadl_tf.runs.recorded import config_of
from bgadl_tf.runs.run_folder import RunFolder


@contextlib.contextmanager
def taken_up(run: Path, callbacks: Sequence[Callback] = (), **others: Any) -> Iterator[OpenRun]:
    """Hold the folder of a run under the settings it was begun with, and catch up.

    Args:
        run: The run folder.
        callbacks: Told of what happens, after the run's own.
        others: Settings that are other ones by now: more ``rounds``, where its images are.

    Raises:
        RunFolderError: There is no run in it, or another process holds it.
        BgadlError: Bad input; nothing that was there is lost.
    """
    recorded = RunFolder(run).resumed() if run.is_dir() else {}
    if not recorded:
        raise RunFolderError(
            f"{run} is the folder of no run; begin one: bgadl train --dataset folder:PATH "
            f"--out {run}"
        )
    with open_run(config_of(recorded, **others), run, callbacks) as opened:
        opened.catch_up()
        yield opened
