from __future__ import annotations

from bgadl_tf.core.types import Json
from bgadl_tf.runs.records import fact, fact_names

OLD: Json = {"round": 1, "labelled": 30, "reconstruction_error": 2.5, "bald_queried": 0.6}
NEW: Json = {"round": 1, "labelled": 30, "facts": {"reconstruction_error": 2, "gap": 0.5, "x": "y"}}


def test_facts_of_older_and_newer_folders() -> None:
    assert fact(OLD, "reconstruction_error") == 2.5
    assert fact(NEW, "reconstruction_error") == 2.0
    assert fact(NEW, "gap") == 0.5
    assert fact(NEW, "bald_queried") is None
    assert fact({"round": 0, "facts": None}, "gap") is None


def test_other_entries_and_texts_are_no_facts() -> None:
    assert fact(OLD, "labelled") is None
    assert fact(NEW, "x") is None


def test_names() -> None:
    assert fact_names([OLD, NEW, {"round": 0}]) == ["bald_queried", "gap", "reconstruction_error"]
