"""Whether the processor that computes has bfloat16 arithmetic, or emulates it at a high price."""

from __future__ import annotations

import logging
from collections.abc import Set
from pathlib import Path

import tensorflow as tf

logger = logging.getLogger(__name__)

_HAVE_IT = frozenset({"amx_bf16", "avx512_bf16", "bf16"})
"""Flags of x86 and arm processors, any of which is enough."""


def warn_if_emulated(precision: str, flags: Set[str] | None = None) -> None:
    """Say that a run will be slow for its precision, if it trains on such a processor.

    Args:
        precision: ``float32`` or ``mixed_bfloat16``.
        flags: Of the processor; None for this one's. Where they are not known, nothing is said.
    """
    if precision == "float32" or tf.config.list_physical_devices("GPU"):
        return
    flags = _flags() if flags is None else flags
    if flags and not flags & _HAVE_IT:
        logger.warning(
            "--precision is %s, but this processor has no bfloat16 arithmetic and emulates it: "
            "float32 is several times as fast here",
            precision,
        )


def _flags() -> Set[str]:
    """Of the first processor, as Linux tells them; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()
