"""``bgadl study``: its flags, and what it prints.

Starts fast: the rest is imported to run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bgadl_tf.core.errors import ConfigError, RunFolderError
from bgadl_tf.runs.command_line import add_mlflow_flag
from bgadl_tf.study.report_command import compared_with

if TYPE_CHECKING:
    from bgadl_tf.study.outlook import Outlook
    from bgadl_tf.study.protocol import Protocol
    from bgadl_tf.study.shard import Shard
    from bgadl_tf.study.tasks import Task

FAILED = 1
"""Exit status: a run failed; the others were made, and reported on."""

DESCRIPTION = """Make every run of a study that is not finished, each in FOLDER/<arm>/seed_<n>, or
FOLDER/<dataset>/<arm>/seed_<n> where the file names datasets; then write the report into FOLDER:
report.html, report.md, results.json and curves.csv. A command that was stopped, kill -9 included,
goes on where it was when it is given again."""

EXAMPLE = """a study file:
  arms: [bgadl, bald, random]   # methods, or LEARNER+ACQUISITION; or a mapping of names to
                                # settings: {bgadl: {seeds: [0, 1, 2]}, random: {steps: 300}}
  seeds: [0, 1]                 # of every arm without seeds of its own
  settings:                     # flags of bgadl train, spelt with _
    dataset: digits
    initial_size: 20
    rounds: 6
    steps: 150
    options: {vaeacgan.width: 0.5}
  datasets:                     # of a study on several: settings that differ on each, seeds too
    small: {image_size: 8}
    cifar10: {dataset: cifar10, initial_size: 100, seeds: [0, 1, 2]}
  against: [random]             # arms to compare the others with, seed by seed
  claims:                       # what is to be shown, for bgadl claims
    recommended: bgadl
    never_harms: {margin: 0.5, pairs: [[bgadl, bald]]}   # points of AUBC
    wins: {pairs: [[bgadl, random]]}"""


def add_study_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of ``bgadl study``."""
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE.yaml",
        help="arms, seeds and settings; with --report-only it may be left out",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder of the study; a study in it that is not finished goes on",
    )
    parser.add_argument(
        "--jobs",
        type=at_least_one,
        default=1,
        metavar="N",
        help="runs at a time, which share the CPU cores (default: %(default)s)",
    )
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="make the I-th of N shares of the runs, on one of N machines; then copy their folders "
        "into one, and report on it with --report-only",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="make no run; say which would be made, and how long they take by those that are "
        "finished in FOLDER",
    )
    parser.add_argument("--data-dir", help="folder of prepared TFDS datasets on this machine")
    parser.add_argument(
        "--no-export",
        dest="export",
        action="store_false",
        help="end every run without an export for serving; 'bgadl export RUN' makes it later",
    )
    add_mlflow_flag(parser)
    parser.add_argument(
        "--report-only",
        action="store_true",
        help="make no run; report on those in FOLDER that are finished",
    )


def study(
    *,
    file: Path | None,
    out: Path,
    jobs: int,
    shard: str | None,
    dry_run: bool,
    data_dir: str | None,
    export: bool,
    mlflow: str | None,
    report_only: bool,
) -> int:
    """Run and report. Arguments are the flags.

    Returns:
        Exit status.

    Raises:
        BgadlError: Bad input, found before any run is made; or there is nothing to report.
    """
    from bgadl_tf.study import report, study_file
    from bgadl_tf.study.shard import Shard

    if report_only and (dry_run or shard is not None):
        raise ConfigError(
            "--report-only makes no run and reports on all that are finished; leave out --dry-run "
            "and --shard"
        )
    part = Shard() if shard is None else Shard.parse(shard)
    protocol = None if file is None else study_file.read(file)
    if report_only:
        print(report.write(out, compared_with(protocol, out)))
        return 0
    if file is None or protocol is None:
        raise ConfigError("give the study as FILE.yaml; only --report-only can do without")
    tasks = _checked(protocol, file, out, data_dir, part, export)
    if dry_run:
        print(_outlook(tasks, out, jobs).report(), end="")
        return 0
    train = [*([] if export else ["--no-export"]), *_tracking(out, mlflow)]
    return _run(protocol, tasks, out, jobs, train)


def _checked(
    protocol: Protocol, file: Path, out: Path, data_dir: str | None, shard: Shard, exports: bool
) -> list[Task]:
    """The runs, after what can be wrong with them has been looked for."""
    from bgadl_tf.runs import file_values
    from bgadl_tf.study import names, study_folder
    from bgadl_tf.study.tasks import tasks_of

    tasks = tasks_of(protocol, out, data_dir, shard, exports=exports)
    with file_values.located(file):
        names.check_apart(protocol, [task for task in tasks if not task.begun])
    study_folder.check(out, protocol)
    if not tasks:
        raise ConfigError(
            f"--shard {shard.number}/{shard.count} has none of the "
            f"{len([*protocol.runs()])} runs; share them among fewer"
        )
    return tasks


def _outlook(tasks: list[Task], out: Path, jobs: int) -> Outlook:
    from bgadl_tf.study import durations
    from bgadl_tf.study.outlook import outlook

    return outlook(tasks, durations.measured(out), jobs)


def _tracking(out: Path, mlflow: str | None) -> list[str]:
    """Flags of runs that are tracked; the store is made here, lest several runs do so at once."""
    if mlflow is None:
        return []
    from bgadl_tf.runs.mlflow_tracking import MLflowTracking

    MLflowTracking(out, mlflow)
    return ["--mlflow", mlflow]


def _run(
    protocol: Protocol, tasks: list[Task], out: Path, jobs: int, train_flags: list[str]
) -> int:
    from bgadl_tf.study import report, running, study_folder
    from bgadl_tf.study.processes import terminated_as_interrupted

    study_folder.claim(out, protocol)
    print(_outlook(tasks, out, jobs).line(), flush=True)
    train = [*running.TRAIN, *train_flags]
    with terminated_as_interrupted():
        failures = running.run(
            tasks, jobs=jobs, train=train, tell=lambda line: print(line, flush=True)
        )
    for failure in failures:
        print(
            f"bgadl: {failure.task.name} failed: {failure.reason} (log: {failure.task.log})",
            file=sys.stderr,
        )
    if len(failures) == len(tasks):
        return FAILED
    try:
        print(f"the report is in {report.write(out, protocol.against)}")
    except RunFolderError as error:
        if not failures:
            raise
        print(f"bgadl: there is no report: {error}", file=sys.stderr)
    return FAILED if failures else 0


def at_least_one(text: str) -> int:
    """For argparse: a positive integer."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"it is {text!r}; expected an integer from 1 on")
    return int(text)
