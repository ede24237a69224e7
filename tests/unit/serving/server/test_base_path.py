from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bgadl_tf.serving.server.base_path import explain, for_clients
from bgadl_tf.serving.server.versions import Policy


def saved_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"")
    return folder


def run_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("config.json", "labels.jsonl"):
        (folder / name).touch()
    return folder


def touched(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def exported(base: Path) -> Path:
    run = run_folder(base / "run")
    saved_model(run / "export/classifier/1")
    saved_model(run / "export/generator/1")
    return run


def link(base: Path) -> Path:
    (base / "link").symlink_to(base / "gone")
    return base / "link"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda at: at / "none", "the base path {at}/none does not exist"),
        (link, "{at}/link is a link to {at}/gone, which does not exist"),
        (lambda at: touched(at / "notes.txt"), "{at}/notes.txt is a file; a base path holds a"),
        (lambda at: at, "{at} is empty; a base path holds a folder for every version"),
        (
            lambda at: saved_model(at / "classifier/1"),
            (
                "{at}/classifier/1 is a version folder; the base path is the folder above: "
                "{at}/classifier"
            ),
        ),
        (
            lambda at: saved_model(at / "classifier/007") / "saved_model.pb",
            "{at}/classifier/007/saved_model.pb is a file: {at}/classifier/007 is a version folder",
        ),
        (
            lambda at: saved_model(at / "mine"),
            "{at}/mine holds a SavedModel itself; move it into a folder {at}/mine/1",
        ),
        (
            exported,
            "{at}/run is a run folder; the base path of one model in it is {at}/run/export/c",
        ),
        (
            lambda at: exported(at) / "export",
            (
                "{at}/run/export is an export folder; the base path of one model in it is "
                "{at}/run/export/classifier"
            ),
        ),
        (
            lambda at: saved_model(at / "export/generator/3").parents[1],
            (
                "{at}/export is an export folder; the base path of one model in it is "
                "{at}/export/generator"
            ),
        ),
        (
            lambda at: saved_model(at / "models/birds/2").parents[1],
            (
                "{at}/models is a folder of models; the base path of one model in it is "
                "{at}/models/birds"
            ),
        ),
        (
            lambda at: run_folder(at / "run"),
            "{at}/run is a run folder that has exported no model yet; 'bgadl export {at}/run' does",
        ),
        (
            lambda at: touched(at / "m/model.keras").parent,
            "{at}/m holds a Keras file, model.keras, which is not served: export it",
        ),
        (lambda at: touched(at / "model.h5"), "{at}/model.h5 is a Keras file, which is not served"),
        (
            lambda at: touched(run_folder(at / "run") / "checkpoints/best.keras"),
            "'bgadl export {at}/run' writes {at}/run/export/classifier, which is",
        ),
        (
            lambda at: [(at / name).mkdir() for name in ("v1", "latest", ".git")] and at,
            "no folder in {at} is named by a number (there are 'latest', 'v1'); a base path holds",
        ),
        (lambda at: touched(at / "1").parent, "{at} holds no folder; a base path holds"),
    ],
)
def test_what_was_probably_meant_is_said(
    tmp_path: Path, make: Callable[[Path], Path], why: str
) -> None:
    told = explain(make(tmp_path), Policy())
    assert told is not None
    assert why.format(at=tmp_path) in told
    assert "\n" not in told


def test_a_path_with_versions_needs_no_word(tmp_path: Path) -> None:
    saved_model(tmp_path / "1")
    assert explain(tmp_path, Policy()) is None
    assert explain(tmp_path, Policy(specific=(1,))) is None


def test_versions_that_are_not_wanted_are_named(tmp_path: Path) -> None:
    saved_model(tmp_path / "1")
    saved_model(tmp_path / "4")
    assert explain(tmp_path, Policy(specific=(2, 3))) == (
        f"{tmp_path} holds version 4, 1, not 2, 3 as configured"
    )


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    assert explain(tmp_path, Policy()) == (
        f"cannot look for versions in {tmp_path}: Permission denied"
    )


@pytest.mark.parametrize(
    ("base", "why", "told"),
    [
        ("/srv/m/1", "/srv/m/1 is so; give /srv/m", "m/1 is so; give m"),
        ("/srv/x/m/1", "/srv/x/m/1 is so; give /srv/x/m", "m/1 is so; give m"),
        ("/srv/x/m/1", "try /srv/x", "its base path holds no version"),
        ("/m", "the base path /m does not exist", "the base path /m does not exist"),
    ],
)
def test_clients_are_not_told_where_the_folders_are(base: str, why: str, told: str) -> None:
    assert for_clients(why, Path(base)) == told
