"""Flags of a run's settings, and command lines as argparse reads them, which takes ``-1,1`` for a
flag and not for a value.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from bgadl_tf.runs.config import SINGULAR, RunConfig, flag, scalar_type

_FLAG = re.compile(r"--\w[\w-]*")
_NUMBERS = re.compile(r"-\.?\d.*,.*")


def joined(arguments: Sequence[str]) -> list[str]:
    """``--pixel-range -1,1`` as ``--pixel-range=-1,1``; all else as it is."""
    found: list[str] = []
    for argument in arguments:
        if found and _FLAG.fullmatch(found[-1]) and _NUMBERS.fullmatch(argument):
            found[-1] += f"={argument}"
        else:
            found.append(argument)
    return found


def number_or(kind: Callable[[str], Any], words: Sequence[str]) -> Callable[[str], Any]:
    """For argparse: a number, or one of a few words."""

    def read(text: str) -> Any:
        if text in words:
            return text
        try:
            return kind(text)
        except ValueError:
            raise ArgumentTypeError(
                f"it is {text!r}; expected a number or {' or '.join(words)}"
            ) from None

    return read if words else kind


def add_settings(parser: argparse.ArgumentParser, names: Collection[str] | None = None) -> None:
    """A flag for each field of ``RunConfig``, or for those of these names.

    What is not given is left out, so that a file or ``RunConfig`` can say what it is.
    """
    for field in dataclasses.fields(RunConfig):
        if names is not None and field.name not in names:
            continue
        help_ = field.metadata["help"]
        if field.name in SINGULAR:
            metavar = "NAME=VALUE" if field.name == "options" else "NAME"
            parser.add_argument(
                flag(field.name),
                dest=field.name,
                action="append",
                default=argparse.SUPPRESS,
                metavar=metavar,
                help=help_,
            )
            continue
        if field.default is not None:
            help_ += f" (default: {field.default})"
        kind = scalar_type(RunConfig, field.name)
        if kind is bool:
            parser.add_argument(
                flag(field.name),
                action=argparse.BooleanOptionalAction,
                default=argparse.SUPPRESS,
                help=help_,
            )
        else:
            parser.add_argument(
                flag(field.name),
                type=number_or(kind, field.metadata["words"]),
                default=argparse.SUPPRESS,
                choices=field.metadata["choices"],
                metavar=kind.__name__.upper() if field.metadata["choices"] is None else None,
                help=help_,
            )


def add_train_flags(parser: argparse.ArgumentParser) -> None:
    """One flag per field of ``RunConfig``, and ``--out``."""
    add_settings(parser)
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE.yaml",
        help="settings, as in a study file; flags that are given win over them",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="the run folder; an unfinished run in it is resumed",
    )
    parser.add_argument(
        "--no-export",
        dest="export",
        action="store_false",
        help="end without an export for serving; 'bgadl export' makes it later",
    )
    add_mlflow_flag(parser)


def add_mlflow_flag(parser: argparse.ArgumentParser) -> None:
    """``--mlflow``."""
    parser.add_argument(
        "--mlflow",
        metavar="URI",
        help="track settings and rounds in MLflow, too: a server, or e.g. sqlite:///mlflow.db "
        "(pip install 'bgadl_tf[mlflow]')",
    )
