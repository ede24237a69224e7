"""Interactive figures of many runs: hover tells numbers, the legend switches arms on and off."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from bgadl_tf.core.calibration import Calibration
from bgadl_tf.core.types import Json
from bgadl_tf.runs import drawing, records
from bgadl_tf.study import intervals
from bgadl_tf.study.arm_styles import DASHES, Style, styles
from bgadl_tf.study.learning_curve import Curve

_HEIGHT, _LEGEND_ROW = 420, 22  # pixels
_A_ROW = 2  # arms in a row of the legend on a narrow page


def learning_curves(
    curves: Mapping[str, Sequence[Curve]],
    references: Mapping[str, Sequence[Curve]],
    shown: Collection[str],
) -> go.Figure:
    """Mean test accuracy against labels with 95 % t-intervals of the mean as bands.

    Args:
        curves: The runs of each arm.
        references: Arms drawn as a horizontal line at their mean final accuracy.
        shown: Arms that are on at first; the legend switches on the others.
    """
    figure = go.Figure()
    looks = styles([*curves], shown)
    bands: list[bool] = []
    for name, runs in curves.items():
        mean = intervals.mean_curve(runs)
        at = [(x, found) for x, found in zip(mean.labelled.tolist(), mean.intervals, strict=True)]
        banded = [(x, found) for x, found in at if np.isfinite(found.low)]
        on = True if name in shown else "legendonly"
        if banded:
            low = [max(0.0, 100 * found.low) for _, found in banded]
            high = [min(100.0, 100 * found.high) for _, found in banded]
            x = [x for x, _ in banded]
            figure.add_scatter(
                x=[*x, *reversed(x)], y=[*high, *reversed(low)], fill="toself", mode="none",
                fillcolor=_faint(looks[name].colour), hoverinfo="skip", name=name,
                legendgroup=name, showlegend=False, visible=on,
            )  # fmt: skip
            bands.append(True)
        figure.add_scatter(
            x=[x for x, _ in at], y=[100 * found.mean for _, found in at],
            customdata=[[_around(found), found.n] for _, found in at],
            hovertemplate="<b>%{fullData.name}</b><br>%{x:,} labels: %{y:.2f} %{customdata[0]} % "
            "(n = %{customdata[1]})<extra></extra>",
            name=name, legendgroup=name, visible=on, **_line(looks[name]),
        )  # fmt: skip
        bands.append(False)
    for name, runs in references.items():
        level = 100 * float(np.mean([run.accuracy[-1] for run in runs]))
        ends = [curve.labelled[[0, -1]] for own in curves.values() for curve in own]
        figure.add_scatter(
            x=[float(np.min(ends)), float(np.max(ends))], y=[level, level], mode="lines",
            name=f"{name} ({runs[0].labelled[-1]:.0f} labels)",
            line={"color": drawing.FAINT, "dash": "longdash", "width": 1.5},
            hovertemplate="%{y:.2f}",
        )  # fmt: skip
        bands.append(False)
    _lay_out(figure, "labels", "test accuracy (%)", len(curves) + len(references))
    if any(bands):
        where = [place for place, band in enumerate(bands) if band]
        _buttons(figure, where)
    return figure


def reliability(arms: Mapping[str, Calibration], shown: Collection[str]) -> go.Figure:
    """Accuracy against confidence, a point a bin that holds examples.

    Args:
        arms: Bins of every arm.
        shown: Arms that are on at first.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", name="as often right as sure", hoverinfo="skip",
        line={"color": drawing.FAINT, "dash": "longdash", "width": 1.5},
    )  # fmt: skip
    looks = styles([*arms], shown)
    for name, found in arms.items():
        points = [
            (100 * sure, 100 * right, n)
            for n, right, sure in zip(found.count, found.accuracy, found.confidence, strict=True)
            if right is not None and sure is not None
        ]
        figure.add_scatter(
            x=[x for x, _, _ in points], y=[y for _, y, _ in points],
            customdata=[n for _, _, n in points],
            hovertemplate="<b>%{fullData.name}</b><br>confidence %{x:.1f} %, accuracy %{y:.1f} % "
            "(%{customdata:,} examples)<extra></extra>",
            name=name, legendgroup=name, visible=True if name in shown else "legendonly",
            **_line(looks[name]),
        )  # fmt: skip
    _lay_out(figure, "confidence (%)", "accuracy (%)", len(arms) + 1)
    return figure


