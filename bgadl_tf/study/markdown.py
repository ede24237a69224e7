"""Numbers and tables as reports write them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgadl_tf.study.intervals import Interval

NONE = "–"
"""Where there is no number."""


def spread(found: Interval, scale: float, digits: int) -> str:
    """``87.6 ± 1.2``, without the spread where one run cannot have one."""
    if not np.isfinite(found.mean):
        return NONE
    around = f" ± {scale * found.sd:.{digits}f}" if np.isfinite(found.sd) else ""
    return f"{scale * found.mean:.{digits}f}{around}"


def signed(mean: float, sd: float, digits: int = 2) -> str:
    """A difference of shares in points, ``+1.25 ± 0.50``."""
    if not np.isfinite(mean):
        return NONE
    around = f" ± {100 * sd:.{digits}f}" if np.isfinite(sd) else ""
    return f"{100 * mean:+.{digits}f}{around}"


def bounds(low: float, high: float) -> str:
    """An interval of a difference of shares, in points."""
    return f"{100 * low:+.2f} to {100 * high:+.2f}" if np.isfinite(low) else NONE


def p_value(p: float) -> str:
    """A p, to four decimals."""
    if not np.isfinite(p):
        return NONE
    return "< 0.0001" if p < 1e-4 else f"{p:.4f}"


def listed(names: Sequence[str]) -> str:
    """``a, b and c``."""
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns also line up as plain text."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rule = ["-" * width for width in widths]

    def joined(cells: Sequence[str]) -> str:
        return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |"

    return "\n".join(joined(line) for line in (lines[0], rule, *lines[1:])) + "\n"
