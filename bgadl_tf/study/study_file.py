"""A study as a YAML file: arms, seeds, settings that all runs share, datasets, and what to compare.

::

    arms:                       # names of methods, or LEARNER+ACQUISITION; settings if they differ
      bgadl: {seeds: [0, 1, 2, 3]}
      random:
      vaeacgan+margin: {steps: 600}
      bgadl-labelled-only: {method: bgadl, options: {vaeacgan.unlabelled: false}}
    seeds: [0, 1]               # of every arm that has none of its own
    settings:                   # of every run, but for what a dataset or an arm has of its own
      rounds: 8
      options: {vaeacgan.width: 0.5}
    datasets:                   # every arm runs on each of them; see file_datasets
      mnist: {dataset: mnist, classifier: lenet}
      features: {dataset: "embeddings:runs/embeddings/cifar10", components: auto}
    against: [random]           # by default those of random and bald that are arms
    claims:                     # what is to be shown, for bgadl claims; see file_claims
      recommended: bgadl
      wins: {pairs: [[bgadl, random]]}

``arms`` may also be a list of names. A study of one dataset says it under ``settings`` and has no
``datasets``. Settings are the flags of ``bgadl train``, spelt with ``_``; a
``method``, or ``learner`` and ``acquisition``, among those of every run is that of arms whose names
say none.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from bgadl_tf.runs import file_settings, yaml_reader
from bgadl_tf.runs import file_values as values
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.methods import METHODS, resolve
from bgadl_tf.study import decidable
from bgadl_tf.study.file_claims import claims_of
from bgadl_tf.study.file_datasets import Block, blocks_of
from bgadl_tf.study.protocol import BASELINES, Arm, Protocol

_KEYS = ("arms", "seeds", "settings", "datasets", "against", "claims")


def read(path: Path) -> Protocol:
    """The protocol of a study file. Needs no TensorFlow, so names of learners stay unchecked.

    Raises:
        ConfigError: The file cannot be read, or something in it cannot be; the message names
            the file, the key, what was expected and how to mend it.
    """
    content = yaml_reader.read(path)
    with values.located(path):
        return _protocol(content)


def of_arm(name: str, dataset: str = "") -> AbstractContextManager[None]:
    """Puts the arm before the message of every ``ConfigError``, and keys in the place of flags.

    Args:
        name: Of the arm.
        dataset: What the study calls the dataset that it is on; empty where it names none.
    """
    where = f"arms.{name}"
    if not dataset:
        return file_settings.flags_as_keys(where, where, "settings")
    on = f"datasets.{dataset}"
    return file_settings.flags_as_keys(f"{where} on {on}", where, on, "settings")


def _protocol(content: object) -> Protocol:
    top = values.mapping(content, "the file", f"a mapping with the keys {', '.join(_KEYS)}")
    for key in top:
        if key in file_settings.FIELDS and key not in file_settings.NOT_HERE:
            raise values.about(f"{key!r} is a setting; put it under 'settings'", key)
        file_settings.refuse_unknown(key, "", _KEYS)
    shared = values.mapping(
        top.get("settings"), "settings", "a mapping of settings to their values"
    )
    seeds = values.integers(top["seeds"], "seeds") if "seeds" in top else None
    given = _arms(top.get("arms"))
    arms = tuple(
        _arm(name, own, block, shared, seeds)
        for block in blocks_of(top, shared, given)
        for name, own in given.items()
        if name in block.arms
    )
    if parts := file_settings.parts_of(shared, "settings"):
        _refuse_unused(parts, arms)
    against = top.get("against", [name for name in BASELINES if name in given])
    compared = tuple(values.texts(against, "against"))
    with values.at("against", "arms"):
        protocol = Protocol(arms, compared)
    with values.at("claims"):
        protocol = dataclasses.replace(protocol, claims=claims_of(top.get("claims")))
        decidable.check(protocol)
    return protocol


def _arms(given: object) -> dict[str, object]:
    """Own settings by arm, in order; None where an arm has none."""
    if isinstance(given, list):
        names = values.texts(given, "arms")
        for name in names:
            if names.count(name) > 1:
                raise values.wrong("arms", f"has {name!r} twice; name it once")
        return dict.fromkeys(names)
    arms = values.mapping(given, "arms", "a list of names, or a mapping of names to settings")
    if not arms:
        raise values.wrong("arms", "is empty; name at least one, e.g. arms: [bgadl, random]")
    return arms


def _arm(
    name: str,
    given: object,
    block: Block,
    shared: Mapping[str, Any],
    seeds: tuple[int, ...] | None,
) -> Arm:
    where = f"arms.{name}"
    own = values.mapping(given, where, "a mapping of settings to their values, or nothing")
    if block.seeds is not None:
        seeds = block.seeds
    if "seeds" in own:
        seeds = values.integers(own["seeds"], f"{where}.seeds")
    if seeds is None:
        raise values.wrong(where, "has no seeds; give a list under 'seeds', e.g. seeds: [0, 1, 2]")
    settings = {
        **file_settings.settings_of(shared, "settings", file_settings.PARTS),
        **block.settings,
        **file_settings.settings_of(own, where, (*file_settings.PARTS, "seeds")),
        **_pair(name, own, shared),
        "options": file_settings.options_of(
            {"settings": shared, block.path: block.given, where: own}
        ),
    }
    with of_arm(name, block.name):
        config = RunConfig(**settings)
        resolve(config.method, config.learner, config.acquisition)
        return Arm(name, config, seeds, block.name)


def _pair(name: str, own: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, str]:
    """What the arm runs: as it says, else by its name, else as all runs do."""
    where = f"arms.{name}"
    parts = file_settings.parts_of(own, where)
    learner, plus, acquisition = name.partition("+")
    named = {"learner": learner, "acquisition": acquisition} if plus else {"method": name}
    if not parts:
        if plus or name in METHODS.names():
            return named
        if of_all := file_settings.parts_of(shared, "settings"):
            return of_all
        close = difflib.get_close_matches(name, METHODS.names(), n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise values.wrong(
            where,
            f"is no method{hint}; known: {', '.join(METHODS.names())}; or name it "
            "LEARNER+ACQUISITION; or say under it which method it is, as method: bgadl",
        )
    if parts != named and (plus or name in METHODS.names()):
        runs = ", ".join(f"{part} {value!r}" for part, value in parts.items())
        raise values.wrong(where, f"runs {runs}, which its name denies; choose another name")
    return parts


def _refuse_unused(parts: Mapping[str, str], arms: Sequence[Arm]) -> None:
    """Refuse a method of all runs that no run is of."""
    if any(all(getattr(arm.config, part) == name for part, name in parts.items()) for arm in arms):
        return
    part, name = next(iter(parts.items()))
    raise values.wrong(
        f"settings.{part}",
        f"is {name!r}, which no arm runs: theirs is said by their names; name it under 'arms'",
    )
