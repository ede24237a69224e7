"""The folder of a search, and what it was begun with.

::

    tuning.json                what the tuning file said
    trials/<digest>/seed_<n>   one run folder each; <digest> is of the settings
    proposals.jsonl            what a Bayesian search has proposed
    results.json  best.yaml    what was found; see results
    tensorboard/               the trials, for TensorBoard's HParams page
    keras_tuner/               keras-tuner's own notes, which are not needed to go on
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from bgadl_tf.core import durable, lock
from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.core.lock import LOCK
from bgadl_tf.core.types import Json
from bgadl_tf.runs.outside import refuse_inside
from bgadl_tf.study.tuning.tuning_file import Tuning

_NAME = "tuning.json"
_OWN = ("trials", "keras_tuner", "tensorboard", LOCK)


def check(out: Path, tuning: Tuning) -> None:
    """Refuse a folder that is not this search's; there may only be more trials.

    Raises:
        ConfigError: The folder is inside a dataset.
        RunFolderError: It holds another search or something else, or cannot be read.
    """
    refuse_inside(out, tuning.tuned.config.dataset)
    if not out.exists():
        return
    with durable.reporting(out):
        present = {path.name for path in out.iterdir()}
    if _NAME not in present:
        own = {*_OWN, *(path.name for path in durable.temporaries(out))}
        if others := present - own:
            raise RunFolderError(
                f"--out {out} holds {min(others)!r} and no search; use an empty or new folder"
            )
        return
    if different := _differences(_saved(out), _plain(tuning)):
        raise RunFolderError(
            f"--out {out} holds another search: {'; '.join(different)}; put that back into the "
            "tuning file (there may be more trials), or choose another folder"
        )


def claim(out: Path, tuning: Tuning) -> None:
    """``check``, and note the search in its folder.

    Raises:
        ConfigError: As ``check``.
        RunFolderError: As ``check``, or the folder cannot be written.
    """
    check(out, tuning)
    with durable.reporting(out):
        out.mkdir(parents=True, exist_ok=True)
    durable.atomic_write_text(out / _NAME, json.dumps(_plain(tuning), indent=1) + "\n")


@contextlib.contextmanager
def alone(out: Path) -> Iterator[None]:
    """Nobody else may propose trials in the folder meanwhile.

    Raises:
        RunFolderError: Somebody does.
    """
    with durable.reporting(out):
        descriptor = lock.hold(out / LOCK)
    if descriptor is None:
        raise RunFolderError(
            f"another process is searching in {out}; wait for it, or share its search"
        )
    try:
        yield
    finally:
        os.close(descriptor)


def _saved(out: Path) -> Json:
    path = out / _NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"cannot read {path}: {error}; delete it if it is lost") from None
    if not isinstance(content, dict):
        raise RunFolderError(f"{path} is no search; delete it if it is lost")
    return content


def _plain(tuning: Tuning) -> Json:
    content: Json = json.loads(json.dumps(tuning.to_json()))
    return content


def _differences(before: Json, now: Json, where: str = "") -> list[str]:
    found = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if old == new or (not where and key == "trials" and _more(old, new)):
            continue
        if isinstance(old, dict) and isinstance(new, dict) and key in ("settings", "space"):
            found += _differences(old, new, f"{key}.")
        else:
            found.append(f"{where}{key} was {old!r}, now {new!r}")
    return found


def _more(old: object, new: object) -> bool:
    return isinstance(old, int) and isinstance(new, int) and new > old
