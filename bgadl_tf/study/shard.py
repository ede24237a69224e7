"""Which runs of a study are made here, where several machines share it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from bgadl_tf.core.share import parse_share
from bgadl_tf.study.protocol import Arm, Protocol


@dataclass(frozen=True)
class Shard:
    """One of several shares of a study's runs; all of them together are the study.

    Args:
        number: From 1 to ``count``.
        count: Shares in all.
    """

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``I/N``.

        Raises:
            ConfigError: It is something else, or there is no such shard.
        """
        return cls(*parse_share(text, "--shard", "1/3 on the first of three machines"))

    def runs(self, protocol: Protocol) -> Iterator[tuple[Arm, int]]:
        """Arm and seed of its runs, seed by seed; every arm's runs are dealt out to all shards."""
        before = 0
        for turn, (_, group) in enumerate(
            itertools.groupby(protocol.runs(), key=lambda run: run[1])
        ):
            runs = [*group]
            for place, run in enumerate(runs):
                dealt = before + (place + turn) % len(runs)
                if dealt % self.count == self.number - 1:
                    yield run
            before += len(runs)
