from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.core.types import Images, Json
from bgadl_tf.runs import drawing
from bgadl_tf.runs import figures as run_figures
from bgadl_tf.study import figures
from tests.support.study.folders import curve

ARMS = {
    "bgadl": [curve([20, 30, 40], [0.5, 0.7, 0.8]), curve([20, 30, 40], [0.4, 0.72, 0.83])],
    "random": [curve([20, 30, 40], [0.5, 0.6, 0.7])],
    "plain+margin": [curve([20, 30, 40], [0.5, 0.6, 0.72])],
}
FULL = {"bda-full": [curve([1437], [0.98])]}
ROUNDS: list[Json] = [
    {"round": 0, "labelled": 20, "test_accuracy": 0.5, "test_nll": 1.2},
    {
        "round": 1, "labelled": 30, "test_accuracy": 0.7, "test_nll": 0.8,
        "reconstruction_error": 2.5, "bald_queried": 0.6, "bald_generated": 0.5,
    },
]  # fmt: skip


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def ramp(n: int, channels: int) -> Images:
    return (np.arange(n * 64 * channels) % 251).astype(np.uint8).reshape(n, 8, 8, channels)


def has_colour(image: np.ndarray, colour: str) -> bool:
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return bool((np.abs(image.astype(int) - rgb).max(axis=-1) <= 2).any())


def test_learning_curve_draws_every_arm_in_its_colour(tmp_path: Path) -> None:
    path = tmp_path / "curve.png"
    figures.learning_curve(ARMS, path, references=FULL, title="digits")
    image = pixels(path)
    for name in ("bgadl", "random"):
        assert has_colour(image, drawing.COLOURS[figures.ARM_STYLES[name]])
    assert has_colour(image, drawing.FAINT)


def test_many_arms_are_told_apart_in_panels(tmp_path: Path) -> None:
    path, one = tmp_path / "curve.png", tmp_path / "one.png"
    arms = {f"arm-{n}": [curve([20, 30], [0.5, 0.6 + n / 100])] for n in range(16)}
    figures.learning_curve(arms, path, references=FULL)
    figures.learning_curve({"arm-0": arms["arm-0"]}, one)
    (height, width), (least_height, least_width) = pixels(path).shape[:2], pixels(one).shape[:2]
    # Sixteen arms in seven colours are three panels.
    assert height == pytest.approx(2 * least_height, rel=0.01)
    assert width == pytest.approx(2 * least_width, rel=0.01)
    assert len(set(drawing.COLOURS)) == figures.A_PANEL
    assert {figures._style(name, [*arms][:6]) for name in [*arms][:6]} == {*range(6)}


def test_figures_are_the_same_every_time_and_leave_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "curve.png"
    contents = []
    for _ in range(2):
        figures.learning_curve(ARMS, path, references=FULL)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    assert list(tmp_path.iterdir()) == [path]


def test_a_single_point_is_a_curve(tmp_path: Path) -> None:
    figures.learning_curve({"bgadl": [curve([20], [0.5])]}, tmp_path / "c.png")
    run_figures.run_curves(ROUNDS[:1], tmp_path / "r.png")
    assert pixels(tmp_path / "c.png").size
    assert pixels(tmp_path / "r.png").size


def test_the_line_is_broken_where_the_test_set_has_changed(tmp_path: Path) -> None:
    run_figures.run_curves(ROUNDS, tmp_path / "one.png")
    broken = [{**line, "test_set": int(number > 0)} for number, line in enumerate(ROUNDS)]
    run_figures.run_curves(broken, tmp_path / "two.png")
    blue = [
        has_colour(pixels(tmp_path / name), drawing.COLOURS[0]) for name in ("one.png", "two.png")
    ]
    assert blue == [True, True]
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "two.png").read_bytes()


def test_nothing_is_drawn_of_what_was_not_measured(tmp_path: Path) -> None:
    unmeasured = [{**line, "test_accuracy": None, "test_nll": None} for line in ROUNDS]
    run_figures.run_curves(unmeasured, tmp_path / "r.png")
    assert not (tmp_path / "r.png").exists()


def test_run_and_reconstruction_curves(tmp_path: Path) -> None:
    run_figures.run_curves(ROUNDS, tmp_path / "r.png", title="bgadl")
    run_figures.reconstruction_curve(ROUNDS, tmp_path / "x.png", title="bgadl")
    assert has_colour(pixels(tmp_path / "x.png"), drawing.COLOURS[2])
    with pytest.raises(ValueError, match="generates nothing"):
        run_figures.reconstruction_curve(ROUNDS[:1], tmp_path / "x.png")


