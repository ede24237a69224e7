"""``bgadl report``, ``claims`` and ``compare``: their flags, and what they print.

Starts fast: the rest is imported to run.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bgadl_tf.core.errors import ConfigError, RunFolderError

if TYPE_CHECKING:
    from bgadl_tf.study.protocol import Protocol

REPORT = """Say what a study or a run came to, in FOLDER: report.html, which opens in any browser
without a network, report.md, results.json and curves.csv. Of a study it is that of 'bgadl study
--report-only'. Of a run it says whether active learning is helping, as far as that can be
known. Exit status: 0 written, 2 bad input."""

CLAIMS = """Look whether the claims that study files make hold, over several finished studies, each
dataset a set: which arm harms another one by no more than a margin, which one wins. Write claims.md
and claims.json into FOLDER. All wins of all studies are one family for Holm's correction."""


def add_report_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of ``bgadl report``."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of a run, or of a study")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="RUN",
        help="of one run: compare it with this run of random selection",
    )


def add_claims_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of ``bgadl claims``."""
    parser.add_argument("studies", type=Path, nargs="+", metavar="STUDY", help="study folders")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="where claims.md goes"
    )


def add_compare_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of ``bgadl compare``."""
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="run folders")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.png", help="where the figure goes"
    )


def report(*, folder: Path, against: Path | None) -> int:
    """Report on a study or a run. Arguments are the flags.

    Returns:
        Exit status.

    Raises:
        BgadlError: It is the folder of neither, or there is nothing to report yet.
    """
    from bgadl_tf.study import report as reports
    from bgadl_tf.study import study_folder

    if (folder / "config.json").exists():
        print(reports.write_run(folder, against).with_suffix(".html"))
        return 0
    if study_folder.readable(folder) is None and not any(folder.glob("*/seed_*/config.json")):
        raise RunFolderError(
            f"{folder} is the folder of no run, which has a config.json, and of no study, which "
            "has runs in ARM/seed_N; give one of them"
        )
    if against is not None:
        raise ConfigError(
            f"{folder} is a study's; --against is for one run: a study file says under 'against' "
            "what arms are compared with"
        )
    print(reports.write(folder, compared_with(None, folder)).with_suffix(".html"))
    return 0


def claims(*, studies: list[Path], out: Path) -> int:
    """Look whether claims hold. Arguments are the flags.

    Returns:
        Exit status.

    Raises:
        BgadlError: A folder is that of no study with claims, or the files cannot be written.
    """
    from bgadl_tf.study import claims_report

    print(claims_report.write(studies, out))
    return 0


def compare(*, runs: list[Path], out: Path) -> int:
    """Draw the learning curves of a few runs. Arguments are the flags.

    Returns:
        Exit status.

    Raises:
        BgadlError: A folder is not that of a run, or the figure cannot be written.
    """
    from bgadl_tf.study import report

    report.compare(runs, out)
    print(out)
    return 0


def compared_with(protocol: Protocol | None, out: Path) -> tuple[str, ...]:
    """What a report compares with: as the file says, else the folder's protocol."""
    from bgadl_tf.study import study_folder
    from bgadl_tf.study.protocol import BASELINES

    protocol = protocol or study_folder.readable(out)
    return BASELINES if protocol is None else protocol.against
