"""Figures of many runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bgadl_tf.runs import drawing
from bgadl_tf.study import intervals
from bgadl_tf.study.learning_curve import Curve

ARM_STYLES = {
    "bgadl": 1, "al-acgan": 2, "al-pmda": 3, "bald": 0, "bda": 5, "random": 6,
}  # fmt: skip

A_PANEL = len(drawing.COLOURS)
"""Arms that can be told apart in one pair of axes."""


def learning_curve(
    curves: Mapping[str, Sequence[Curve]],
    path: Path,
    *,
    references: Mapping[str, Sequence[Curve]] | None = None,
    title: str = "",
) -> None:
    """Mean test accuracy against labels, with 95 % intervals where an arm has several runs.

    More arms than can be told apart are drawn in several panels, in their order, over the means
    of all the others in grey.

    Args:
        curves: The runs of each arm; an arm's name stands at the end of its line.
        path: PNG to write.
        references: Arms drawn as a horizontal line at their mean final accuracy.
        title: Above the figure.

    Raises:
        RunFolderError: The file cannot be written.
    """
    names = [*curves]
    number = -(-len(names) // A_PANEL)
    columns = min(number, 2)
    rows = -(-number // columns)
    figure, panels = drawing.canvases(7.2 * columns, 4.5 * rows, columns, rows)
    for unused in panels[number:]:
        unused.remove()
    panels, ends = panels[:number], []
    for axes, shown in zip(panels, np.array_split(names, number), strict=True):
        for name in names:
            if name not in shown:
                mean = intervals.mean_curve(curves[name])
                middle = [100 * interval.mean for interval in mean.intervals]
                axes.plot(mean.labelled, middle, color=drawing.GRID, linewidth=1.4, zorder=0)
        own = {name: curves[name] for name in shown.tolist()}
        ends.append(_panel(axes, own, references or {}, title if axes is panels[0] else ""))
    limits = np.array([axes.get_ylim() for axes in panels])
    for axes, own_ends in zip(panels, ends, strict=True):
        axes.set_ylim(limits[:, 0].min(), limits[:, 1].max())
        drawing.name_line_ends(axes, own_ends)
    drawing.save(figure, path)


def _panel(
    axes: Axes,
    curves: Mapping[str, Sequence[Curve]],
    references: Mapping[str, Sequence[Curve]],
    title: str,
) -> list[tuple[float, str, str]]:
    """Draws arms, each in a colour of its own; where their lines end, their names and colours."""
    ends: list[tuple[float, str, str]] = []
    most_runs = 0
    for name, runs in curves.items():
        style = _style(name, curves)
        mean = intervals.mean_curve(runs)
        middle = 100 * np.array([i.mean for i in mean.intervals])
        low = 100 * np.array([i.low for i in mean.intervals])
        high = 100 * np.array([i.high for i in mean.intervals])
        most_runs = max(most_runs, len(runs))
        axes.fill_between(
            mean.labelled, np.maximum(low, 0), np.minimum(high, 100),
            color=drawing.COLOURS[style], alpha=0.14, linewidth=0,
        )  # fmt: skip
        axes.plot(
            mean.labelled, middle,
            color=drawing.COLOURS[style], marker=drawing.MARKERS[style], markersize=4.5,
            linewidth=1.8, markeredgecolor="white", markeredgewidth=0.6,
        )  # fmt: skip
        ends.append((float(middle[-1]), name, drawing.COLOURS[style]))
    for name, runs in references.items():
        level = 100 * float(np.mean([run.accuracy[-1] for run in runs]))
        axes.axhline(level, color=drawing.FAINT, linewidth=1.2, linestyle=(0, (5, 3)))
        ends.append((level, f"{name} ({runs[0].labelled[-1]:.0f} labels)", drawing.FAINT))
    drawing.label_axes(axes, "labels", "test accuracy (%)", title)
    if most_runs > 1:
        drawing.note(axes, f"mean of up to {most_runs} runs; bands: 95 % t-interval of the mean")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10]))
    return ends


def _style(name: str, names: Mapping[str, object]) -> int:
    """Index of an arm's colour and marker: the same in every figure for the paper's arms."""
    if name in ARM_STYLES:
        return ARM_STYLES[name]
    taken = {ARM_STYLES[other] for other in names if other in ARM_STYLES}
    free = [style for style in range(len(drawing.COLOURS)) if style not in taken] or [0]
    others = [other for other in names if other not in ARM_STYLES]
    return free[others.index(name) % len(free)]
