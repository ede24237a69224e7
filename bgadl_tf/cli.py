"""The command line: parse, call, print. Bad input is one line and exit status 2."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from bgadl_tf import __version__
from bgadl_tf.config import RunConfig, flag, scalar_type
from bgadl_tf.errors import BgadlError

BAD_INPUT, WAITING, INTERRUPTED = 2, 3, 130


class _Parser(argparse.ArgumentParser):
    """Reports bad flags as every other bad input: in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


def add_train_flags(parser: argparse.ArgumentParser) -> None:
    """One flag per field of ``RunConfig``, and ``--out``."""
    for field in dataclasses.fields(RunConfig):
        help_ = field.metadata["help"]
        if field.name == "options":
            parser.add_argument(
                flag(field.name), dest=field.name, action="append", metavar="NAME=VALUE", help=help_
            )
            continue
        if field.default is not None:
            help_ += f" (default: {field.default})"
        kind = scalar_type(RunConfig, field.name)
        if kind is bool:
            parser.add_argument(flag(field.name), action="store_true", help=help_)
        else:
            parser.add_argument(
                flag(field.name),
                type=kind,
                default=field.default,
                choices=field.metadata["choices"],
                metavar=kind.__name__.upper() if field.metadata["choices"] is None else None,
                help=help_,
            )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="the run folder; an unfinished run in it is resumed",
    )


def make_parser() -> argparse.ArgumentParser:
    """The parser of the console command ``bgadl``."""
    parser = _Parser(prog="bgadl", description="Bayesian generative active deep learning.")
    parser.add_argument("--version", action="version", version=f"bgadl_tf {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    train = commands.add_parser(
        "train",
        help="run the active-learning loop, or resume it",
        description="Run the active-learning loop of a method on a dataset, or resume it.",
        epilog=f"Exit status: 0 finished, {BAD_INPUT} bad input, {WAITING} waiting for labels "
        f"(they go into to_label.csv of the run folder), {INTERRUPTED} interrupted.",
    )
    add_train_flags(train)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        Exit status.
    """
    arguments = vars(make_parser().parse_args(argv))
    arguments.pop("command")
    out: Path = arguments.pop("out")
    # Silences notices of TensorFlow's start; errors still show.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return _train(RunConfig(**{**arguments, "options": tuple(arguments["options"] or ())}), out)
    except BgadlError as error:
        print(f"bgadl: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print(f"\nbgadl: interrupted; run the same command again to resume {out}", file=sys.stderr)
        return INTERRUPTED


def _train(config: RunConfig, out: Path) -> int:
    from bgadl_tf.experiment.train import train

    outcome = train(config, out)
    if outcome.waiting_for is not None:
        print(
            f"bgadl: labels are missing: fill in the column 'label' of {outcome.waiting_for} and "
            "run the same command again"
        )
        return WAITING
    last = outcome.rounds[-1]
    print(
        f"finished: {last['labelled']} labels, test accuracy {100 * last['test_accuracy']:.2f} %; "
        f"everything is in {outcome.folder}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
