"""What acquisitions remember."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bgadl_tf.loop.folder_journal import FolderJournal
from bgadl_tf.loop.view import View


def test_what_is_remembered_is_computed_once_for_each_state_of_the_dataset(tmp_path: Path) -> None:
    journal = FolderJournal(tmp_path)
    journal.open()
    made: list[int] = []

    def remember(state: int) -> float:
        def make() -> dict[str, Any]:
            made.append(state)
            return {"mean": np.array(10.0 + state)}

        nobody: Any = None
        view = View(
            round_=1, ids=(), labels={}, classes=2, examples=nobody, scorer=nobody, mask_seed=0,
            journal=journal, state=state, train=nobody,
        )  # fmt: skip
        return float(view.remember("features", make)["mean"])

    assert [remember(state) for state in (0, 0, 1, 1, 0)] == [10.0, 10.0, 11.0, 11.0, 10.0]
    assert made == [0, 1]
    journal.close()
