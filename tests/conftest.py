"""Fixtures that several tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_tfds() -> Path:
    """Folder of prepared TFDS datasets beside the repository; skips where there is none."""
    folder = (Path(__file__).resolve().parents[1] / "../shared/tfds").resolve()
    if not folder.is_dir():
        pytest.skip("no folder of prepared TFDS datasets at ../shared/tfds")
    return folder
