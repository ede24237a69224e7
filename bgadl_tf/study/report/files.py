"""The files of a report: report.html, report.md, results.json and curves.csv."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bgadl_tf.core import durable
from bgadl_tf.study.report import html, results
from bgadl_tf.study.report.arms import Named
from bgadl_tf.study.report.document import Block, markdown


def write_all(
    folder: Path,
    title: str,
    blocks: Sequence[Block],
    measured: Named,
    every: Named,
) -> Path:
    """Write them, each whole or not at all.

    Args:
        folder: Where they go.
        title: Of the page.
        blocks: The report.
        measured: Runs with a learning curve, for results.json.
        every: Runs, for curves.csv.

    Returns:
        report.md.

    Raises:
        RunFolderError: One cannot be written.
    """
    text = json.dumps(results.to_json(measured), indent=1, allow_nan=False) + "\n"
    durable.atomic_write_text(folder / "results.json", text)
    durable.atomic_write_text(folder / "curves.csv", results.to_csv(every))
    durable.atomic_write_text(folder / "report.html", html.render(title, blocks))
    durable.atomic_write_text(folder / "report.md", markdown(blocks, folder))
    return folder / "report.md"
