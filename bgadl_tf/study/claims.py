"""What a study is to show, fixed in its file before it is run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Self

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json

Pair = tuple[str, str]
"""An arm, and the arm that it is compared with."""

MARGIN = 0.5
"""Points of accuracy that nobody would miss."""


@dataclass(frozen=True)
class Claims:
    """Comparisons of arms by their AUBC, paired on seeds.

    Attributes:
        recommended: The arm that users are told to take; None for none.
        never_harms: Pairs of which the first is not to be lower by ``margin`` or more.
        margin: In points of accuracy, above 0.
        wins: Pairs of which the first is to be higher. Those of all studies that are looked at
            together are one family.
        after: Runs of the study that had a finished round when the claims were made; 0 where they
            were settled before.

    Raises:
        ConfigError: A pair compares an arm with itself or stands there twice, the margin is not
            above 0, or nothing is claimed.
    """

    recommended: str | None = None
    never_harms: tuple[Pair, ...] = ()
    margin: float = MARGIN
    wins: tuple[Pair, ...] = ()
    after: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if not (self.never_harms or self.wins):
            raise ConfigError("claims has no pairs; give some under never_harms or wins")
        if not 0.0 < self.margin < 100.0:
            raise ConfigError(
                f"claims.never_harms.margin is {self.margin}; expected points above 0, e.g. 0.5"
            )
        for key, pairs in (("never_harms", self.never_harms), ("wins", self.wins)):
            for pair, count in Counter(pairs).items():
                if pair[0] == pair[1]:
                    raise ConfigError(f"claims.{key} compares {pair[0]!r} with itself")
                if count > 1:
                    raise ConfigError(f"claims.{key} has {list(pair)} twice; name it once")

    @property
    def arms(self) -> tuple[str, ...]:
        """Every arm that a pair names, once."""
        pairs = (*self.never_harms, *self.wins)
        return tuple(dict.fromkeys(name for pair in pairs for name in pair))

    def check(self, arms: Collection[str], where: str = "here") -> None:
        """See that all arms exist.

        Args:
            arms: Those that there are.
            where: Of what they are the arms, for the message.

        Raises:
            ConfigError: One does not.
        """
        for name in (*self.arms, *([] if self.recommended is None else [self.recommended])):
            if name not in arms:
                raise ConfigError(
                    f"claims names {name!r}, which is no arm {where}; the arms: {', '.join(arms)}"
                )

    @property
    def made_late(self) -> str | None:
        """That results could be known when the claims were made; None where none could."""
        if not self.after:
            return None
        runs = "1 run" if self.after == 1 else f"{self.after} runs"
        return (
            f"these claims were added after {runs} had finished rounds: they were not settled "
            "before results could be known"
        )

    def to_json(self) -> Json:
        """As the study file has it, and whether it was made late."""
        return {
            "recommended": self.recommended,
            "never_harms": {"margin": self.margin, "pairs": [list(p) for p in self.never_harms]},
            "wins": {"pairs": [list(pair) for pair in self.wins]},
            **({"after": self.after} if self.after else {}),
        }

    @classmethod
    def from_json(cls, content: Json) -> Self:
        """The inverse of ``to_json``.

        Raises:
            ConfigError: It claims what cannot be.
            KeyError, TypeError, ValueError: It is not such an object.
        """
        harms = content["never_harms"]
        return cls(
            content["recommended"],
            tuple((ours, theirs) for ours, theirs in harms["pairs"]),
            float(harms["margin"]),
            tuple((ours, theirs) for ours, theirs in content["wins"]["pairs"]),
            int(content.get("after", 0)),
        )
