"""``bgadl tune``: its flags, and what it prints. Starts fast: the rest is imported to run."""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from bgadl_tf.core.errors import BusyError
from bgadl_tf.study.command import at_least_one

if TYPE_CHECKING:
    from bgadl_tf.study.tuning.tuner import RunsTuner
    from bgadl_tf.study.tuning.tuning_file import Tuning

FAILED = 1
"""Exit status: every trial failed."""

DESCRIPTION = """Search for settings and options of a learner and an acquisition with keras-tuner.
Every trial is a few short runs, by default asking at random, on the half of the dataset that is
for development, and on seeds that no report uses. A command that was stopped, kill -9 included,
goes on where it was when it is given again. FOLDER/best.yaml is what train --config takes."""

EXAMPLE = """a tuning file:
  tuner: bayesian               # or random, hyperband, grid
  trials: 20
  objective: aubc               # or accuracy, nll
  seeds: [100, 101]             # from 100 on
  settings:                     # of every trial: flags of bgadl train, spelt with _
    method: bgadl-semi          # or learner; and acquisition, if not random
    dataset: digits
    rounds: 3
  space:                        # what varies
    batch_size: [25, 50, 100]
    steps: {min: 100, max: 800, log: true}
    options:
      vaeacgan.width: {min: 0.25, max: 1.0, step: 0.25}

several processes share a search by keras-tuner's KERASTUNER_TUNER_ID, KERASTUNER_ORACLE_IP and
KERASTUNER_ORACLE_PORT."""


def add_tune_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of ``bgadl tune``."""
    parser.add_argument(
        "file", type=Path, metavar="FILE.yaml", help="what is tuned, on what, and what may vary"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder of the search; a search in it that is not finished goes on",
    )
    parser.add_argument(
        "--jobs",
        type=at_least_one,
        default=1,
        metavar="N",
        help="runs of a trial at a time, which share the CPU cores (default: %(default)s)",
    )
    parser.add_argument("--data-dir", help="folder of prepared TFDS datasets on this machine")


def tune(*, file: Path, out: Path, jobs: int, data_dir: str | None) -> int:
    """Search. Arguments are the flags.

    Returns:
        Exit status.

    Raises:
        BgadlError: Bad input, found before any run is made; or the chief of a shared search
            cannot be reached.
    """
    from bgadl_tf.runs import file_values
    from bgadl_tf.study.tuning import folder, tuning_file
    from bgadl_tf.study.tuning.workers import Role

    role = Role.of(os.environ)
    tuning = tuning_file.read(file)
    folder.check(out, tuning)
    from bgadl_tf.core import backend

    backend.check()
    from bgadl_tf.study import running
    from bgadl_tf.study.processes import terminated_as_interrupted
    from bgadl_tf.study.tuning import hparams, names
    from bgadl_tf.study.tuning.tuner import RunsTuner

    with file_values.located(file):
        checked = names.checked(tuning)
    folder.claim(out, tuning)
    with contextlib.ExitStack() as stack:
        if not role.is_worker:
            stack.enter_context(folder.alone(out))
            hparams.write_space(out, checked)
        stack.enter_context(terminated_as_interrupted())
        print(plan(tuning), flush=True)
        tuner = RunsTuner(
            checked,
            out,
            role=role,
            jobs=jobs,
            data_dir=data_dir,
            train=[*running.TRAIN, "--no-export"],
            tell=lambda line: print(line, flush=True),
        )
        return _search(tuner)


def plan(tuning: Tuning) -> str:
    """What is going to be done."""
    from bgadl_tf.study.markdown import listed

    how_many = "trials" if tuning.trials is None else f"{tuning.trials} trials"
    tuned = tuning.tuned
    what = tuned.config.method or f"learner {tuned.config.learner}"
    runs = "one run" if len(tuning.seeds) == 1 else f"{len(tuning.seeds)} runs"
    seeds = listed([str(seed) for seed in tuning.seeds])
    told = (
        f"{tuning.tuner}: {how_many} of {what}, each of {runs}, with {tuned.acquisition} queries, "
        f"on part {tuned.part} of {tuned.config.dataset} and seeds {seeds}"
    )
    if tuned.other_part is None:
        told += ", which is all of it: no part is left to confirm on what is found"
    return told


def _search(tuner: RunsTuner) -> int:
    import grpc

    from bgadl_tf.study.tuning import results

    role = tuner.role
    if role.is_worker:
        print(f"works for the chief at {role.chief}, and waits until it is there", flush=True)
    elif role.is_chief:
        print(f"proposes trials at {role.chief}; workers make them", flush=True)
    try:
        tuner.search(verbose=0)
    except grpc.RpcError as error:
        raise BusyError(
            f"the chief at {role.chief} does not answer ({error.code().name}); if the search is "
            "not finished, start it again, and then this one, by the same commands"
        ) from None
    except RuntimeError as error:
        if not role.is_chief:
            raise
        raise BusyError(f"cannot propose trials at {role.chief}: {error}") from None
    if role.is_worker:
        print("finished; the chief tells what was found")
        return 0
    found = tuner.write()
    print("\n".join(results.lines(tuner.tuning, tuner.out, found)))
    return 0 if found.ranked else FAILED
