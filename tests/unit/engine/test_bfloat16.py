"""Who asks for bfloat16 where it is emulated is told so, and nobody else."""

from __future__ import annotations

import logging

import pytest

from bgadl_tf.engine.bfloat16 import warn_if_emulated


@pytest.mark.parametrize(
    ("precision", "flags", "warned"),
    [
        ("mixed_bfloat16", {"fma", "avx2"}, True),
        ("mixed_bfloat16", {"avx2", "avx512f", "avx512_bf16"}, False),
        ("mixed_bfloat16", {"asimd", "bf16"}, False),
        ("mixed_bfloat16", set(), False),  # Not known.
        ("float32", {"fma", "avx2"}, False),
    ],
)
def test_the_warning_depends_on_precision_and_processor(
    precision: str, flags: set[str], warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "bgadl_tf"):
        warn_if_emulated(precision, flags)
    assert bool(caplog.records) == warned
    assert not warned or "float32 is several times as fast" in caplog.text
