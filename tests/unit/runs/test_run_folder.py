"""Which folders a run may be taken up in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.core.types import Json
from bgadl_tf.runs.run_folder import RunFolder
from tests.support.repository import REPOSITORY

CONFIG: Json = {
    "rounds": 2, "seed": 0, "options": {"width": 1.0}, "versions": {"bgadl_tf": "0.2.0"},
}  # fmt: skip


def open_with(path: Path, config: Json, defaults: Json | None = None) -> None:
    with RunFolder(path).opened(config, defaults or {}):
        pass


def test_a_new_setting_with_its_default_leaves_older_folders_resumable(tmp_path: Path) -> None:
    open_with(tmp_path, CONFIG)
    newer = {**CONFIG, "patience": 3, "options": {"width": 1.0, "depth": 2}}
    defaults = {"patience": 3, "options": {"width": 0.5, "depth": 2}}
    open_with(tmp_path, newer, defaults)
    with pytest.raises(RunFolderError, match="patience was 3, now 4"):
        open_with(tmp_path, {**newer, "patience": 4}, defaults)
    deeper = {**newer, "options": {"width": 1.0, "depth": 5}}
    with pytest.raises(RunFolderError, match=r"options was .*'depth': 2.*now .*'depth': 5"):
        open_with(tmp_path, deeper, defaults)


def test_another_machine_or_version_may_go_on(tmp_path: Path) -> None:
    open_with(tmp_path, CONFIG)
    open_with(tmp_path, {**CONFIG, "versions": {"bgadl_tf": "0.3.0"}, "devices": {"replicas": 2}})


def test_a_folder_of_the_first_format_is_refused_with_the_reason(tmp_path: Path) -> None:
    saved = {**CONFIG, "versions": {"bgadl_tf": "0.1.0"}}
    (tmp_path / "config.json").write_text(json.dumps(saved))
    with pytest.raises(RunFolderError, match=r"bgadl_tf 0\.1\.0.*drawn anew.*finish it with that"):
        open_with(tmp_path, CONFIG)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_another_process_is_kept_out(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from bgadl_tf.runs.run_folder import RunFolder\n"
        "with RunFolder(pathlib.Path(sys.argv[1])).opened({}, {}): pass\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with RunFolder(tmp_path).opened({}, {}):
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert "another process is working in" in done.stderr
    subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True)


def test_a_new_option_of_an_acquisition_leaves_older_folders_resumable(tmp_path: Path) -> None:
    open_with(tmp_path, {**CONFIG, "acquisition_options": {"coreset": {"metric": "cosine"}}})
    newer = {"coreset": {"metric": "cosine", "layer": "features"}}
    defaults = {"acquisition_options": {"coreset": {"metric": "euclidean", "layer": "features"}}}
    open_with(tmp_path, {**CONFIG, "acquisition_options": newer}, defaults)
    other = {"coreset": {"metric": "cosine", "layer": "penultimate"}}
    with pytest.raises(RunFolderError, match="acquisition_options was"):
        open_with(tmp_path, {**CONFIG, "acquisition_options": other}, defaults)
