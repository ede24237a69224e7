"""Figures of one run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bgadl_tf.core.types import Images, Json
from bgadl_tf.runs import drawing, records

MOST_PAIRS = 20

WEIGHT = "weight_"
"""What the names of the facts begin with that tell how far a group of examples counted."""


def run_curves(rounds: Sequence[Json], path: Path, *, title: str = "") -> None:
    """Test accuracy and NLL of one run against labels.

    Args:
        rounds: Lines of ``rounds.jsonl``; at least one. Where the test set has changed the line
            is broken; where no accuracy was measured nothing is drawn.
        path: PNG to write.
        title: Above the figure.

    Raises:
        RunFolderError: The file cannot be written.
    """
    measured = [record for record in rounds if record["test_accuracy"] is not None]
    if not measured:
        return
    figure, (left, right) = drawing.canvases(9.0, 3.8, 2)
    labelled = [record["labelled"] for record in measured]
    accuracy = [100 * record["test_accuracy"] for record in measured]
    nll = [record["test_nll"] for record in measured]
    sets = [record.get("test_set", 0) for record in measured]
    for axes, values, colour, marker in (
        (left, accuracy, drawing.COLOURS[0], "o"),
        (right, nll, drawing.COLOURS[1], "s"),
    ):
        for one in sorted({*sets}):
            here = [place for place, own in enumerate(sets) if own == one]
            chosen = [labelled[p] for p in here], [values[p] for p in here]
            drawing.line(axes, *chosen, colour, marker)
    drawing.label_axes(left, "labels", "test accuracy (%)", title)
    drawing.label_axes(right, "labels", "test NLL (nats)", "")
    if len({*sets}) > 1:
        drawing.note(left, "a gap: the test set changed")
    left.annotate(
        f"{accuracy[-1]:.1f} %", (labelled[-1], accuracy[-1]), xytext=(0, 7),
        textcoords="offset points", ha="right", color=drawing.COLOURS[0], fontsize=10,
        fontweight="bold",
    )  # fmt: skip
    left.margins(y=0.12)
    drawing.save(figure, path)


def reconstruction_curve(
    rounds: Sequence[Json], path: Path, *, title: str = "", unit: str = "pixels in [0, 1]"
) -> None:
    """How close x' = G(E(x*), y*) comes to x*, in pixels and in information, against labels.

    The mean distance, the mean BALD of x*, x' and, where there is one, x'', and the latter's shares
    of that of x*, which Proposition 2.1 of Tran et al. (2019) takes to be near 1.

    Args:
        rounds: Lines of ``rounds.jsonl``; those without a reconstruction error are passed over.
        path: PNG to write.
        title: Above the figure.
        unit: Of the components of x'.

    Raises:
        RunFolderError: The file cannot be written.
        ValueError: No round has a reconstruction error.
    """
    labelled, errors = _known(rounds, "reconstruction_error")
    if not errors:
        raise ValueError("no round has a reconstruction error; the learner generates nothing")
    figure, (left, middle, right) = drawing.canvases(13.6, 3.8, 3)
    drawing.line(left, labelled, errors, drawing.COLOURS[2], "^")
    drawing.begin_at_zero(left)
    drawing.label_axes(left, "labels", f"mean ‖x′ − x*‖ ({unit})", title)
    of_queried = dict(zip(*_known(rounds, "bald_queried"), strict=True))
    ends, shares = [], []
    for fact, name, colour, marker in (
        ("bald_queried", "a(x*) queried", drawing.COLOURS[0], "o"),
        ("bald_generated", "a(x′) generated", drawing.COLOURS[1], "s"),
        ("bald_ascended", "a(x″) ascended", drawing.COLOURS[3], "D"),
    ):
        labelled, values = _known(rounds, fact)
        if not values:
            continue
        drawing.line(middle, labelled, values, colour, marker)
        ends.append((values[-1], name, colour))
        pairs = zip(labelled, values, strict=True)
        share = {at: value / of_queried[at] for at, value in pairs if of_queried.get(at)}
        if fact != "bald_queried" and share:
            drawing.line(right, [*share], [*share.values()], colour, marker)
            last = [*share.values()][-1]
            shares.append((last, f"{last:.2f} {name.split()[0]}", colour))
    for axes, what, names in (
        (middle, "mean BALD (nats)", ends),
        (right, "share of a(x*)", shares),
    ):
        drawing.begin_at_zero(axes)
        drawing.label_axes(axes, "labels", what, "")
        drawing.name_line_ends(axes, names)
    drawing.save(figure, path)


def weight_curves(rounds: Sequence[Json], path: Path, *, title: str = "") -> None:
    """How far each group of further examples counted in C's objective, against labels.

    Args:
        rounds: Lines of ``rounds.jsonl``; where none has a fact ``weight_*`` nothing is drawn.
        path: PNG to write.
        title: Above the figure.

    Raises:
        RunFolderError: The file cannot be written.
    """
    names = [name for name in records.fact_names(rounds) if name.startswith(WEIGHT)]
    if not names:
        return
    figure, axes = drawing.canvas(6.4, 3.8)
    ends = []
    for place, name in enumerate(names):
        labelled, values = _known(rounds, name)
        colour = drawing.COLOURS[place % len(drawing.COLOURS)]
        drawing.line(axes, labelled, values, colour, drawing.MARKERS[place % len(drawing.MARKERS)])
        ends.append((values[-1], name.removeprefix(WEIGHT).replace("_", " "), colour))
    axes.set_ylim(-0.03, 1.03)
    drawing.label_axes(axes, "labels", "share that counted, at the end of a round", title)
    drawing.name_line_ends(axes, ends)
    drawing.save(figure, path)


def queried_and_generated(
    queried: Images,
    generated: Images | None,
    labels: Sequence[str],
    scores: ArrayLike,
    generated_scores: ArrayLike | None,
    path: Path,
    *,
    total: int | None = None,
    beside: str = "generated x′",
) -> None:
    """Queried images x* each beside its generated x', with label and BALD; 20 at most.

    Args:
        queried: x*, ``uint8 [n, H, W, D]``.
        generated: x' in the same order, or None for x* alone.
        labels: Class names, ``[n]``.
        scores: a(x*), nats, ``[n]``.
        generated_scores: a(x'), nats, ``[n]``, or None.
        path: PNG to write.
        total: How many there are, if not all are given.
        beside: What stands for x'.

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
    figure = drawing.blank_figure(width, height)
    pictures = drawing.axes_in_inches(figure)
    left_edge = (width - per_row * cell + gap) / 2
    text: dict[str, Any] = {"color": drawing.INK, "transform": figure.dpi_scale_trans}
    heading = f"queried x*  |  {beside}" if generated is not None else "queried x*"
    text["va"] = "center"
    figure.text(left_edge, height - 0.24, heading, fontsize=10, fontweight="bold", **text)
    legend = "BALD in nats" + (": a(x*) → a(x′)" if other is not None else "")
    more = "" if shown == (total or n) else f"; {shown} of {total or n} shown"
    right_edge = max(left_edge + per_row * cell - gap, left_edge + 2.4)
    text["color"] = drawing.FAINT
    if per_row * cell > 4.4:
        figure.text(right_edge, height - 0.24, legend + more, fontsize=8.5, ha="right", **text)
    else:
        figure.text(left_edge, height - 0.42, legend + more, fontsize=8, **text)
    text |= {"ha": "center", "va": "top"}
    for place in range(shown):
        row, column = divmod(place, per_row)
        x = left_edge + column * cell
        y = height - header - row * (side + caption) - side
        drawing.picture(pictures, queried[place], x, y, side)
        if generated is not None:
            drawing.picture(pictures, generated[place], x + side + 0.06, y, side)
        middle = x + (cell - gap) / 2
        text["color"] = drawing.INK
        name = drawing.shortened(labels[place], 11 * wide)
        figure.text(middle, y - 0.06, name, fontsize=9, **text)
        nats = f"{own[place]:.3f}" + (f" → {other[place]:.3f}" if other is not None else "")
        text["color"] = drawing.FAINT
        figure.text(middle, y - 0.215, nats, fontsize=7.5, **text)
    drawing.save(figure, path)


def _known(rounds: Sequence[Json], fact: str) -> tuple[list[float], list[float]]:
    """Labelled counts of the rounds that have a fact, and the fact."""
    values = [(record["labelled"], records.fact(record, fact)) for record in rounds]
    known = [(float(labelled), value) for labelled, value in values if value is not None]
    return [labelled for labelled, _ in known], [value for _, value in known]
