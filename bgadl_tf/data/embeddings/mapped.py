"""An array of a folder of features, mapped into memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import DataError

ANEW = "remove that folder, and write it anew with bgadl embed"
"""How a damaged folder is mended."""


def mapped(path: Path) -> NDArray[Any]:
    """The array in a file, read when it is looked at.

    Raises:
        DataError: There is none, or it is damaged.
    """
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{path} is missing; {ANEW}") from None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot read {path}: {error}; {ANEW}") from error
    return array
