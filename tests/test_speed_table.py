"""The table of speed is what the committed measurements render."""

from __future__ import annotations

from scripts.benchmarks import results, table
from tests.support.repository import REPOSITORY


def test_the_table_of_speed_is_the_committed_measurements() -> None:
    page = (REPOSITORY / "scripts/benchmarks/README.md").read_text()
    assert page.count(table.BEGIN) == page.count(table.END) == 1
    shown = page.split(table.BEGIN, 1)[1].split(table.END, 1)[0]
    assert shown.strip() == table.markdown(results.read(results.RESULTS))
