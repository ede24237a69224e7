"""The README names what exists."""

from __future__ import annotations

import argparse
import re

import pytest

from bgadl_tf import cli
from bgadl_tf.acquisition.acquisition import ACQUISITIONS
from bgadl_tf.core.registry import Registry
from bgadl_tf.data.loader import LOADERS
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from bgadl_tf.runs.methods import METHODS
from bgadl_tf.serving.server.flags import Flags
from scripts.benchmarks import command as benchmark
from tests.support.repository import REPOSITORY

README = (REPOSITORY / "README.md").read_text()


def rows(header: str) -> set[str]:
    """Names in the first column of the table whose header begins with ``header``."""
    table = README.split(f"| `{header}` |", 1)[1].split("\n\n", 1)[0]
    return {
        name for row in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", row[:40])[:1]
    }


@pytest.mark.parametrize(
    ("header", "registry"),
    [
        ("--method", METHODS),
        ("--learner", LEARNERS),
        ("--acquisition", ACQUISITIONS),
        ("--classifier", CLASSIFIERS),
    ],
)
def test_every_name_has_its_row(header: str, registry: Registry[object]) -> None:
    assert rows(header) == set(registry)


def test_every_kind_of_dataset_is_named() -> None:
    assert set(LOADERS) == {"digits", "tfds", "folder", "arrays", "embeddings"}
    paths = {"folder:PATH", "arrays:PATH", "embeddings:PATH"}
    assert rows("--dataset") == {"digits", "mnist", *paths}


def flags_of(parser: argparse.ArgumentParser) -> set[str]:
    """Flags of a parser and of its commands."""
    known = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            known = known.union(*(flags_of(command) for command in action.choices.values()))
    return known


def test_flags_in_the_readme_exist() -> None:
    known = flags_of(cli.make_parser()) | {f"--{name}" for name in Flags.__dataclass_fields__}
    known |= {"--seconds"}  # of scripts/load_test.py
    known |= flags_of(benchmark.make_parser())
    used = set(re.findall(r"--[a-z][a-z_-]+", README))
    assert used <= known


def test_the_python_examples_name_real_things() -> None:
    for part in README.split("```python\n")[1:]:
        code = part.split("```", 1)[0]
        imports = "\n".join(line for line in code.splitlines() if line.startswith("from "))
        assert imports
        exec(compile(imports, "README.md", "exec"), {})
