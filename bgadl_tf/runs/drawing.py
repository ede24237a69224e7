"""How every figure is drawn: with matplotlib's Agg canvas alone, no global state, no display.

The same input gives the same file, byte for byte, and a file is replaced in one step.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from bgadl_tf.core import durable

INK, FAINT, GRID = "#222222", "#767676", "#E4E4E4"

# Okabe and Ito (2008): told apart under every common colour vision. Their yellow and light
# orange are too faint for text on white and are left out.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#8C6D00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

DPI = 160


def blank_figure(width: float, height: float) -> Figure:
    """An empty white figure of a size in inches."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def canvases(width: float, height: float, columns: int, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure with some axes side by side, row after row; sizes in inches."""
    figure = blank_figure(width, height)
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    axes = [figure.add_subplot(rows, columns, place + 1) for place in range(rows * columns)]
    for one in axes:
        for side in ("top", "right"):
            one.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            one.spines[side].set_color(FAINT)
        one.tick_params(colors=INK, labelsize=9, color=FAINT)
        one.grid(axis="y", color=GRID, linewidth=0.8)
        one.set_axisbelow(True)
        one.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10], integer=True))
    return figure, axes


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure with one pair of axes."""
    figure, axes = canvases(width, height, 1)
    return figure, axes[0]


def line(axes: Axes, x: ArrayLike, y: ArrayLike, colour: str, marker: str) -> None:
    """Draws a line with markers."""
    axes.plot(
        x, y, color=colour, marker=marker, markersize=4.5, linewidth=1.8,
        markeredgecolor="white", markeredgewidth=0.6,
    )  # fmt: skip


def label_axes(axes: Axes, x: str, y: str, title: str) -> None:
    """Names of both axes, and perhaps a title."""
    axes.set_xlabel(x, color=INK, fontsize=10)
    axes.set_ylabel(y, color=INK, fontsize=10)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    if title:
        axes.set_title(title, loc="left", color=INK, fontsize=11, fontweight="bold", pad=10)


def note(axes: Axes, text: str) -> None:
    """Small print inside the axes."""
    axes.text(
        0.99, 0.02, text,
        transform=axes.transAxes, ha="right", va="bottom", color=FAINT, fontsize=8,
    )  # fmt: skip


def begin_at_zero(axes: Axes) -> None:
    """Begin the vertical axis at 0, with some room above the highest point of its lines."""
    highest = axes.dataLim.ymax if axes.has_data() else 0.0
    axes.set_ylim(0, 1.08 * highest or 1.0)


def name_line_ends(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Names every line at its end, in its colour, names moved apart where lines end together."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    least_gap = 0.052 * (high - low)
    order = sorted(range(len(ends)), key=lambda place: ends[place][0])
    heights = _spread([ends[place][0] for place in order], least_gap, high)
    for place, height in zip(order, heights, strict=True):
        level, name, colour = ends[place]
        axes.annotate(
            name,
            xy=(1.0, level), xycoords=("axes fraction", "data"),
            xytext=(1.025, height), textcoords=("axes fraction", "data"),
            color=colour, fontsize=9.5, fontweight="bold", va="center", annotation_clip=False,
        )  # fmt: skip


def _spread(levels: Sequence[float], gap: float, top: float) -> list[float]:
    """Sorted ``levels``, moved as little as need be to lie ``gap`` apart and not above ``top``.

    Levels that would overlap form a block, which is centred on their mean.
    """
    blocks: list[list[float]] = []
    for level in levels:
        blocks.append([level])
        while len(blocks) > 1 and _bottom(blocks[-1], gap) - _top(blocks[-2], gap) < gap:
            last = blocks.pop()
            blocks[-1] += last
    spread = [_bottom(block, gap) + place * gap for block in blocks for place in range(len(block))]
    ceiling = top
    for place in reversed(range(len(spread))):
        spread[place] = min(spread[place], ceiling)
        ceiling = spread[place] - gap
    return spread


def _bottom(block: Sequence[float], gap: float) -> float:
    return float(np.mean(block)) - gap * (len(block) - 1) / 2


def _top(block: Sequence[float], gap: float) -> float:
    return float(np.mean(block)) + gap * (len(block) - 1) / 2


def shortened(text: str, length: int) -> str:
    """At most ``length`` characters of a text."""
    return text if len(text) <= length else text[: length - 1] + "…"


def axes_in_inches(figure: Figure) -> Axes:
    """Bare axes over the whole figure, in inches: axes of its own for each picture are slow."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    width, height = figure.get_size_inches()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    return axes


def picture(axes: Axes, image: NDArray[np.uint8], x: float, y: float, side: float) -> None:
    """Draws one ``uint8 [H, W, D]`` image into a square, all lengths in inches."""
    square = (x, x + side, y, y + side)
    shown = AxesImage(axes, cmap="gray", interpolation="nearest", extent=square, origin="upper")
    shown.set_data(image[..., 0] if image.shape[-1] == 1 else image)
    shown.set_clim(0, 255)
    axes.add_image(shown)
    axes.add_patch(Rectangle((x, y), side, side, fill=False, edgecolor=GRID, linewidth=0.8))


def save(figure: Figure, path: Path) -> None:
    """Writes the figure as a PNG, atomically.

    Raises:
        RunFolderError: The file cannot be written.
    """
    png = io.BytesIO()
    # Without "Software" the file does not change with matplotlib's version string.
    figure.savefig(png, format="png", dpi=DPI, metadata={"Software": None})
    durable.atomic_write_bytes(path, png.getvalue())
