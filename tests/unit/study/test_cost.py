from __future__ import annotations

import json
from pathlib import Path

from bgadl_tf.study import cost, runs
from tests.support.study.folders import write_run


def timed(folder: Path, top: float, seconds: list[float], seed: int = 0) -> runs.Run:
    write_run(folder, [0.5, 0.5, top], seed=seed)
    lines = [json.loads(line) for line in (folder / "rounds.jsonl").read_text().splitlines()]
    for line, train in zip(lines, seconds, strict=True):
        line["seconds"] = {"train": train, "score": 1.0, "evaluate": 9.0}
    (folder / "rounds.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return runs.read(folder)


def test_seconds_of_a_round_and_what_they_gain(tmp_path: Path) -> None:
    arms = {
        "slow": [timed(tmp_path / "slow", 0.9, [60.0, 5.0, 5.0])],
        "random": [
            timed(tmp_path / "random", 0.7, [30.0, 1.0, 1.0]),
            timed(tmp_path / "further", 0.7, [100.0, 100.0, 100.0], seed=1),
        ],
    }
    slow, random = cost.cost_table(arms, "random").splitlines()[2:]
    cells = [cell.strip() for cell in slow.strip("|").split("|")]
    # 6 s beside 2 s on seed 0; the AUBC of 0.2 more at the last of three counts is 0.05 more.
    assert cells == ["slow", "5.00", "1.00", "+4.00", "3.00", "+5.00", "+1.250"]
    assert random.count("–") == 4
    faster = cost.cost_table(arms, "slow").splitlines()[3]
    assert [cell.strip() for cell in faster.strip("|").split("|")][-2:] == ["-5.00", "–"]


def test_older_rounds_may_lack_seconds(tmp_path: Path) -> None:
    run = timed(tmp_path / "old", 0.7, [1.0, 1.0, 1.0])
    for record in run.rounds:
        del record["seconds"]
    assert cost.cost_table({"old": [run], "random": [run]}, "random").count("nan") == 0
