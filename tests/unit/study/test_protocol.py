from __future__ import annotations

import json

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.study.claims import Claims
from bgadl_tf.study.protocol import Arm, Protocol
from tests.support.study.protocols import on_datasets, protocol

CONFIG = RunConfig(method="bgadl")


def test_runs_go_seed_by_seed() -> None:
    arms = (Arm("a", CONFIG, (0, 1, 5)), Arm("b", CONFIG, (1, 0)))
    made = [(arm.name, seed) for arm, seed in Protocol(arms).runs()]
    assert made == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 5)]


def test_runs_go_seed_by_seed_over_all_datasets() -> None:
    on = (Arm("a", CONFIG, (0, 1), "x"), Arm("b", CONFIG, (0, 1), "x"), Arm("a", CONFIG, (1,), "y"))
    made = [(arm.path, seed) for arm, seed in Protocol(on).runs()]
    assert made == [("x/a", 0), ("x/b", 0), ("x/a", 1), ("x/b", 1), ("y/a", 1)]


def test_json_and_back() -> None:
    arms = (
        Arm("a", RunConfig(method="bda", options=("x=1",), steps=3), (0, 1)),
        Arm("b", CONFIG, (2,)),
    )
    one = Protocol(arms, ("b",), Claims(wins=(("a", "b"),)))
    content = json.loads(json.dumps(one.to_json()))
    assert Protocol.from_json(content) == one
    assert not {"seed", "data_dir"} & content["arms"]["a"]["settings"].keys()


def test_datasets_as_json_and_back() -> None:
    claims = Claims(wins=(("bgadl", "bald"),))
    spaces = {"small": {"image_size": 8}, "large": {"image_size": 14}}
    one = on_datasets(protocol("bgadl", "bald"), spaces, claims=claims)
    content = json.loads(json.dumps(one.to_json()))
    assert content["datasets"].keys() == spaces.keys()
    assert "arms" not in content
    assert Protocol.from_json(content) == one
    assert one.datasets == ("small", "large")
    assert protocol("bgadl").datasets == ()


def test_datasets_may_be_added_and_none_may_be_changed() -> None:
    one, spaces = protocol("bgadl"), {"small": {"image_size": 8}, "large": {"image_size": 14}}
    both, before = on_datasets(one, spaces), on_datasets(one, {"small": {"image_size": 8}})
    assert both.lost_from(before) == []
    assert before.lost_from(both) == ["arm 'large/bgadl' is missing now"]
    assert on_datasets(one, {"small": {"image_size": 9}}).lost_from(before) == [
        "image_size of arm 'small/bgadl' was 8, now 9"
    ]
    assert before.lost_from(one) == ["arm 'bgadl' is missing now"]


def test_what_an_earlier_protocol_has_must_stay_and_more_may_come() -> None:
    before = protocol("bgadl", "random", seeds=(0, 1))
    assert protocol("random", "bald", "bgadl", seeds=(2, 1, 0)).lost_from(before) == []
    assert protocol("bgadl", seeds=(0, 1)).lost_from(before) == ["arm 'random' is missing now"]
    assert protocol("bgadl", "random").lost_from(before) == [
        "seed 1 of arm 'bgadl' is missing now",
        "seed 1 of arm 'random' is missing now",
    ]
    changed = protocol("bgadl", "random", seeds=(0, 1), steps=7)
    assert changed.lost_from(before)[0] == "steps of arm 'bgadl' was 300, now 7"


def test_a_setting_that_an_earlier_version_did_not_know_has_its_default() -> None:
    content = protocol("bgadl").to_json()
    del content["claims"]
    del content["arms"]["bgadl"]["settings"]["warm_start"]
    before = Protocol.from_json(content)
    assert protocol("bgadl").lost_from(before) == []
    assert len(protocol("bgadl", warm_start=True).lost_from(before)) == 1


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "-a", "a b"])
def test_an_arm_names_a_folder(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot name a folder"):
        Arm(name, CONFIG, (0,))


@pytest.mark.parametrize(
    ("seeds", "message"), [((), "no seeds"), ((1, 1), "seed 1 twice"), ((2, -1), "seed -1")]
)
def test_seeds_are_checked(seeds: tuple[int, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Arm("a", CONFIG, seeds)


def test_arms_and_baselines_are_checked() -> None:
    arm = Arm("a", CONFIG, (0,))
    for arms, against, message in (
        ((), (), "no arms"),
        ((arm, arm), (), "'a' stands there twice"),
        ((arm,), ("b",), "'b', which is no arm here; the arms: a"),
        ((arm,), ("a", "a"), "'a' twice"),
        ((Arm("a", CONFIG, (0,), "x"),) * 2, (), "'x/a' stands there twice"),
        ((arm, Arm("a", CONFIG, (0,), "x")), (), "'a' is on none of the datasets"),
    ):
        with pytest.raises(ConfigError, match=message):
            Protocol(arms, against)
