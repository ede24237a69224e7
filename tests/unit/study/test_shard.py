from __future__ import annotations

import collections

import pytest

from bgadl_tf.study.protocol import Protocol
from bgadl_tf.study.shard import Shard
from tests.support.study.protocols import on_datasets, protocol


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 12])
@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_every_run_is_in_one_shard_and_arms_are_dealt_out(count: int, seeds: int) -> None:
    planned = protocol("bgadl", "al-acgan", "bald", "random", seeds=tuple(range(seeds)))
    shards = [
        [(arm.name, seed) for arm, seed in Shard(number + 1, count).runs(planned)]
        for number in range(count)
    ]
    together = [run for shard in shards for run in shard]
    assert sorted(together) == sorted((arm.name, seed) for arm, seed in planned.runs())
    sizes = [len(shard) for shard in shards]
    assert max(sizes) - min(sizes) <= 1
    for shard in shards:
        # The most expensive arm is not one machine's alone.
        arms = collections.Counter(arm for arm, _ in shard)
        assert max(arms.values(), default=0) <= seeds // count + 2


def test_every_dataset_is_dealt_out() -> None:
    planned = on_datasets(protocol("bgadl", "random", seeds=(0, 1, 2)), {"a": {}, "b": {}})
    shards = [[arm.path for arm, _ in Shard(number, 2).runs(planned)] for number in (1, 2)]
    assert [len(shard) for shard in shards] == [6, 6]
    assert all({*shard} == {"a/bgadl", "a/random", "b/bgadl", "b/random"} for shard in shards)


def test_arms_with_seeds_of_their_own() -> None:
    few, many = (protocol(*names, seeds=seeds).arms for names, seeds in (
        (("bald", "random"), (3, 7)), (("bgadl",), tuple(range(10)))
    ))  # fmt: skip
    ragged = Protocol((*few, *many))
    assert {len([*Shard(number, 7).runs(ragged)]) for number in range(1, 8)} == {2}
    planned = Protocol(few)
    assert [*Shard().runs(planned)] == [*planned.runs()]
    assert Shard.parse("2/3") == Shard(2, 3)
