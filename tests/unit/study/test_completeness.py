"""A run that was killed after its last round is told from one that is over."""

from __future__ import annotations

import json
from pathlib import Path

from bgadl_tf.study import completeness, runs
from tests.support.study.folders import write_run


def touch(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_pictures_of_the_last_round(tmp_path: Path) -> None:
    run = runs.read(write_run(tmp_path, [0.5, 0.6, 0.7]))
    assert completeness.is_drawn(run), "a version that drew nothing"
    (tmp_path / "figures").mkdir()
    assert not completeness.is_drawn(run)
    touch(tmp_path / "figures/learning_curve.png")
    assert completeness.is_drawn(run)
    for number in (1, 2):
        touch(tmp_path / f"arrays/further/round_0{number}.npz")
    assert completeness.is_drawn(run), "nothing that it makes can be shown"
    touch(tmp_path / "figures/queried_and_generated_round_01.png")
    assert not completeness.is_drawn(run)
    touch(tmp_path / "figures/queried_and_generated_round_02.png")
    assert completeness.is_drawn(run)


def test_an_export_of_the_last_round(tmp_path: Path) -> None:
    run = runs.read(write_run(tmp_path, [0.5, 0.6, 0.7]))
    assert not completeness.is_exported(run)
    for version, round_ in ((9, 1), (10, 2)):
        models = tmp_path / "export/classifier"
        touch(models / f"{version}/assets.extra/metadata.json", json.dumps({"round": round_}))
        assert completeness.is_exported(run) == (round_ == 2)
    touch(models / "11/saved_model.pb")
    assert completeness.is_exported(run), "of a version that said less"
