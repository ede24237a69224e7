"""Every page of scripts/experiments can be run, and says what comes of it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from bgadl_tf import cli
from bgadl_tf.study import names, study_file
from bgadl_tf.study.tuning import names as tuning_names
from bgadl_tf.study.tuning import tuning_file
from tests.support.repository import REPOSITORY

FOLDER = REPOSITORY / "scripts" / "experiments"
PAGES = sorted(FOLDER.iterdir())
SEARCHES = [file for file in PAGES if file.name.startswith("tune-")]
FILES = [file for file in PAGES if file not in SEARCHES]
REPORTS = {
    path.parent.name: path.read_text() for path in REPOSITORY.glob("scripts/results/*/report.md")
}


def head(file: Path) -> str:
    """The comment at the head of a page."""
    return re.match(r"(#.*\n)*", file.read_text())[0]  # type: ignore[index]


def test_there_are_pages() -> None:
    assert {file.name for file in FILES} >= {
        "mnist.yaml",
        "mnist-labelled-only.yaml",
        "updates.yaml",
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_page_names_only_what_exists(file: Path) -> None:
    names.check(study_file.read(file))


@pytest.mark.parametrize("file", SEARCHES, ids=lambda file: file.name)
def test_a_search_names_only_what_exists(file: Path) -> None:
    tuning_names.checked(tuning_file.read(file))


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_its_head_has_the_command(file: Path) -> None:
    (command,) = re.findall(r"^#   bgadl ((?:study|tune) .*)$", head(file), flags=re.MULTILINE)
    arguments = cli.make_parser().parse_args(shlex.split(command))
    assert REPOSITORY / arguments.file == file


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_its_numbers_are_those_of_the_committed_report(file: Path) -> None:
    if "\n# Not run yet" in head(file):
        assert file.stem not in REPORTS
        return
    (report,) = set(re.findall(r"scripts/results/(.+?)/report\.md", head(file)))
    expected = re.findall(r"[+-]?\d+\.\d+ ± \d+\.\d+", head(file))
    assert expected
    assert [number for number in expected if f" {number} " not in REPORTS[report]] == []
    arms = {arm.name for arm in study_file.read(file).arms}
    assert arms <= set(re.findall(r"^#   (\S+) +\d+ ", head(file), flags=re.MULTILINE))


def test_the_makefile_runs_pages_that_exist() -> None:
    used = re.findall(r"scripts/experiments/\S+", (REPOSITORY / "Makefile").read_text())
    assert used
    assert all((REPOSITORY / name).is_file() for name in used)