def facts(
    rounds: Mapping[str, Sequence[Sequence[Json]]], shown: Mapping[str, str], unit: str
) -> go.Figure:
    """Facts of the rounds against labels, the mean over the runs of an arm.

    Args:
        rounds: Rounds of every run, by arm.
        shown: Facts, by what is added to an arm's name for them.
        unit: Of these facts.
    """
    figure = go.Figure()
    looks = styles([*rounds], [*rounds])
    for name, runs in rounds.items():
        for dash, (words, fact) in zip(DASHES, shown.items(), strict=False):
            if means := _means(runs, fact):
                look = looks[name] if len(shown) == 1 else looks[name]._replace(dash=dash)
                figure.add_scatter(
                    x=[*means], y=[*means.values()], name=name + words,
                    hovertemplate="<b>%{fullData.name}</b><br>%{x:,} labels: %{y:.4g}"
                    "<extra></extra>",
                    **_line(look),
                )  # fmt: skip
    _lay_out(figure, "labels", unit, len(rounds) * len(shown))
    return figure


def class_shares(names: Sequence[str], arms: Mapping[str, Sequence[float]]) -> go.Figure:
    """Share of each class among what was bought, against equal shares.

    Args:
        names: Of the classes.
        arms: Share of each class by arm, ``[C]``.
    """
    classes = len(names)
    values = [[classes * share for share in shares] for shares in arms.values()]
    figure = go.Figure(
        go.Heatmap(
            x=[*names], y=[*arms], z=values, zmid=1, zmin=0, zmax=2, xgap=1, ygap=1,
            colorscale=[[0, drawing.COLOURS[1]], [0.5, "#F7F7F7"], [1, drawing.COLOURS[0]]],
            hovertemplate="%{y}, class %{x}: %{z:.2f} times an equal share<extra></extra>",
            colorbar={"title": {"text": "times an<br>equal share"}, "thickness": 12},
        )
    )  # fmt: skip
    _lay_out(figure, "class", "", 0)
    figure.update_layout(height=max(240, 120 + 24 * len(arms)))
    figure.update_xaxes(type="category")
    figure.update_yaxes(type="category", autorange="reversed", automargin=True)
    return figure


def _means(runs: Sequence[Sequence[Json]], fact: str) -> dict[int, float]:
    found: dict[int, list[float]] = {}
    for rounds in runs:
        for record in rounds:
            if (value := records.fact(record, fact)) is not None:
                found.setdefault(int(record["labelled"]), []).append(value)
    return {labels: float(np.mean(values)) for labels, values in sorted(found.items())}


def _line(style: Style) -> Json:
    return {
        "mode": "lines+markers",
        "line": {"color": style.colour, "dash": style.dash, "width": 2},
        "marker": {"symbol": style.symbol, "size": 7, "line": {"color": "white", "width": 0.8}},
    }


def _around(found: intervals.Interval) -> str:
    if not np.isfinite(found.low):
        return ""
    return f"± {50 * (found.high - found.low):.2f}"


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.14)"


def _buttons(figure: go.Figure, bands: Sequence[int]) -> None:
    """Every arm on or off at once, and bands."""
    every = [*range(len(figure.data))]
    choices = [
        ("all arms", {"visible": True}, every),
        ("no arms", {"visible": "legendonly"}, every),
        ("bands", {"opacity": 1.0}, [*bands]),
        ("no bands", {"opacity": 0.0}, [*bands]),
    ]
    figure.update_layout(
        margin_t=76,
        updatemenus=[{
            "type": "buttons", "direction": "right", "showactive": False,
            "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom",
            "font": {"size": 11}, "pad": {"b": 4}, "bgcolor": "white",
            "bordercolor": drawing.GRID,
            "buttons": [
                {"label": label, "method": "restyle", "args": [change, places]}
                for label, change, places in choices
            ],
        }]
    )  # fmt: skip


def _lay_out(figure: go.Figure, x: str, y: str, names: int) -> None:
    rows = -(-names // _A_ROW)
    axis = {"gridcolor": drawing.GRID, "zeroline": False, "linecolor": drawing.FAINT}
    figure.update_layout(
        template="none", height=_HEIGHT + _LEGEND_ROW * rows, hovermode="closest",
        margin={"l": 56, "r": 12, "t": 36, "b": 56}, font={"size": 13, "color": drawing.INK},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.16, "yanchor": "top"},
        xaxis={"title": {"text": x, "standoff": 8}, "showgrid": False, **axis},
        yaxis={"title": {"text": y}, **axis},
    )  # fmt: skip
