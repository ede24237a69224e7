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


def check_name(kind: str, name: str) -> None:
    """See that a name can be that of a folder.

    Raises:
        ConfigError: It cannot.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{kind} {name!r} cannot name a folder; use letters, digits and _ . : + -"
        )


def path_of(dataset: str, arm: str) -> str:
    """Folder of an arm's runs within that of the study, and how messages call the arm.

    Args:
        dataset: What the study calls the dataset; empty where it names none.
        arm: Its name.
    """
    return f"{dataset}/{arm}" if dataset else arm


@dataclass(frozen=True)
class Arm:
    """Runs that differ in their seed alone.

    Attributes:
        name: What reports call it; the folder of its runs.
        config: Settings of its runs; the seed in it stands for nothing.
        seeds: Root seeds. Runs of one seed share their initial set, whatever their arm.
        dataset: What the study calls the dataset that its runs are on; empty in a study that
            names none, where settings alone say it.

    Raises:
        ConfigError: A name cannot be that of a folder, or the seeds are none, negative or given
            twice.
    """

    name: str
    config: RunConfig
    seeds: tuple[int, ...]
    dataset: str = ""

    def __post_init__(self) -> None:
        check_name("arm", self.name)
        if self.dataset:
            check_name("dataset", self.dataset)
        if not self.seeds:
            raise ConfigError(f"arm {self.name!r} has no seeds; give at least one")
        if twice := _twice(self.seeds):
            raise ConfigError(f"arm {self.name!r} has seed {twice[0]} twice; give it once")
        if min(self.seeds) < 0:
            raise ConfigError(
                f"arm {self.name!r} has seed {min(self.seeds)}; expected integers from 0 on"
            )

    @property
    def path(self) -> str:
        """Folder of its runs within that of the study, and how messages call it."""
        return path_of(self.dataset, self.name)

    def settings(self) -> Json:
        """Its settings, those of one run or one machine left out."""
        settings = self.config.to_json()
        return {key: value for key, value in settings.items() if key not in OUTSIDE}


@dataclass(frozen=True)
class Protocol:
    """Arms, and what they are compared with.

    Attributes:
        arms: At least one; all of one dataset, or each on a dataset that the study names, with one
            arm of a name on each of them.
        against: Arms with which every other one is compared seed by seed.
        claims: What is to be shown of them on every dataset; None for nothing.

    Raises:
        ConfigError: There is no arm, two are one, some are on no dataset, ``against`` names an arm
            that there is not, or ``claims`` one that a dataset does not have.
    """

    arms: tuple[Arm, ...]
    against: tuple[str, ...] = ()
    claims: Claims | None = None

    def __post_init__(self) -> None:
        if not self.arms:
            raise ConfigError("there are no arms; name at least one")
        if twice := _twice([arm.path for arm in self.arms]):
            raise ConfigError(f"arm {twice[0]!r} stands there twice; name it once")
        on = self.by_dataset()
        if "" in on and len(on) > 1:
            raise ConfigError(f"arm {on[''][0].name!r} is on none of the datasets; give it one")
        names = [*dict.fromkeys(arm.name for arm in self.arms)]
        if unknown := [name for name in self.against if name not in names]:
            raise ConfigError(
                f"against names {unknown[0]!r}, which is no arm here; the arms: {', '.join(names)}"
            )
        if twice := _twice(self.against):
            raise ConfigError(f"against names {twice[0]!r} twice; name it once")
        if self.claims is not None:
            for dataset, arms in on.items():
                where = f"on dataset {dataset!r}" if dataset else "here"
                self.claims.check([arm.name for arm in arms], where)

    @property
    def datasets(self) -> tuple[str, ...]:
        """What the study calls its datasets, in order; none where it names none."""
        return tuple(name for name in self.by_dataset() if name)

    def by_dataset(self) -> dict[str, list[Arm]]:
        """Arms by what the study calls their dataset."""
        found: dict[str, list[Arm]] = {}
        for arm in self.arms:
            found.setdefault(arm.dataset, []).append(arm)
        return found

    def runs(self) -> Iterator[tuple[Arm, int]]:
        """Arm and seed of every run, seed by seed, so that an early look compares all arms."""
        seeds = dict.fromkeys(itertools.chain.from_iterable(arm.seeds for arm in self.arms))
        return ((arm, seed) for seed in seeds for arm in self.arms if seed in arm.seeds)

    def to_json(self) -> Json:
        """As one JSON object, every setting resolved."""
        on = {
            dataset: {
                arm.name: {"seeds": list(arm.seeds), "settings": arm.settings()} for arm in arms
            }
            for dataset, arms in self.by_dataset().items()
        }
        return {
            **({"arms": on[""]} if "" in on else {"datasets": on}),
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
        on = content["datasets"] if "datasets" in content else {"": content["arms"]}
        arms = (
            Arm(name, RunConfig.from_json(arm["settings"]), tuple(arm["seeds"]), dataset)
            for dataset, by_name in on.items()
            for name, arm in by_name.items()
        )
        claims = content.get("claims")
        return cls(
            tuple(arms),
            tuple(content["against"]),
            None if claims is None else Claims.from_json(claims),
        )

    def lost_from(self, before: Protocol) -> list[str]:
        """What of an earlier protocol this one changes or lacks; there may be further arms,
        datasets and seeds, and more rounds. Claims are made once, before results are known.
        """
        arms = {arm.path: arm for arm in self.arms}
        lost = []
        if before.claims not in (None, self.claims):
            lost.append("claims are others than the study was begun with")
        for old in before.arms:
            new = arms.get(old.path)
            if new is None:
                lost.append(f"arm {old.path!r} is missing now")
                continue
            after = new.settings()
            lost += [
                f"{key} of arm {old.path!r} was {value!r}, now {after[key]!r}"
                for key, value in old.settings().items()
                if value != after[key] and not (key == "rounds" and value < after[key])
            ]
            lost += [
                f"seed {seed} of arm {old.path!r} is missing now"
                for seed in old.seeds
                if seed not in new.seeds
            ]
        return lost


def _twice(given: Sequence[object]) -> list[object]:
    return [item for item, count in Counter(given).items() if count > 1]
