from __future__ import annotations

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.study import names
from bgadl_tf.study.protocol import Arm, Protocol


def test_names_and_options_that_exist() -> None:
    names.check(
        Protocol(
            (
                Arm("a", RunConfig(method="bgadl", options=("vaeacgan.width=0.5",)), (0,)),
                Arm("b", RunConfig(learner="plain", acquisition="margin"), (0,)),
            )
        )
    )


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (RunConfig(learner="plane", acquisition="bald"), "arms.a: unknown learner 'plane'"),
        (RunConfig(learner="plain", acquisition="bold"), "arms.a: unknown acquisition 'bold'"),
        (RunConfig(method="bgadl", classifier="lenett"), "arms.a: unknown classifier 'lenett'"),
        (RunConfig(method="bgadl", options=("widht=1",)), "options 'widht' is not a setting of"),
        (RunConfig(method="bgadl", options=("acgam.width=1",)), "is called 'acgam'"),
        (RunConfig(method="bgadl", options=("width=x",)), "options width is 'x'; expected a float"),
    ],
)  # fmt: skip
def test_names_and_options_that_do_not(config: RunConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        names.check(Protocol((Arm("a", config, (0,)),)))


def test_in_a_process_apart_the_error_is_the_same() -> None:
    config = RunConfig(learner="plane", acquisition="bald")
    with pytest.raises(ConfigError, match=r"arms\.a: unknown learner 'plane'"):
        names.check_apart(Protocol((Arm("a", config, (0,)),)))
