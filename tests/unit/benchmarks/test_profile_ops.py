"""The profile names the kernels that do the work."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.support.repository import REPOSITORY

SCRIPT = REPOSITORY / "scripts" / "profile_ops.py"


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        (["training", "--learner", "plain", "--steps", "2"], "Adam"),
        pytest.param(["scoring", "--classifier", "gal_cnn"], "Conv2D", marks=pytest.mark.slow),
    ],
    ids=["training", "scoring"],
)
def test_kernels_and_their_shares(flags: list[str], kind: str) -> None:
    printed = subprocess.run(
        [sys.executable, SCRIPT, *flags, "--top", "1000"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    total = float(re.search(r"bfloat16: ([\d.]+) ms a", printed).group(1))
    rows = re.findall(r"^ +([\d.]+) ms +(\d+) % +([\d.]+) (\w+)$", printed, re.MULTILINE)
    times = [float(row[0]) for row in rows]
    assert sum(times) == pytest.approx(total, abs=0.05 + 0.005 * len(rows))
    assert times == sorted(times, reverse=True)
    assert any(kind in row[3] for row in rows)
