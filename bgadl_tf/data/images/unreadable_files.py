"""Images that cannot be read: how many may be, and what is said of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Id
from bgadl_tf.data.images import formats

SHOWN = 3
"""Files that a message names."""


def check(root: Path, unreadable: Mapping[Id, str], count: int, most: float) -> None:
    """Makes sure that enough images can be read.

    Args:
        root: Where they are.
        unreadable: Why some cannot be.
        count: How many images there are, with these.
        most: Share of them that may be unreadable.

    Raises:
        DataError: None can be read, or too few.
    """
    if not count:
        raise DataError(f"{root} holds no images; expected {formats.READ} files")
    if len(unreadable) < count and len(unreadable) <= most * count:
        return
    share = len(unreadable) / count
    allowed = f", or allow them with --max-unreadable {math.ceil(share * 1000) / 1000:g}"
    raise DataError(
        f"{named(root, unreadable)}: {share:.1%} of {count}, at most {most:.1%} may be; mend or "
        f"remove them{allowed if share < 1 else ''}"
    )


def named(root: Path, bad: Mapping[Id, str]) -> str:
    """``5 images of ROOT cannot be read: a.png (why), b.png (why), c.png (why) and 2 more``."""
    shown = [f"{id_} ({reason})" for id_, reason in list(bad.items())[:SHOWN]]
    more = f" and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    images = "1 image" if len(bad) == 1 else f"{len(bad)} images"
    return f"{images} of {root} cannot be read: {', '.join(shown)}{more}"
