"""A Keras that is set to something else is refused in one line, before anything starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import pytest

from bgadl_tf.core import backend
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from tests.support.repository import REPOSITORY

CASES: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "backend by the environment": (
        {"KERAS_BACKEND": "jax"}, {}, "backend 'jax' by KERAS_BACKEND; .*set KERAS_BACKEND=tens"
    ),
    "backend by keras.json": ({}, {"backend": "torch"}, r"backend 'torch' by .*keras\.json"),
    "data format": (
        {}, {"image_data_format": "channels_first"},
        r"keras\.json sets image_data_format to 'channels_first'; .*'channels_last': change it",
    ),
    "float type": (
        {}, {"floatx": "float64"}, r"keras\.json sets floatx to 'float64'; .*KERAS_HOME"
    ),
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the environment and ``keras.json`` that Keras would find."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    (tmp_path / "keras").mkdir()

    def set_(environment: dict[str, str], saved: object) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "keras" / "keras.json").write_text(json.dumps(saved))

    return set_


@pytest.mark.parametrize("case", CASES)
def test_settings_that_cannot_work_are_named(case: str, home: Callable[..., None]) -> None:
    environment, saved, message = CASES[case]
    home(environment, saved)
    with pytest.raises(ConfigError, match=message):
        backend.check()


def test_settings_that_work_or_cannot_be_read_pass(
    home: Callable[..., None], tmp_path: Path
) -> None:
    backend.check()
    home({}, {"backend": "tensorflow", "floatx": "float32", "image_data_format": "channels_last"})
    backend.check()
    home({}, ["no settings"])
    backend.check()
    (tmp_path / "keras" / "keras.json").write_text("{")
    backend.check()
    # The environment goes before the file.
    home({"KERAS_BACKEND": "tensorflow"}, {"backend": "jax"})
    backend.check()


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, cwd=REPOSITORY, check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_run_is_refused_in_one_line(case: str, home: Callable[..., None], tmp_path: Path) -> None:
    environment, saved, _ = CASES[case]
    home(environment, saved)
    out = tmp_path / "run"
    found = run("-m", "bgadl_tf.cli", "train", "--dataset", "digits", "--out", str(out))
    assert found.returncode == 2
    assert found.stdout == ""
    (line,) = found.stderr.splitlines()
    assert line.startswith("bgadl: ")
    assert not out.exists()


def test_so_is_an_export(home: Callable[..., None], tmp_path: Path) -> None:
    home({"KERAS_BACKEND": "jax"}, {})
    found = run("-m", "bgadl_tf.cli", "export", str(tmp_path))
    assert found.returncode == 2
    (line,) = found.stderr.splitlines()
    assert "KERAS_BACKEND=tensorflow" in line


@pytest.mark.parametrize(
    "module", ["loop.active_learner", "learners.plain", "acquisition.bald", "runs.train"]
)
def test_and_an_import(module: str, home: Callable[..., None]) -> None:
    home({"KERAS_BACKEND": "jax"}, {})
    found = run("-c", f"import bgadl_tf.{module}")
    assert "ConfigError: Keras is set to the backend 'jax'" in found.stderr.splitlines()[-1]


def test_the_package_alone_starts_neither_tensorflow_nor_keras() -> None:
    program = (
        "import sys, bgadl_tf, bgadl_tf.core.backend, bgadl_tf.core.errors, bgadl_tf.cli\n"
        "bgadl_tf.core.backend.check()\n"
        "found = {'tensorflow', 'keras'} & set(sys.modules)\n"
        "assert not found, found"
    )
    found = run("-c", program)
    assert (found.returncode, found.stderr) == (0, "")


@pytest.fixture
def restored() -> Iterator[None]:
    """Puts back what a test sets in Keras."""
    yield
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")


@pytest.mark.usefixtures("restored")
def test_what_the_program_itself_has_set_is_refused_when_a_model_is_made() -> None:
    keras.config.set_image_data_format("channels_first")
    with pytest.raises(ConfigError, match=r"'channels_first'; call .*set_image_data_format\('cha"):
        CLASSIFIERS.get("lenet")((8, 8, 1), 10)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float64")
    with pytest.raises(ConfigError, match=r"'float64'; call keras\.config\.set_floatx\('float32'"):
        CLASSIFIERS.get("mlp")((12,), 10)
