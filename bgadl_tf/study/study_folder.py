"""The folder of a study, and the protocol it was begun with.

::

    protocol.json              arms, each with every setting resolved and with its seeds
    <arm>/seed_<n>/            one run folder each; <dataset>/<arm>/seed_<n>/ where the study names
                               its datasets
    <arm>/seed_<n>.log         what the run printed
    durations.jsonl            what runs took that were made in one go
    report.html  report.md  results.json  curves.csv  learning_curves.png  hparams/
                               written by ``report.write``
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from bgadl_tf.core import durable
from bgadl_tf.core.errors import ConfigError, RunFolderError
from bgadl_tf.runs.outside import refuse_inside
from bgadl_tf.study import runs
from bgadl_tf.study.protocol import Protocol

_NAME = "protocol.json"


def check(out: Path, protocol: Protocol) -> None:
    """Refuse a folder that is not this study's; only arms, datasets, seeds and rounds may have been
    added.

    Raises:
        ConfigError: The folder is inside a dataset.
        RunFolderError: The folder belongs to another study, or its protocol cannot be read.
    """
    for arm in protocol.arms:
        refuse_inside(out, arm.config.dataset)
    before = saved(out)
    if before is not None and (lost := protocol.lost_from(before)):
        raise RunFolderError(
            f"{out} holds a study with another protocol: {'; '.join(lost)}; put that back into "
            "the study file (arms, datasets, seeds and rounds may be added), or choose another "
            "folder"
        )


def claim(out: Path, protocol: Protocol) -> None:
    """``check``, and note the protocol in the study's folder; of claims that were not there before,
    how many runs had a finished round by then.

    Raises:
        ConfigError: The folder is inside a dataset.
        RunFolderError: The folder belongs to another study or cannot be written.
    """
    check(out, protocol)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"cannot make {out}: {error.strerror or error}") from None
    before = saved(out)
    if before != protocol:
        if protocol.claims is not None:
            known = None if before is None else before.claims
            after = _with_results(out, protocol.datasets) if known is None else known.after
            claims = dataclasses.replace(protocol.claims, after=after)
            protocol = dataclasses.replace(protocol, claims=claims)
        text = json.dumps(protocol.to_json(), indent=1) + "\n"
        durable.atomic_write_text(out / _NAME, text)


def _with_results(out: Path, datasets: Sequence[str]) -> int:
    """Runs of a study that have a finished round."""
    folders = (folder for dataset in datasets or ("",) for folder in runs.folders(out, dataset))
    rounds = (folder / "rounds.jsonl" for folder in folders)
    return sum(path.exists() and path.stat().st_size > 0 for path in rounds)


def readable(out: Path) -> Protocol | None:
    """``saved``, or None where it cannot be read; the runs of an older version can all the same."""
    try:
        return saved(out)
    except RunFolderError:
        return None


def saved(out: Path) -> Protocol | None:
    """The protocol of a study's folder; None if it has none yet.

    Raises:
        RunFolderError: It cannot be read.
    """
    path = out / _NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RunFolderError(f"cannot read {path}: {error}; delete it if it is lost") from None
    if isinstance(content, dict) and "train_flags" in content:
        raise RunFolderError(
            f"{out} is a study of an older version, whose {_NAME} holds training flags: it can be "
            "reported on (--report-only) but not gone on with; choose another folder"
        )
    try:
        return Protocol.from_json(content)
    except (ConfigError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise RunFolderError(
            f"{path} is no protocol of this version: {error}; delete it if it is lost, or choose "
            "another folder"
        ) from None
