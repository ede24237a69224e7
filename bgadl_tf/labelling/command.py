"""``bgadl label``: its flags, and what it prints. Starts fast: the rest is imported to run."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgadl_tf.core.errors import ConfigError

if TYPE_CHECKING:
    from bgadl_tf.labelling.serving import Address

DESCRIPTION = """Show the images that a run asks about on a page of this machine, record what
people answer, and train whenever a query is answered; to the end of the run, and export it."""

HOST, PORT = "127.0.0.1", 8600
FAILED = 2
STOP_SECONDS = 2.0
"""That a training gets to come to its next report; what it loses is after its last checkpoint."""


def add_label_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of ``bgadl label``."""
    run = "the run folder, begun by 'bgadl train'"
    parser.add_argument("run", type=Path, metavar="RUN", help=run)
    host = (
        f"address to listen on (default: {HOST}, this machine alone; with 0.0.0.0 others can "
        "label, who are given the address with its token)"
    )
    parser.add_argument("--host", default=HOST, help=host)
    port = f"port to listen on; 0 for a free one (default: {PORT})"
    parser.add_argument("--port", type=int, default=PORT, help=port)
    as_begun = "(default: as the run was begun)"
    for flag, kind, text in (
        ("--rounds", int, "queries to make in all; more than before make a finished run go on"),
        ("--dataset", str, "where its images are by now"),
        ("--data-dir", str, "where TFDS has prepared its dataset"),
    ):
        help_ = f"{text} {as_begun}"
        parser.add_argument(flag, type=kind, default=argparse.SUPPRESS, help=help_)


def run(*, run: Path, host: str, port: int, **others: Any) -> int:
    """Serve the page until it is ended. Arguments are the flags.

    Returns:
        Exit status.

    Raises:
        BgadlError: It cannot begin.
    """
    if missing := [name for name in ("starlette", "uvicorn") if not importlib.util.find_spec(name)]:
        raise ConfigError(
            f"'bgadl label' needs {' and '.join(missing)}; pip install 'bgadl_tf[serve]'"
        )
    from bgadl_tf.labelling.serving import interrupted_by_sigterm, listen

    # A port that is in use need not wait for TensorFlow.
    with interrupted_by_sigterm(), listen(host, port) as address:
        return _label(run, address, others)


def _label(run: Path, address: Address, others: dict[str, Any]) -> int:
    from bgadl_tf.core import backend

    backend.check()
    import tensorflow as tf

    from bgadl_tf.labelling.app import make_app
    from bgadl_tf.labelling.originals import Originals
    from bgadl_tf.labelling.serving import serving, until_signalled
    from bgadl_tf.labelling.session import Session
    from bgadl_tf.labelling.taken_up import taken_up
    from bgadl_tf.labelling.watching import Watching
    from bgadl_tf.labelling.worker import Worker

    # A run is to be the same bit for bit however often it is interrupted.
    tf.config.experimental.enable_op_determinism()
    watching = Watching()
    with taken_up(run, (watching,), **others) as opened:
        worker = Worker(opened, watching)
        app = make_app(Session(opened, worker), Originals(opened), address.guard)
        with serving(app, address.listening) as ended, until_signalled(ended):
            print(f"label at {address.url} (Ctrl-C ends it)", flush=True)
            worker.start()
            ended.wait()
        stopped = worker.stop(STOP_SECONDS)
        print(f"\nbgadl: ended; every answer is kept, 'bgadl label {run}' goes on", flush=True)
        status = FAILED if worker.problem else 0
        if not stopped:
            # A thread in the middle of a training cannot be ended otherwise.
            logging.shutdown()
            sys.stderr.flush()
            os._exit(status)
    return status
