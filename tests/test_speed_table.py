"""The README's table of speed is what the committed measurements render."""

from __future__ import annotations

import pytest

from scripts.benchmarks import results, table
from tests.support.repository import REPOSITORY


def test_the_table_of_speed_is_the_committed_measurements() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    if table.BEGIN not in readme:
        pytest.skip("the README has no table of speed yet")
    shown = readme.split(table.BEGIN, 1)[1].split(table.END, 1)[0]
    assert shown.strip() == table.markdown(results.read(results.RESULTS))
