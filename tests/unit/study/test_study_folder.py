from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import study_folder
from bgadl_tf.study.claims import Claims
from tests.support.study.folders import write_run
from tests.support.study.protocols import protocol


def test_a_study_is_claimed_and_taken_up(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    assert study_folder.saved(out) is None
    study_folder.claim(out, protocol("bgadl"))
    written = (out / "protocol.json").read_bytes()
    study_folder.claim(out, protocol("bgadl"))
    assert (out / "protocol.json").read_bytes() == written
    assert study_folder.saved(out) == protocol("bgadl")


def test_arms_and_seeds_may_be_added(tmp_path: Path) -> None:
    study_folder.claim(tmp_path, protocol("bgadl"))
    study_folder.claim(tmp_path, protocol("bgadl", "random", seeds=(0, 1)))
    assert study_folder.saved(tmp_path) == protocol("bgadl", "random", seeds=(0, 1))


def test_another_protocol_is_refused_with_the_reason(tmp_path: Path) -> None:
    study_folder.claim(tmp_path, protocol("bgadl"))
    for other, reason in (
        (protocol("bgadl", steps=7), "steps of arm 'bgadl' was 300, now 7"),
        (protocol("random"), "arm 'bgadl' is missing now"),
        (protocol("bgadl", seeds=(1,)), "seed 0 of arm 'bgadl' is missing now"),
    ):
        with pytest.raises(RunFolderError, match=f"another protocol: {reason}; put that back"):
            study_folder.claim(tmp_path, other)
    assert study_folder.saved(tmp_path) == protocol("bgadl")


def test_claims_that_come_after_results_are_noted_as_such(tmp_path: Path) -> None:
    plain, claims = protocol("bgadl", "bald"), Claims(wins=(("bgadl", "bald"),))
    claimed = dataclasses.replace(plain, claims=claims)
    for name, runs, after in (("early", 0, 0), ("late", 2, 2)):
        out = tmp_path / name
        study_folder.claim(out, plain)
        write_run(out / "bald/seed_9", [])
        for seed in range(runs):
            write_run(out / f"bgadl/seed_{seed}", [0.5], seed=seed)
        for _ in range(2):
            study_folder.claim(out, claimed)
            saved = study_folder.saved(out)
            assert saved is not None
            assert saved.claims is not None
            assert saved.claims.after == after
            # What was settled before stays so, whatever is finished by now.
            write_run(out / "bald/seed_0", [0.5], method="bald")
    study_folder.claim(tmp_path / "late", dataclasses.replace(claimed, against=("bald",)))
    saved = study_folder.saved(tmp_path / "late")
    assert saved is not None
    assert saved.claims is not None
    assert (saved.against, saved.claims.after) == (("bald",), 2)


def test_a_study_of_an_older_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "protocol.json"
    path.write_text(json.dumps({"train_flags": ["--rounds", "8"]}))
    with pytest.raises(RunFolderError, match=r"older version.*--report-only.*another folder"):
        study_folder.claim(tmp_path, protocol("bgadl"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot read .*delete it if it is lost"),
        ("[]", "no protocol of this version"),
        ('{"arms": {}}', "no protocol of this version"),
        ('{"arms": {"a": {"settings": {"x": 1}, "seeds": [0]}}, "against": []}', "unknown setti"),
    ],
)
def test_a_damaged_protocol_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "protocol.json").write_text(text)
    with pytest.raises(RunFolderError, match=message):
        study_folder.claim(tmp_path, protocol("bgadl"))
    assert (tmp_path / "protocol.json").read_text() == text


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match=r"cannot (make|read)"):
        study_folder.claim(tmp_path / "file", protocol("bgadl"))
