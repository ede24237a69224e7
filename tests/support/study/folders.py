"""Run folders made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bgadl_tf.core.calibration import CalibrationBins
from bgadl_tf.core.types import Json
from bgadl_tf.study.learning_curve import Curve


def curve(labelled: Sequence[float], accuracy: Sequence[float]) -> Curve:
    return Curve(np.array(labelled, float), np.array(accuracy, float))


def write_run(
    folder: Path,
    accuracy: Sequence[float],
    *,
    method: str | None = "bgadl",
    seed: int = 0,
    rounds: int | None = None,
    initial: Sequence[str] = (),
    facts: Mapping[str, float] | None = None,
    **settings: Any,
) -> Path:
    """A run folder with these accuracies and facts; with a ledger of ``initial``, where given."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "dataset": "digits",
        "method": method,
        "learner": "vaeacgan",
        "acquisition": "bald",
        "seed": seed,
        "rounds": len(accuracy) - 1 if rounds is None else rounds,
        "initial_size": 20,
        "options": {},
        **settings,
    }
    (folder / "config.json").write_text(json.dumps(config))
    first = config["initial_size"]
    lines = [
        {
            "round": place,
            "labelled": first + 10 * place,
            "test_accuracy": value,
            "test_nll": 1 - value,
            "queried": [],
            "seconds": {"train": 1.0, "score": 0.5, "evaluate": 0.25},
            **({"facts": facts} if facts else {}),
        }
        for place, value in enumerate(accuracy)
    ]
    answers = [{"id": id_, "label": 0, "round": 0, "source": "oracle"} for id_ in initial]
    for name, records in {"rounds": lines, **({"labels": answers} if initial else {})}.items():
        text = "".join(json.dumps(record) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(text)
    return folder


def rewrite_rounds(folder: Path, change: Callable[[Json], Json]) -> None:
    """Changes every line of a run's ``rounds.jsonl``."""
    path = folder / "rounds.jsonl"
    lines = [change(json.loads(line)) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_answers(folder: Path, rounds: Sequence[Sequence[int]], classes: Sequence[str]) -> None:
    """Labels that each round asked for, from round 0 on, for a run that ``write_run`` made."""
    ids = [[f"{place}-{n}" for n in range(len(labels))] for place, labels in enumerate(rounds)]
    answers = [
        {"id": id_, "label": label, "round": place, "source": "oracle"}
        for place, labels in enumerate(rounds)
        for id_, label in zip(ids[place], labels, strict=True)
    ]
    text = "".join(json.dumps(answer) + "\n" for answer in answers)
    (folder / "labels.jsonl").write_text(text)
    rewrite_rounds(folder, lambda r: {**r, "queried": ids[r["round"]] if r["round"] else []})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "class_names": [*classes]}))


def write_starts(folder: Path, **first: Any) -> None:
    """``dataset.jsonl`` of one start."""
    start = {"train": 100, "unlabelled": 0, "test": 400, "simulated": True, **first}
    (folder / "dataset.jsonl").write_text(json.dumps(start) + "\n")


def calibration(confidence: float, right: float, count: int = 100) -> Json:
    """What a round notes whose examples are all in one bin."""
    bins = CalibrationBins()
    bins.add([confidence] * count, [place < right * count for place in range(count)])
    found = bins.result()
    assert found is not None
    return found.to_json()
