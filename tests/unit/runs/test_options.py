"""Settings of learners and acquisitions from ``--option``."""

from __future__ import annotations

import dataclasses

import pytest

from bgadl_tf.acquisition.acquisition import create
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs import options
from bgadl_tf.runs.options import Options


@dataclasses.dataclass(frozen=True)
class Owner:
    weight: float = 1.0
    steps: int | None = None
    sharp: bool = False
    name: str = "a"


def test_options_are_typed_by_their_owner() -> None:
    given = ["weight=0.5", "steps=3", "sharp=yes", "name=b=c"]
    expected = {"weight": 0.5, "steps": 3, "sharp": True, "name": "b=c"}
    assert options.parse(Owner, given, "x") == expected


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("height=1", "'height' is not a setting of 'x' .did you mean 'weight'"),
        ("steps=1.5", "--option steps is '1.5'; expected a int"),
        ("sharp=perhaps", "expected a bool"),
    ],
)
def test_wrong_options_are_refused(option: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        options.parse(Owner, [option], "x")


def test_learner_and_acquisition_have_options_each() -> None:
    given = Options(("kl_weight=2", "beta=3", "acgan.width=9"), "vaeacgan", "power:bald")
    assert given.of_learner() == {"kl_weight": 2.0}
    acquisition = create("power:bald", given.of_acquisition)
    assert acquisition.beta == 3.0  # type: ignore[attr-defined]
    assert given.describe(acquisition) == {"power": {"beta": 3.0}}


def test_the_long_form_is_for_one_owner() -> None:
    given = Options(
        ("power.beta=2", "vaeacgan.width=0.5", "acgan.width=3"), "acgan", "power:predictive_entropy"
    )
    assert given.of_learner() == {"width": 3.0}
    assert given.of_acquisition("power", type(create("power:predictive_entropy"))) == {"beta": 2.0}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("height=1", "'height' is not a setting of this run; known of plain: optimizer, learn"),
        ("nobody.height=1", "no learner or acquisition is called 'nobody'"),
        ("power.height=1", "'height' is not a setting of 'power'; known: beta"),
    ],
)
def test_unknown_options_are_refused(option: str, message: str) -> None:
    def both() -> None:
        create("power:bald", Options((option,), "plain", "power:bald").of_acquisition)

    with pytest.raises(ConfigError, match=message):
        both()


def test_a_learner_and_an_acquisition_of_one_name() -> None:
    given = Options(("tod.ema=0.5", "learning_rate=0.5"), "tod", "tod")
    assert given.of_learner() == {"ema": 0.5, "learning_rate": 0.5}
    assert given.describe(create("tod", given.of_acquisition)) == {}
    with pytest.raises(ConfigError, match=r"'x' is not a setting of 'tod'; known: .*ema"):
        Options(("tod.x=1",), "tod", "tod").of_learner()
