"""``datasets`` of a study file: what every arm runs on, one after the other.

::

    datasets:
      digits: {dataset: digits, initial_size: 20}
      features: {dataset: "embeddings:runs/embeddings/cifar10", components: auto, seeds: [0, 1, 2]}
      mnist: {dataset: mnist, arms: [bgadl, random]}    # these alone

Names are those of folders. Settings win over those of every run, and those of an arm over them;
``seeds`` are those of arms that have none of their own.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from bgadl_tf.runs import file_settings
from bgadl_tf.runs import file_values as values
from bgadl_tf.study.protocol import check_name

_OWN = ("seeds", "arms")


@dataclass(frozen=True)
class Block:
    """What runs on one dataset share.

    Attributes:
        name: What the study calls the dataset; empty in a study that names none.
        given: Its settings as they stand in the file.
        settings: The same, each of its type, options left out.
        seeds: Of arms that have none of their own; None for those of the whole file.
        arms: Names of those that run on it.
    """

    arms: tuple[str, ...]
    name: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] | None = None

    @property
    def path(self) -> str:
        """Where it is in the file."""
        return f"datasets.{self.name}"


def blocks_of(
    top: Mapping[str, Any], shared: Mapping[str, Any], arms: Mapping[str, object]
) -> tuple[Block, ...]:
    """The datasets; one without a name where the file names none.

    Args:
        top: The whole file.
        shared: Settings of every run.
        arms: Own settings by arm.

    Raises:
        ConfigError: A key or an arm is unknown; a value is of another shape or cannot be; a name is
            not that of a folder; an arm says its dataset, too, or runs on none; or a dataset is
            not said, or said for all runs and of none.
    """
    if "datasets" not in top:
        return (Block(tuple(arms)),)
    wanted = "a mapping of names to settings, e.g. {digits: {dataset: digits}}"
    given = values.mapping(top["datasets"], "datasets", wanted)
    if not given:
        raise values.wrong("datasets", f"is empty; expected {wanted}, or leave it out")
    blocks = tuple(_block(name, own, shared, tuple(arms)) for name, own in given.items())
    if "dataset" in shared and all("dataset" in block.given for block in blocks):
        raise values.wrong(
            "settings.dataset",
            f"is {shared['dataset']!r}, which no run is on: each of 'datasets' says its own; leave "
            "it out, or name it there, too",
        )
    for name, own in arms.items():
        if isinstance(own, dict) and "dataset" in own:
            raise values.wrong(
                f"arms.{name}.dataset", "is said by 'datasets', for every arm; leave it out"
            )
        if not any(name in block.arms for block in blocks):
            raise values.wrong(
                f"arms.{name}", "runs on none of the datasets; add it to the 'arms' of one"
            )
    return blocks


def _block(name: str, given: object, shared: Mapping[str, Any], arms: tuple[str, ...]) -> Block:
    where = f"datasets.{name}"
    with values.at(where, "datasets"):
        check_name("dataset", name)
    own = values.mapping(given, where, "a mapping of settings to their values")
    for part in file_settings.PARTS:
        if part in own:
            raise values.wrong(f"{where}.{part}", "says what an arm runs; put it under 'arms'")
    settings = file_settings.settings_of(own, where, _OWN)
    if "dataset" not in own and "dataset" not in shared:
        raise values.wrong(where, "says no dataset; give one, e.g. dataset: digits")
    return Block(
        _arms(own["arms"], f"{where}.arms", arms) if "arms" in own else arms,
        name,
        own,
        settings,
        values.integers(own["seeds"], f"{where}.seeds") if "seeds" in own else None,
    )


def _arms(given: object, where: str, known: Collection[str]) -> tuple[str, ...]:
    named = values.texts(given, where)
    if not named:
        raise values.wrong(where, "is empty; name at least one, or leave it out for all")
    for name in named:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise values.wrong(
                where, f"has {name!r}, which is no arm here{hint}; the arms: {', '.join(known)}"
            )
        if named.count(name) > 1:
            raise values.wrong(where, f"has {name!r} twice; name it once")
    return tuple(named)
