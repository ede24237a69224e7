"""The README names what exists."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

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


def rows(header: str, page: str = "README.md") -> set[str]:
    """Names in the first column of the table whose header begins with ``header``."""
    text = (REPOSITORY / page).read_text()
    table = text.split(f"| `{header}` |", 1)[1].split("\n\n", 1)[0]
    return {
        name for row in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", row[:40])[:1]
    }


@pytest.mark.parametrize(
    ("header", "registry", "page"),
    [
        ("--method", METHODS, "README.md"),
        ("--learner", LEARNERS, "bgadl_tf/learners/README.md"),
        ("--acquisition", ACQUISITIONS, "bgadl_tf/acquisition/README.md"),
    ],
)
def test_every_name_has_its_row(header: str, registry: Registry[object], page: str) -> None:
    assert rows(header, page) == set(registry)


def named(flag: str) -> set[str]:
    """What is in backticks in the paragraph that begins with the flag."""
    paragraph = README.split(f"\n`{flag}` takes ", 1)[1].split("\n\n", 1)[0]
    return {*re.findall(r"`([^`]+)`", paragraph)}


def test_every_classifier_is_named() -> None:
    others = {"keras:NAME", "model:FILE.keras[:LAYER]"}
    assert named("--classifier") == {*CLASSIFIERS, *others}


def test_every_kind_of_dataset_is_named() -> None:
    assert set(LOADERS) == {"digits", "tfds", "folder", "arrays", "embeddings"}
    kinds = {"digits", "mnist", "folder:PATH", "arrays:PATH", "embeddings:PATH"}
    assert kinds <= named("--dataset")


def flags_of(parser: argparse.ArgumentParser) -> set[str]:
    """Flags of a parser and of its commands."""
    known = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            known = known.union(*(flags_of(command) for command in action.choices.values()))
    return known


PAGES = [
    "README.md", "CONTRIBUTING.md", "bgadl_tf/acquisition/README.md", "bgadl_tf/data/README.md",
    "bgadl_tf/labelling/README.md", "bgadl_tf/labelling/labelstudio/README.md",
    "bgadl_tf/learners/README.md", "bgadl_tf/runs/README.md", "bgadl_tf/study/README.md",
    "bgadl_tf/study/tuning/README.md", "scripts/benchmarks/README.md",
    "scripts/results/README.md", "serving/README.md",
]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_flags_that_a_page_names_exist(page: str) -> None:
    known = flags_of(cli.make_parser()) | {f"--{name}" for name in Flags.__dataclass_fields__}
    known |= flags_of(benchmark.make_parser())
    # Of scripts/load_test.py, profile_ops.py, and of other programs.
    known |= {"--seconds", "--steps", "--detach", "--wait", "--filename", "--kustomize", "--for"}
    known |= {"--fix", "--rm", "--volume", "--publish", "--user", "--data", "--logdir"}
    known |= {"--no-browser", "--internal-host", "--port"}
    used = set(re.findall(r"(?<![\w-])--[a-z][a-z_-]+", (REPOSITORY / page).read_text()))
    assert used <= known


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    folder = (REPOSITORY / page).parent
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (REPOSITORY / page).read_text()):
        assert (folder / target).exists(), f"{page}: {target}"


def test_the_readme_is_read_in_one_go() -> None:
    assert len(README.splitlines()) < 200


def test_the_python_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", README, re.S)
    assert examples
    for number, code in enumerate(examples):
        exec(compile(code, f"README.md, example {number}", "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out
    assert "60 labels: " in printed
    assert (tmp_path / "runs/session/export/classifier/1/saved_model.pb").exists()
