"""Why there is no version to serve under a base path, and which path was probably meant."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from bgadl_tf.serving.server.versions import Policy, wanted

SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")
KERAS_FILES = (".keras", ".h5", ".hdf5")
MODELS = ("classifier", "generator")
"""What a run exports; of two that fit the classifier is what most people mean."""

LOOKED_AT = 50
"""Entries of a folder at most, since this may be asked every second."""

_EXPECTED = "a base path holds a folder for every version, named by its number (1/saved_model.pb)"


def explain(base_path: Path, policy: Policy) -> str | None:
    """What is wrong with a base path; None where there is a version to serve.

    Args:
        base_path: The folder.
        policy: Which versions are wanted.
    """
    try:
        return _explain(base_path, policy)
    except OSError as error:
        return f"cannot look for versions in {base_path}: {error.strerror}"


def for_clients(why: str, base_path: Path) -> str:
    """``why`` without saying where on this machine the base path is."""
    above = str(base_path.parent.parent)
    if above == base_path.anchor:
        return why
    shortened = why.replace(f"{above}/", "")
    return "its base path holds no version" if above in shortened else shortened


def _explain(base: Path, policy: Policy) -> str | None:
    if base.is_symlink() and not base.exists():
        return f"{base} is a link to {base.readlink()}, which does not exist"
    if not base.exists():
        return f"the base path {base} does not exist"
    if not base.is_dir():
        return _file(base)
    if wanted(base, policy):
        return None
    if numbers := [*wanted(base, Policy(latest=None))]:
        asked = ", ".join(map(str, policy.specific))
        return f"{base} holds version {', '.join(map(str, numbers))}, not {asked} as configured"
    if any((base / name).is_file() for name in SAVED_MODEL):
        return _saved_model(base)
    if meant := _meant(base):
        kind = "an export folder"
        if (base / "config.json").is_file():
            kind = "a run folder"
        elif meant.parent != base or meant.name not in MODELS:
            kind = "a folder of models"
        return f"{base} is {kind}; the base path of one model in it is {meant}"
    if _is_run(base):
        return f"{base} is a run folder that has exported no model yet; 'bgadl export {base}' does"
    return _contents(base)


def _file(base: Path) -> str:
    if base.name in SAVED_MODEL:
        return f"{base} is a file: {_saved_model(base.parent)}"
    if base.suffix in KERAS_FILES:
        return f"{base} is a Keras file, which is not served: {_export(base.parent)}"
    return f"{base} is a file; {_EXPECTED}"


def _saved_model(folder: Path) -> str:
    if folder.name.isascii() and folder.name.isdigit():
        return f"{folder} is a version folder; the base path is the folder above: {folder.parent}"
    return f"{folder} holds a SavedModel itself; move it into a folder {folder}/1"


def _export(folder: Path) -> str:
    if run := next((path for path in (folder, *folder.parents) if _is_run(path)), None):
        return f"'bgadl export {run}' writes {run}/export/classifier, which is"
    return f"export it into a numbered folder with model.export; {_EXPECTED}"


def _contents(base: Path) -> str:
    entries = _entries(base)
    if not entries:
        return f"{base} is empty; {_EXPECTED}"
    if keras := [entry for entry in entries if entry.suffix in KERAS_FILES]:
        return f"{base} holds a Keras file, {keras[0].name}, which is not served: {_export(base)}"
    if folders := [entry for entry in entries if entry.is_dir()]:
        names = ", ".join(repr(folder.name) for folder in folders[:3])
        more = ", ..." if len(folders) > 3 else ""
        return f"no folder in {base} is named by a number (there are {names}{more}); {_EXPECTED}"
    return f"{base} holds no folder; {_EXPECTED}"


def _meant(base: Path) -> Path | None:
    """A folder below, one or two levels, that is a base path."""
    below = [entry for entry in _entries(base) if entry.is_dir()]
    exported = [base / "export" / name for name in MODELS]
    candidates = [*(base / name for name in MODELS), *exported, *below]
    return next((path for path in candidates if path.is_dir() and _is_base(path)), None)


def _is_base(folder: Path) -> bool:
    try:
        versions = wanted(folder, Policy(latest=None)).values()
    except OSError:
        return False
    return any((path / name).is_file() for path in versions for name in SAVED_MODEL)


def _is_run(folder: Path) -> bool:
    return (folder / "config.json").is_file() and (folder / "labels.jsonl").is_file()


def _entries(folder: Path) -> Sequence[Path]:
    visible = (entry for entry in folder.iterdir() if not entry.name.startswith("."))
    return sorted(itertools.islice(visible, LOOKED_AT))
