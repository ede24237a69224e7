"""Folders of arrays and lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def write(root: Path, **files: Any) -> Path:
    """Writes strings to text files and arrays to ``.npy`` files."""
    root.mkdir(exist_ok=True)
    for name, content in files.items():
        if isinstance(content, str):
            (root / f"{name}.txt").write_text(content, encoding="utf-8")
        else:
            np.save(root / f"{name}.npy", content)
    return root
