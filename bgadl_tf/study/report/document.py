"""A report as data: Markdown, and figures and pictures that each rendering shows in its own way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import plotly.graph_objects as go


@dataclass(frozen=True, eq=False)
class Plot:
    """An interactive figure.

    Attributes:
        name: Of its own in the report; letters, digits and ``-``.
        figure: What the HTML shows.
        markdown: What stands for it in Markdown; nothing where a table says the same.
    """

    name: str
    figure: go.Figure
    markdown: str = ""


@dataclass(frozen=True)
class Picture:
    """An image of a run.

    Attributes:
        path: PNG; the HTML holds a copy of it.
        caption: What it shows, as plain text.
    """

    path: Path
    caption: str


@dataclass(frozen=True)
class Contents:
    """Where the HTML links to its sections; nothing in Markdown."""


Block = str | Plot | Picture | Contents
"""Markdown blocks (headings, paragraphs, tables) and what is more than text."""


def markdown(blocks: Sequence[Block], folder: Path) -> str:
    """As report.md.

    Args:
        blocks: The report.
        folder: Where the file goes; pictures are named from there.
    """
    parts = (_markdown(block, folder) for block in blocks)
    return "\n".join(part for part in parts if part)


def _markdown(block: Block, folder: Path) -> str:
    if isinstance(block, Plot):
        return block.markdown
    if isinstance(block, Picture):
        where = os.path.relpath(block.path, folder)
        return f"![{block.caption}]({where})\n"
    return "" if isinstance(block, Contents) else block
