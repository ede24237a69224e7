"""Run folders made by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

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
    **settings: Any,
) -> Path:
    """A run folder with these accuracies, and a ledger of ``initial`` where that is given."""
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
        }
        for place, value in enumerate(accuracy)
    ]
    answers = [{"id": id_, "label": 0, "round": 0, "source": "oracle"} for id_ in initial]
    for name, records in {"rounds": lines, **({"labels": answers} if initial else {})}.items():
        text = "".join(json.dumps(record) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(text)
    return folder
