"""Run arms × seeds, report on them, or compare a few runs: ``scripts/experiment.py --help``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bgadl_tf.core.errors import BgadlError
from bgadl_tf.study import arms, report
from bgadl_tf.study.tables import BASELINES

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def make_parser() -> argparse.ArgumentParser:
    """The three subcommands."""
    parser = argparse.ArgumentParser(prog="experiment.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="make every run of arms x seeds that is not finished",
        usage="%(prog)s --arms ARM ... --seeds N ... --out OUT [--jobs N] [-- TRAIN FLAGS]",
        description="Make every run of arms x seeds that is not finished yet, each in "
        "OUT/<arm>/seed_<n>. Flags after -- go to every `bgadl train`.",
        epilog="Exit status: 0 all finished, 1 a run failed (the others were made), 2 bad input, "
        "130 interrupted; the same command goes on.",
    )
    run.add_argument(
        "--arms",
        nargs="+",
        required=True,
        metavar="ARM",
        help="methods (bgadl, random, ...) or pairs LEARNER+ACQUISITION",
    )
    run.add_argument("--seeds", nargs="+", type=int, required=True, metavar="N", help="root seeds")
    run.add_argument("--out", type=Path, required=True, help="folder of the experiment")
    run.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="runs at a time, which share the CPU cores (default: %(default)s)",
    )

    reporting = commands.add_parser(
        "report", help="write OUT/report.md, results.json and learning_curves.png"
    )
    reporting.add_argument("out", type=Path, metavar="OUT", help="folder of the experiment")
    reporting.add_argument(
        "--against",
        nargs="+",
        default=BASELINES,
        metavar="ARM",
        help=f"arms to compare the others with, seed by seed (default: {' '.join(BASELINES)})",
    )

    compare = commands.add_parser("compare", help="draw the learning curves of a few runs")
    compare.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="run folders")
    compare.add_argument("--out", type=Path, required=True, metavar="FILE.png", help="figure")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    train_flags: list[str] = []
    if "--" in words:
        train_flags = words[words.index("--") + 1 :]
        words = words[: words.index("--")]
    parser = make_parser()
    arguments = parser.parse_args(words)
    if train_flags and arguments.command != "run":
        parser.error(f"{arguments.command} takes no training flags")
    try:
        if arguments.command == "run":
            return _run(arguments, train_flags)
        if arguments.command == "report":
            print(report.write(arguments.out, arguments.against))
        else:
            report.compare(arguments.runs, arguments.out)
            print(arguments.out)
    except BgadlError as error:
        print(f"experiment.py: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("experiment.py: interrupted; the same command goes on", file=sys.stderr)
        return INTERRUPTED
    return 0


def _run(arguments: argparse.Namespace, train_flags: Sequence[str]) -> int:
    # A job manager's SIGTERM ends the runs under way just as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    failures = arms.run(
        arguments.arms,
        arguments.seeds,
        arguments.out,
        jobs=arguments.jobs,
        train_flags=train_flags,
        tell=lambda line: print(line, flush=True),
    )
    for failure in failures:
        print(
            f"experiment.py: {failure.task.name} failed: {failure.reason} "
            f"(log: {failure.task.log})",
            file=sys.stderr,
        )
    return FAILED if failures else 0


if __name__ == "__main__":
    sys.exit(main())
