from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.serving.server.versions import Policy, wanted
from tests.support.model_folders import publish


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(), [10]),
        (Policy(latest=2), [10, 9]),
        (Policy(latest=7), [10, 9, 1]),
        (Policy(latest=None), [10, 9, 1]),
        (Policy(specific=(1, 9)), [9, 1]),
        (Policy(specific=(1, 7)), [1]),
        (Policy(specific=(7,)), []),
    ],
)
def test_policies_choose_by_number(tmp_path: Path, policy: Policy, expected: list[int]) -> None:
    publish(tmp_path, 9, 10, 1)
    assert [*wanted(tmp_path, policy)] == expected


def test_names_that_are_no_versions(tmp_path: Path) -> None:
    publish(tmp_path, ".tmp-2", "abc", "-1", "1.5", "²", "٣", " 4", "+5", "1e3", 2**63, "5_0")
    (tmp_path / "8").touch()
    (tmp_path / "9").symlink_to("nowhere")
    assert wanted(tmp_path, Policy(latest=None)) == {}
    publish(tmp_path, "007", 0, 2**63 - 1)
    assert wanted(tmp_path, Policy(latest=None)) == {
        2**63 - 1: tmp_path / str(2**63 - 1),
        7: tmp_path / "007",
        0: tmp_path / "0",
    }


def test_of_two_names_of_a_number_the_last_counts(tmp_path: Path) -> None:
    publish(tmp_path, "1", "001", "01")
    assert wanted(tmp_path, Policy()) == {1: tmp_path / "1"}


def test_a_link_to_a_folder_is_a_version(tmp_path: Path) -> None:
    publish(tmp_path, "elsewhere")
    (tmp_path / "3").symlink_to("elsewhere")
    assert [*wanted(tmp_path, Policy())] == [3]


def test_a_folder_that_is_not_there_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        wanted(tmp_path / "gone", Policy())
