"""Imports flow one way, and siblings do not know each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bgadl_tf
from bgadl_tf.acquisition.acquisition import ACQUISITIONS
from bgadl_tf.core.registry import Registry
from bgadl_tf.data.loader import LOADERS
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from tests.support.repository import REPOSITORY

PACKAGE = REPOSITORY / "bgadl_tf"

# Each layer may import itself and the layers before it.
LAYERS = (
    "core", "data", "models", "learners", "acquisition", "engine", "loop", "export", "runs",
    "study", "serving", "labelling", "harvest", "cli",
)  # fmt: skip
LEVEL = {name: level for level, name in enumerate(LAYERS)}
REGISTRIES = (LOADERS, CLASSIFIERS, LEARNERS, ACQUISITIONS)
FILES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def own_imports(file: Path) -> set[tuple[str, ...]]:
    """Modules of this package that a file imports, as parts after ``bgadl_tf``."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / file).read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found |= {tuple(name.split(".")[1:]) for name in names if name.startswith("bgadl_tf.")}
    return found


def test_every_module_has_a_layer() -> None:
    tops = {file.parts[0].removesuffix(".py") for file in FILES} - {"__init__"}
    assert tops == set(LEVEL)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_imports_flow_one_way(file: Path) -> None:
    top = file.parts[0].removesuffix(".py")
    if top == "__init__":
        return  # see test_what_the_package_exports
    for imported in own_imports(file):
        level = LEVEL.get(imported[0], 0)  # the package itself: its version
        assert level <= LEVEL[top], f"{file} imports bgadl_tf.{'.'.join(imported)}"


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_siblings_do_not_import_each_other(registry: Registry[Any]) -> None:
    modules = {registry.get(name).__module__ for name in registry}
    assert len(modules) > 1
    for module in modules:
        parts = tuple(module.split(".")[1:])
        for imported in own_imports(Path(*parts).with_suffix(".py")):
            named = {".".join(("bgadl_tf", *imported[:length])) for length in range(1, 5)}
            assert not named & (modules - {module}), f"{module} imports {imported}"


@pytest.mark.parametrize("file", FILES, ids=str)
def test_no_file_is_long(file: Path) -> None:
    assert len((PACKAGE / file).read_text().splitlines()) <= 300


def test_the_loop_is_read_in_one_go() -> None:
    text = (PACKAGE / "loop/active_learner.py").read_text()
    assert len(text.splitlines()) < 200
    assert "isinstance" not in text


def test_what_the_package_exports() -> None:
    for name in bgadl_tf.__all__:
        home = getattr(bgadl_tf, name)
        assert home.__name__ == name
        assert name in dir(bgadl_tf)
    assert bgadl_tf.__all__ == sorted(bgadl_tf.__all__)
    # What type checkers are told is what is imported.
    told = {".".join(parts) for parts in own_imports(Path("__init__.py"))}
    assert told == {f"{home}.{name}" for name, home in bgadl_tf._HOMES.items()}
    for name in bgadl_tf._NAMESPACES:
        assert getattr(bgadl_tf, name).__name__ == f"bgadl_tf.{name}"
    with pytest.raises(AttributeError, match="no attribute 'ActiveLerner'"):
        bgadl_tf.ActiveLerner  # noqa: B018


def test_importing_the_package_starts_nothing() -> None:
    program = (
        "import sys, bgadl_tf\n"
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules)\n"
        "from bgadl_tf import RunConfig\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=REPOSITORY)


def test_the_package_itself_imports_no_tensorflow() -> None:
    light = [*(PACKAGE / "core").glob("*.py"), PACKAGE / "cli.py", PACKAGE / "__init__.py"]
    for file in light:
        tree = ast.parse(file.read_text())
        modules = [
            alias.name
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in (
                node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")]
            )
        ]
        assert not [module for module in modules if module.split(".")[0] in ("tensorflow", "keras")]


SERVING = [file for file in FILES if file.parts[0] == "serving"]


@pytest.mark.parametrize("file", SERVING, ids=str)
def test_serving_knows_nothing_of_training(file: Path) -> None:
    known = {"__version__", "core", "data", "serving"}
    assert {imported[0] for imported in own_imports(file)} <= known
    modules = set()
    for node in ast.walk(ast.parse((PACKAGE / file).read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").split(".")[0])
    assert not modules & {"keras", "tf_keras", "tensorflow_probability"}


def test_a_rest_client_starts_without_tensorflow() -> None:
    names = ("client.client", "client.pool", "client.rest", "ranking", "sources", "score_command")
    program = "".join(f"import bgadl_tf.serving.{name}\n" for name in names) + (
        "import sys, bgadl_tf.cli\n"
        "assert not {'tensorflow', 'keras', 'grpc'} & set(sys.modules), sorted(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=REPOSITORY)


def test_a_study_leaves_the_memory_of_tensorflow_to_its_runs() -> None:
    names = ("command", "names", "outlook", "report", "running", "study_file", "study_folder")
    program = "".join(f"import bgadl_tf.study.{name}\n" for name in names) + (
        "import sys\nassert not {'tensorflow', 'keras'} & set(sys.modules), sorted(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=REPOSITORY)
