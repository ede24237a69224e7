"""``--option``: whose setting it is."""

from __future__ import annotations

import pytest

from bgadl_tf.acquisition import acquisition as acquisitions
from bgadl_tf.core.errors import ConfigError, UnknownNameError
from bgadl_tf.runs.options import Options


def test_short_and_long_names() -> None:
    options = Options(("learning_rate=0.5", "power.beta=2"), "plain", "power:bald")
    assert options.of_learner() == {"learning_rate": 0.5}
    acquisition = acquisitions.create("power:bald", options.of_acquisition)
    assert options.describe(acquisition) == {"power": {"beta": 2.0}}


def test_a_learner_and_an_acquisition_of_one_name() -> None:
    options = Options(("tod.ema=0.5", "learning_rate=0.5"), "tod", "tod")
    assert options.of_learner() == {"ema": 0.5, "learning_rate": 0.5}
    assert options.describe(acquisitions.create("tod", options.of_acquisition)) == {}
    with pytest.raises(ConfigError, match=r"'x' is not a setting of 'tod'; known: .*ema"):
        Options(("tod.x=1",), "tod", "tod").of_learner()


def test_options_of_what_is_not_used_are_left_out() -> None:
    options = Options(("vaeacgan.width=0.5", "coreset.metric=cosine"), "plain", "random")
    assert options.of_learner() == {}
    with pytest.raises(UnknownNameError, match="unknown acquisition 'nobody'"):
        Options(("nobody.width=0.5",), "plain", "random")
