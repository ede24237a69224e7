"""What a study runs: arms, each with every setting resolved and with its seeds."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.study.claims import Claims

BASELINES = ("random", "bald")
"""Arms that a study compares its others with, unless it says which."""

OUTSIDE = ("seed", "data_dir", "embeddings")
"""Settings of a run that are not the protocol's: its seed is, the machine's folders are not."""

_NAME = re.compile(r"[A-Za-z0-9][\w.:+-]*")


@dataclass(frozen=True)
class Arm:
    """Runs that differ in their seed alone.

    Attributes:
        name: What reports call it; the folder of its runs.
        config: Settings of its runs; the seed in it stands for nothing.
        seeds: Root seeds. Runs of one seed share their initial set, whatever their arm.

    Raises:
        ConfigError: The name cannot be that of a folder, or the seeds are none, negative or
            given twice.
    """

    name: str
    config: RunConfig
    seeds: tuple[int, ...]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"arm {self.name!r} cannot name a folder; use letters, digits and _ . : + -"
            )
        if not self.seeds:
            raise ConfigError(f"arm {self.name!r} has no seeds; give at least one")
        if twice := _twice(self.seeds):
            raise ConfigError(f"arm {self.name!r} has seed {twice[0]} twice; give it once")
        if min(self.seeds) < 0:
            raise ConfigError(
                f"arm {self.name!r} has seed {min(self.seeds)}; expected integers from 0 on"
            )

    def settings(self) -> Json:
        """Its settings, those of one run or one machine left out."""
        settings = self.config.to_json()
        return {key: value for key, value in settings.items() if key not in OUTSIDE}


@dataclass(frozen=True)
class Protocol:
    """Arms, and what they are compared with.

    Attributes:
        arms: At least one.
        against: Arms with which every other one is compared seed by seed.
        claims: What is to be shown of them; None for nothing.

    Raises:
        ConfigError: There is no arm, two have one name, or ``against`` or ``claims`` name another.
    """

    arms: tuple[Arm, ...]
    against: tuple[str, ...] = ()
    claims: Claims | None = None

    def __post_init__(self) -> None:
        names = [arm.name for arm in self.arms]
        if not names:
            raise ConfigError("there are no arms; name at least one")
        if twice := _twice(names):
            raise ConfigError(f"arm {twice[0]!r} stands there twice; name it once")
        if unknown := [name for name in self.against if name not in names]:
            raise ConfigError(
                f"against names {unknown[0]!r}, which is no arm here; the arms: {', '.join(names)}"
            )
        if twice := _twice(self.against):
            raise ConfigError(f"against names {twice[0]!r} twice; name it once")
        if self.claims is not None:
            self.claims.check(names)

    def runs(self) -> Iterator[tuple[Arm, int]]:
        """Arm and seed of every run, seed by seed, so that an early look compares all arms."""
        seeds = dict.fromkeys(itertools.chain.from_iterable(arm.seeds for arm in self.arms))
        return ((arm, seed) for seed in seeds for arm in self.arms if seed in arm.seeds)

    def to_json(self) -> Json:
        """As one JSON object, every setting resolved."""
        return {
            "arms": {
                arm.name: {"seeds": list(arm.seeds), "settings": arm.settings()}
                for arm in self.arms
            },
            "against": list(self.against),
            "claims": None if self.claims is None else self.claims.to_json(),
        }

    @classmethod
    def from_json(cls, content: Json) -> Self:
        """The inverse of ``to_json``; a setting that is not there has its default.

        Raises:
            ConfigError: A setting is unknown or cannot be.
            LookupError, TypeError, ValueError, AttributeError: It is not such an object.
        """
        arms = (
            Arm(name, RunConfig.from_json(arm["settings"]), tuple(arm["seeds"]))
            for name, arm in content["arms"].items()
        )
        claims = content.get("claims")
        return cls(
            tuple(arms),
            tuple(content["against"]),
            None if claims is None else Claims.from_json(claims),
        )

    def lost_from(self, before: Protocol) -> list[str]:
        """What of an earlier protocol this one changes or lacks; there may be further arms and
        seeds, and more rounds. Claims are made once, before results are known.
        """
        arms = {arm.name: arm for arm in self.arms}
        lost = []
        if before.claims not in (None, self.claims):
            lost.append("claims are others than the study was begun with")
        for old in before.arms:
            new = arms.get(old.name)
            if new is None:
                lost.append(f"arm {old.name!r} is missing now")
                continue
            after = new.settings()
            lost += [
                f"{key} of arm {old.name!r} was {value!r}, now {after[key]!r}"
                for key, value in old.settings().items()
                if value != after[key] and not (key == "rounds" and value < after[key])
            ]
            lost += [
                f"seed {seed} of arm {old.name!r} is missing now"
                for seed in old.seeds
                if seed not in new.seeds
            ]
        return lost


def _twice(given: Sequence[object]) -> list[object]:
    return [item for item, count in Counter(given).items() if count > 1]
