from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.study import study_file
from tests.support.study.protocols import write_study

ARMS = """
arms: {bgadl: {seeds: [0, 1]}, random: {seeds: [1, 2]}, bda-full: }
seeds: [0, 1, 2]
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("against: [random, bda-full]\n", r"line 4: against\[1\] is 'bda-full', which learns from"),
        (
            "claims:\n  never_harms: {pairs: [[bgadl, bda-full]]}\n",
            r"line 5: claims.never_harms.pairs\[0\] names 'bda-full', which learns from the whole",
        ),
        (
            "claims:\n  wins:\n    pairs:\n    - [bgadl, random]\n",
            r"line 7: claims.wins.pairs\[0\] compares 'bgadl' with 'random', which share 1 seed; a",
        ),
        (
            "claims: {wins: {pairs: [[bgadl, random]]}}\ndatasets: {small: {dataset: digits}}\n",
            "which share 1 seed on dataset 'small'; a test needs 2: give both the same seeds",
        ),
    ],
)
def test_what_cannot_be_decided_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        study_file.read(write_study(tmp_path, ARMS + text))


def test_what_can_be_is_not(tmp_path: Path) -> None:
    text = ARMS.replace("[1, 2]", "[0, 1, 2]") + "claims: {wins: {pairs: [[bgadl, random]]}}\n"
    assert study_file.read(write_study(tmp_path, text)).claims is not None
