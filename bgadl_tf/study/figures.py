"""Figures of many runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator

from bgadl_tf.runs import drawing
from bgadl_tf.study import intervals
from bgadl_tf.study.learning_curve import Curve

ARM_STYLES = {
    "bgadl": 1, "al-acgan": 2, "al-pmda": 3, "bald": 0, "bda": 5, "random": 6,
}  # fmt: skip


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
    figure, axes = drawing.canvas(7.2, 4.5)
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
    for name, runs in (references or {}).items():
        level = 100 * float(np.mean([run.accuracy[-1] for run in runs]))
        axes.axhline(level, color=drawing.FAINT, linewidth=1.2, linestyle=(0, (5, 3)))
        ends.append((level, f"{name} ({runs[0].labelled[-1]:.0f} labels)", drawing.FAINT))
    drawing.label_axes(axes, "labels", "test accuracy (%)", title)
    if most_runs > 1:
        drawing.note(axes, f"mean of up to {most_runs} runs; bands: 95 % t-interval of the mean")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10]))
    drawing.name_line_ends(axes, ends)
    drawing.save(figure, path)


def _style(name: str, names: Mapping[str, object]) -> int:
    """Index of an arm's colour and marker: the same in every figure for the paper's arms."""
    if name in ARM_STYLES:
        return ARM_STYLES[name]
    taken = {ARM_STYLES[other] for other in names if other in ARM_STYLES}
    free = [style for style in range(len(drawing.COLOURS)) if style not in taken] or [0]
    others = [other for other in names if other not in ARM_STYLES]
    return free[others.index(name) % len(free)]
