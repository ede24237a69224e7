"""Figures of runs, drawn with matplotlib's Agg canvas alone: no global state, no display.

The same input gives the same file, byte for byte, and a file is replaced in one step.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from bgadl_tf import durable
from bgadl_tf.experiment import statistics
from bgadl_tf.experiment.runs import Curve
from bgadl_tf.types import Images, Json

INK, FAINT, GRID = "#222222", "#767676", "#E4E4E4"

# Okabe and Ito (2008): told apart under every common colour vision. Their yellow and light
# orange are too faint for text on white and are left out.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#8C6D00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
ARM_STYLES = {
    "bgadl": 1, "al-acgan": 2, "al-pmda": 3, "bald": 0, "bda": 5, "random": 6,
}  # fmt: skip

DPI = 160
MOST_PAIRS = 20


def learning_curve(
    curves: Mapping[str, Sequence[Curve]],
    path: Path,
    *,
    references: Mapping[str, Sequence[Curve]] | None = None,
    title: str = "",
) -> None:
    """Mean test accuracy against labels, with 95 % intervals where an arm has several runs.

    Args:
        curves: The runs of each arm; an arm's name stands at the end of its line.
        path: PNG to write.
        references: Arms drawn as a horizontal line at their mean final accuracy.
        title: Above the figure.

    Raises:
        RunFolderError: The file cannot be written.
    """
    figure, axes = _canvas(7.2, 4.5)
    ends: list[tuple[float, str, str]] = []
    most_runs = 0
    for place, (name, runs) in enumerate(curves.items()):
        style = _style(name, place, curves)
        mean = statistics.mean_curve(runs)
        middle = 100 * np.array([i.mean for i in mean.intervals])
        low = 100 * np.array([i.low for i in mean.intervals])
        high = 100 * np.array([i.high for i in mean.intervals])
        most_runs = max(most_runs, len(runs))
        axes.fill_between(
            mean.labelled, np.maximum(low, 0), np.minimum(high, 100),
            color=COLOURS[style], alpha=0.14, linewidth=0,
        )  # fmt: skip
        axes.plot(
            mean.labelled, middle,
            color=COLOURS[style], marker=MARKERS[style], markersize=4.5, linewidth=1.8,
            markeredgecolor="white", markeredgewidth=0.6,
        )  # fmt: skip
        ends.append((float(middle[-1]), name, COLOURS[style]))
    for name, runs in (references or {}).items():
        level = 100 * float(np.mean([run.accuracy[-1] for run in runs]))
        axes.axhline(level, color=FAINT, linewidth=1.2, linestyle=(0, (5, 3)))
        ends.append((level, f"{name} ({runs[0].labelled[-1]:.0f} labels)", FAINT))
    _label_axes(axes, "labels", "test accuracy (%)", title)
    if most_runs > 1:
        _note(axes, f"mean of up to {most_runs} runs; bands: 95 % t-interval of the mean")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10]))
    _name_line_ends(axes, ends)
    _save(figure, path)


def run_curves(rounds: Sequence[Json], path: Path, *, title: str = "") -> None:
    """Test accuracy and NLL of one run against labels.

    Args:
        rounds: Lines of ``rounds.jsonl``; at least one.
        path: PNG to write.
        title: Above the figure.

    Raises:
        RunFolderError: The file cannot be written.
    """
    figure, (left, right) = _canvases(9.0, 3.8, 2)
    labelled = [record["labelled"] for record in rounds]
    accuracy = [100 * record["test_accuracy"] for record in rounds]
    nll = [record["test_nll"] for record in rounds]
    for axes, values, colour, marker in (
        (left, accuracy, COLOURS[0], "o"),
        (right, nll, COLOURS[1], "s"),
    ):
        _line(axes, labelled, values, colour, marker)
    _label_axes(left, "labels", "test accuracy (%)", title)
    _label_axes(right, "labels", "test NLL (nats)", "")
    left.annotate(
        f"{accuracy[-1]:.1f} %", (labelled[-1], accuracy[-1]), xytext=(0, 7),
        textcoords="offset points", ha="right", color=COLOURS[0], fontsize=10, fontweight="bold",
    )  # fmt: skip
    left.margins(y=0.12)
    _save(figure, path)


def reconstruction_curve(rounds: Sequence[Json], path: Path, *, title: str = "") -> None:
    """How close x' = G(E(x*), y*) comes to x*, in pixels and in information, against labels.

    Args:
        rounds: Lines of ``rounds.jsonl``; those without a reconstruction error are passed over.
        path: PNG to write.
        title: Above the figure.

    Raises:
        RunFolderError: The file cannot be written.
        ValueError: No round has a reconstruction error.
    """
    known = [record for record in rounds if "reconstruction_error" in record]
    if not known:
        raise ValueError("no round has a reconstruction error; the learner generates nothing")
    figure, (left, right) = _canvases(9.6, 3.8, 2)
    labelled = [record["labelled"] for record in known]
    _line(left, labelled, [r["reconstruction_error"] for r in known], COLOURS[2], "^")
    left.set_ylim(bottom=0)
    _label_axes(left, "labels", "mean ‖x′ − x*‖ (pixels in [0, 1])", title)
    ends = []
    for key, name, colour, marker in (
        ("bald_queried", "a(x*) queried", COLOURS[0], "o"),
        ("bald_generated", "a(x′) generated", COLOURS[1], "s"),
    ):
        values = [float(record[key]) for record in known]
        _line(right, labelled, values, colour, marker)
        ends.append((values[-1], name, colour))
    right.set_ylim(bottom=0)
    _label_axes(right, "labels", "mean BALD (nats)", "")
    _name_line_ends(right, ends)
    _save(figure, path)


def queried_and_generated(
    queried: Images,
    generated: Images | None,
    labels: Sequence[str],
    scores: ArrayLike,
    generated_scores: ArrayLike | None,
    path: Path,
) -> None:
    """Queried images x* each beside its generated x', with label and BALD; 20 at most.

    Args:
        queried: x*, ``uint8 [n, H, W, D]``.
        generated: x' in the same order, or None for x* alone.
        labels: Class names, ``[n]``.
        scores: a(x*), nats, ``[n]``.
        generated_scores: a(x'), nats, ``[n]``, or None.
        path: PNG to write.

    Raises:
        RunFolderError: The file cannot be written.
        ValueError: There is no image, or the lengths do not match.
    """
    n = len(queried)
    own = np.asarray(scores, np.float64)
    other = None if generated_scores is None else np.asarray(generated_scores, np.float64)
    lengths = [len(v) for v in (labels, own, generated, other) if v is not None]
    if n == 0 or any(length != n for length in lengths):
        raise ValueError(f"{n} queried images with {lengths} labels, scores and x'; expected one n")
    shown = min(n, MOST_PAIRS)
    per_row = min(shown, 5 if generated is not None else 8)
    rows = -(-shown // per_row)
    wide = 2 if generated is not None else 1
    side, gap, caption, header, foot = 0.86, 0.26, 0.42, 0.52, 0.16  # inches
    cell = wide * side + (wide - 1) * 0.06 + gap
    width, height = max(per_row * cell + gap, 4.2), header + rows * (side + caption) + foot
    figure = _figure(width, height)
    pictures = _in_inches(figure)
    left_edge = (width - per_row * cell + gap) / 2
    text: dict[str, Any] = {"color": INK, "transform": figure.dpi_scale_trans}
    heading = "queried x*  |  generated x′" if generated is not None else "queried x*"
    text["va"] = "center"
    figure.text(left_edge, height - 0.24, heading, fontsize=10, fontweight="bold", **text)
    legend = "BALD in nats" + (": a(x*) → a(x′)" if other is not None else "")
    more = "" if shown == n else f"; {shown} of {n} shown"
    right_edge = max(left_edge + per_row * cell - gap, left_edge + 2.4)
    text["color"] = FAINT
    if per_row * cell > 4.4:
        figure.text(right_edge, height - 0.24, legend + more, fontsize=8.5, ha="right", **text)
    else:
        figure.text(left_edge, height - 0.42, legend + more, fontsize=8, **text)
    text |= {"ha": "center", "va": "top"}
    for place in range(shown):
        row, column = divmod(place, per_row)
        x = left_edge + column * cell
        y = height - header - row * (side + caption) - side
        _picture(pictures, queried[place], x, y, side)
        if generated is not None:
            _picture(pictures, generated[place], x + side + 0.06, y, side)
        middle = x + (cell - gap) / 2
        text["color"] = INK
        name = _shortened(labels[place], 11 * wide)
        figure.text(middle, y - 0.06, name, fontsize=9, **text)
        nats = f"{own[place]:.3f}" + (f" → {other[place]:.3f}" if other is not None else "")
        text["color"] = FAINT
        figure.text(middle, y - 0.215, nats, fontsize=7.5, **text)
    _save(figure, path)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _canvases(width: float, height: float, columns: int) -> tuple[Figure, list[Axes]]:
    figure = _figure(width, height)
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    axes = [figure.add_subplot(1, columns, place + 1) for place in range(columns)]
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


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    figure, axes = _canvases(width, height, 1)
    return figure, axes[0]


def _line(axes: Axes, x: ArrayLike, y: ArrayLike, colour: str, marker: str) -> None:
    axes.plot(
        x, y, color=colour, marker=marker, markersize=4.5, linewidth=1.8,
        markeredgecolor="white", markeredgewidth=0.6,
    )  # fmt: skip


def _label_axes(axes: Axes, x: str, y: str, title: str) -> None:
    axes.set_xlabel(x, color=INK, fontsize=10)
    axes.set_ylabel(y, color=INK, fontsize=10)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    if title:
        axes.set_title(title, loc="left", color=INK, fontsize=11, fontweight="bold", pad=10)


def _note(axes: Axes, text: str) -> None:
    axes.text(
        0.99, 0.02, text,
        transform=axes.transAxes, ha="right", va="bottom", color=FAINT, fontsize=8,
    )  # fmt: skip


def _name_line_ends(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
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


def _style(name: str, place: int, names: Mapping[str, object]) -> int:
    """Index of an arm's colour and marker: the same in every figure for the paper's arms."""
    if name in ARM_STYLES:
        return ARM_STYLES[name]
    taken = {ARM_STYLES[other] for other in names if other in ARM_STYLES}
    free = [style for style in range(len(COLOURS)) if style not in taken] or [0]
    strangers = [other for other in names if other not in ARM_STYLES]
    return free[strangers.index(name) % len(free)] if name in strangers else place % len(COLOURS)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _in_inches(figure: Figure) -> Axes:
    """Bare axes over the whole figure, in inches: axes of its own for each picture are slow."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    width, height = figure.get_size_inches()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    return axes


def _picture(axes: Axes, image: NDArray[np.uint8], x: float, y: float, side: float) -> None:
    """Draws one ``uint8 [H, W, D]`` image into a square, all lengths in inches."""
    square = (x, x + side, y, y + side)
    shown = AxesImage(axes, cmap="gray", interpolation="nearest", extent=square, origin="upper")
    shown.set_data(image[..., 0] if image.shape[-1] == 1 else image)
    shown.set_clim(0, 255)
    axes.add_image(shown)
    axes.add_patch(Rectangle((x, y), side, side, fill=False, edgecolor=GRID, linewidth=0.8))


def _save(figure: Figure, path: Path) -> None:
    png = io.BytesIO()
    # Without "Software" the file does not change with matplotlib's version string.
    figure.savefig(png, format="png", dpi=DPI, metadata={"Software": None})
    durable.atomic_write_bytes(path, png.getvalue())
