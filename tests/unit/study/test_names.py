from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.study import names
from bgadl_tf.study.protocol import Arm, Protocol
from bgadl_tf.study.tasks import tasks_of
from tests.support.study.protocols import on_datasets, protocol


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
        (RunConfig(method="bgadl", part="3/2"), "arms.a: part "),
        (RunConfig(method="bgadl", classes="5"), "arms.a: classes is '5'; expected two or more"),
        (RunConfig(method="bgadl", imbalance_ratio=5.0), "arms.a: imbalance_ratio is 5, but imb"),
        (RunConfig(method="bgadl", repeated=1.5), "arms.a: repeated is 1.5; expected how often"),
        (
            RunConfig(method="bgadl", label_noise="uniform", label_noise_rate=1.0),
            "arms.a: label_noise_rate is 1; expected the share",
        ),
    ],
)  # fmt: skip
def test_names_and_options_that_do_not(config: RunConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        names.check(Protocol((Arm("a", config, (0,)),)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dataset": "embeddings:gone"}, "dataset is 'embeddings:gone': gone does not exist; exp"),
        ({"dataset": "folder:gone"}, "dataset is 'folder:gone': folder gone does not exist"),
        ({"dataset": "embedings:gone"}, "dataset is 'embedings:gone': unknown kind of dataset"),
        ({"test_dataset": "arrays:gone"}, "test_dataset is 'arrays:gone': gone does not exist"),
        ({"labels": "gone.csv"}, "labels is 'gone.csv': there is no file gone.csv; give one"),
        ({"classifier": "model:gone.keras:pool"}, "classifier is .*: there is no file gone.keras;"),
        ({"backbone": "model:gone.keras"}, "backbone is .*: there is no file gone.keras; give"),
    ],
)
def test_datasets_that_are_not_there(
    tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    planned = on_datasets(protocol("bgadl"), {"here": {}, "there": settings})
    made = tasks_of(planned, tmp_path)
    names.check(planned, made[:1])
    with pytest.raises(ConfigError, match=rf"arms\.bgadl on datasets\.there: {message}"):
        names.check(planned, made)


def test_in_a_process_apart_the_error_is_the_same() -> None:
    config = RunConfig(learner="plane", acquisition="bald")
    with pytest.raises(ConfigError, match=r"arms\.a: unknown learner 'plane'"):
        names.check_apart(Protocol((Arm("a", config, (0,)),)))
