"""Values that begin with a minus sign."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.cli import main
from bgadl_tf.runs.command_line import joined


@pytest.mark.parametrize("value", ["-1,1", "-.5,.5", "-1,-1", "-1e2,0"])
def test_a_range_below_zero_is_a_value(value: str) -> None:
    arguments = ["embed", "--pixel-range", value, "--out", "x"]
    assert joined(arguments) == ["embed", f"--pixel-range={value}", "--out", "x"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--pixel-range=-1,1", "--stream", "--out", "-"],
        ["score", "--pixel-range", "0,1", "-x,y"],
        ["study", "a.toml", "-1,1"],
        ["score", "--", "-1,1"],
        ["--seed=1", "-1,1"],
        [],
    ],
    ids=" ".join,
)
def test_all_else_stays(arguments: list[str]) -> None:
    assert joined(arguments) == arguments


def test_the_command_line_takes_a_range_below_zero(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "gone.keras"
    flags = ["--model", str(file), "--pixel-range", "-1,1", "--out", str(tmp_path / "out")]
    assert main(["export", *flags]) == 2
    # Not: expected one argument.
    assert (
        capsys.readouterr().err
        == f"bgadl: model {file} cannot be read: No such file or directory\n"
    )
