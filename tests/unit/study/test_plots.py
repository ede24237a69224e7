from __future__ import annotations

import pytest

from bgadl_tf.core.calibration import Calibration
from bgadl_tf.core.types import Json
from bgadl_tf.runs import drawing
from bgadl_tf.study import arm_styles, figures, plots
from tests.support.study.folders import calibration, curve

ARMS = ["bgadl", "bald", "random", *(f"arm-{n}" for n in range(13))]


def test_sixteen_arms_are_told_apart_and_those_shown_by_colour_alone() -> None:
    shown = ["random", "bald", "arm-3", "arm-7", "arm-8", "arm-9", "arm-12"]
    looks = arm_styles.styles(ARMS, shown)
    assert len({*looks.values()}) == len(ARMS)
    assert len({looks[name].colour for name in shown}) == len(shown)
    for name in ("bgadl", "bald", "random"):
        assert looks[name].colour == drawing.COLOURS[figures.ARM_STYLES[name]]
        assert looks[name].dash == "solid"


def test_a_line_and_its_band_are_switched_together() -> None:
    two = [curve([20, 30], [0.5, 0.7]), curve([20, 30], [0.4, 0.72])]
    figure = plots.learning_curves(
        {"bgadl": two, "random": [curve([20, 30], [0.5, 0.6])]}, {"full": two[:1]}, ["bgadl"]
    )
    band, line, lone, reference = figure.data
    assert band.legendgroup == line.legendgroup == "bgadl"
    assert (band.fill, band.showlegend, line.visible) == ("toself", False, True)
    assert lone.visible == "legendonly"
    assert [*line.y] == pytest.approx([45.0, 71.0])
    # t(1, .975) = 12.7062 times the standard error, 5 and 1 points; cut off at 0 and 100 %.
    assert [*band.y] == pytest.approx([100.0, 83.7062, 58.2938, 0.0], abs=1e-3)
    assert line.customdata[1][0] == "± 12.71"
    assert line.customdata[1][1] == 2
    assert "n = " in line.hovertemplate
    assert [*reference.y] == [70.0, 70.0]
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == [
        "all arms", "no arms", "bands", "no bands",
    ]  # fmt: skip
    assert [*figure.layout.updatemenus[0].buttons[3].args[1]] == [0]


def test_reliability_leaves_out_empty_bins() -> None:
    found = Calibration.from_json(calibration(0.95, 0.9))
    figure = plots.reliability({"bgadl": found}, [])
    diagonal, line = figure.data
    assert [*line.x] == pytest.approx([95.0])
    assert [*line.y] == pytest.approx([90.0])
    assert line.visible == "legendonly"
    assert diagonal.hoverinfo == "skip"


def test_facts_take_the_mean_over_runs_at_the_same_labels() -> None:
    runs: list[list[Json]] = [
        [
            {"labelled": 20, "facts": {}},
            {"labelled": 30, "facts": {"reconstruction_error": r, "bald_queried": 0.5}},
        ]
        for r in (2.0, 3.0)
    ]
    (distance,) = plots.facts({"bgadl": runs}, {"": "reconstruction_error"}, "").data
    assert ([*distance.x], [*distance.y]) == ([30], [2.5])
    (queried,) = plots.facts(
        {"bgadl": runs}, {": a(x*)": "bald_queried", ": a(x')": "bald_generated"}, ""
    ).data
    assert queried.name == "bgadl: a(x*)"


def test_shares_are_shown_against_equal_ones() -> None:
    (heat,) = plots.class_shares(["cat", "dog"], {"bgadl": [0.75, 0.25]}).data
    assert [*heat.z[0]] == [1.5, 0.5]
    assert heat.zmid == 1