def test_reconstruction_of_newer_rounds_is_drawn_as_of_older(tmp_path: Path) -> None:
    facts = ("reconstruction_error", "bald_queried", "bald_generated")
    newer: list[Json] = [
        ROUNDS[0],
        {**{key: value for key, value in ROUNDS[1].items() if key not in facts},
         "facts": {name: ROUNDS[1][name] for name in facts}},
    ]  # fmt: skip
    for path, rounds in ((tmp_path / "old.png", ROUNDS), (tmp_path / "new.png", newer)):
        run_figures.reconstruction_curve(rounds, path)
    assert (tmp_path / "old.png").read_bytes() == (tmp_path / "new.png").read_bytes()
    newer[1]["facts"] = {"reconstruction_error": 2.5}
    run_figures.reconstruction_curve(newer, tmp_path / "new.png")
    assert not has_colour(pixels(tmp_path / "new.png"), drawing.COLOURS[1])


def test_what_ascended_is_drawn_where_there_is_some(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    run_figures.reconstruction_curve(ROUNDS, path)
    assert not has_colour(pixels(path), drawing.COLOURS[3])
    ascended = [{**line, "facts": {"bald_ascended": 0.55}} for line in ROUNDS[1:]]
    run_figures.reconstruction_curve(ascended, path)
    assert has_colour(pixels(path), drawing.COLOURS[3])


def test_weights_are_drawn_where_there_are_some(tmp_path: Path) -> None:
    path = tmp_path / "w.png"
    run_figures.weight_curves(ROUNDS, path)
    assert not path.exists()
    facts = ({"weight_generated": 0.2, "bald_queried": 0.5},
             {"weight_generated": 0.9, "weight_warmup": 1.0})  # fmt: skip
    rounds = [{**line, "facts": of} for line, of in zip(ROUNDS, facts, strict=True)]
    run_figures.weight_curves(rounds, path, title="acgan")
    colours = [has_colour(pixels(path), colour) for colour in drawing.COLOURS[:3]]
    assert colours == [True, True, False]


@pytest.mark.parametrize("n", [1, 6, run_figures.MOST_PAIRS + 3])
@pytest.mark.parametrize("channels", [1, 3])
def test_queried_beside_generated(tmp_path: Path, n: int, channels: int) -> None:
    path = tmp_path / "q.png"
    images = ramp(n, channels)
    run_figures.queried_and_generated(
        images, images, ["long " * 9] * n, np.ones(n), np.zeros(n), path
    )
    assert pixels(path).shape[1] >= 4 * drawing.DPI


def test_a_picture_shows_the_image_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "q.png"
    red = np.zeros((1, 8, 8, 3), np.uint8)
    red[..., 0] = 255
    run_figures.queried_and_generated(red, None, ["red"], [0.5], None, path)
    image = pixels(path).astype(int)
    side = 0.86 * drawing.DPI
    reds = ((image[..., 0] > 250) & (image[..., 1] < 5)).sum()
    assert reds == pytest.approx(side**2, rel=0.05)


def test_queried_and_generated_must_match(tmp_path: Path) -> None:
    for images, labels in ((ramp(2, 1), ["a"]), (ramp(1, 1)[:0], [])):
        with pytest.raises(ValueError, match="expected one n"):
            run_figures.queried_and_generated(
                images, None, labels, np.ones(len(images)), None, tmp_path / "q.png"
            )


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"no/c\.png"):
        figures.learning_curve(ARMS, tmp_path / "no" / "c.png")


@given(st.lists(st.floats(0, 10), min_size=1, max_size=9))
def test_names_are_moved_apart_and_keep_their_order(levels: list[float]) -> None:
    placed = drawing._spread(sorted(levels), 0.5, 10.0)
    assert len(placed) == len(levels)
    assert all(b - a >= 0.5 - 1e-9 for a, b in itertools.pairwise(placed))
    assert max(placed) <= 10.0


def test_names_far_enough_apart_stay() -> None:
    assert drawing._spread([1.0, 2.0, 5.0], 0.5, 10.0) == pytest.approx([1.0, 2.0, 5.0])
    assert drawing._spread([2.0, 2.0], 0.5, 10.0) == pytest.approx([1.75, 2.25])


def test_paper_arms_keep_their_colour_and_others_take_free_ones() -> None:
    assert figures._style("bgadl", {"x": 0, "bgadl": 0}) == figures.ARM_STYLES["bgadl"]
    names = {"bgadl": 0, "a": 0, "b": 0}
    styles = {figures._style(name, names) for name in names}
    assert len(styles) == 3
