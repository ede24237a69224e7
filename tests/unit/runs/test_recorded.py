"""A run's settings from its own folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf.acquisition.acquisition import ACQUISITIONS
from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.core.types import Json
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.runs.build import build
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.methods import METHODS
from bgadl_tf.runs.recorded import config_of
from bgadl_tf.runs.run_folder import FORMAT, RunFolder

SMALL = {"classifier": "lenet", "steps": 2, "batch_size": 4, "rounds": 1, "query_size": 3}
OTHERS: list[dict[str, Any]] = [
    {"method": "bgadl-semi", "options": ("vaeacgan.width=0.25", "kl_weight=0.5", "warmup=steps")},
    {"learner": "plain", "acquisition": "mixed:power:bald", "dropout": 0.2,
     "options": ("power.beta=2.0", "learning_rate=0.003")},
    {"method": "bda-full"},
    {"method": "svm-active", "classifier": "linear", "classes": "5,7", "part": "1/2"},
    {"learner": "simsiam", "acquisition": "coreset", "options": ("coreset.metric=cosine",)},
]  # fmt: skip


def _as_in_the_file(described: Json) -> Json:
    read: Json = json.loads(json.dumps(described))
    return read


@pytest.mark.parametrize(
    "settings", OTHERS, ids=lambda one: one.get("method") or one["acquisition"]
)
def test_a_run_is_built_again_from_what_it_recorded(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    begun = _as_in_the_file(build(RunConfig(**{**SMALL, **settings})).described)
    recorded = {"format": FORMAT, **begun, "fingerprint": "0"}
    (tmp_path / "config.json").write_text(json.dumps(recorded))
    again = build(config_of(recorded), RunFolder(tmp_path))
    assert _as_in_the_file(again.described) == begun


@pytest.mark.parametrize("method", METHODS.names())
def test_what_is_as_usual_is_not_given(method: str) -> None:
    found = METHODS.get(method)
    assert found.learner in LEARNERS
    recorded = {
        **RunConfig(method=method).to_json(),
        "learner": found.learner,
        "acquisition": found.acquisition,
        "options": {},
        "acquisition_options": {},
        "example_shape": [8, 8, 1],
    }
    config = config_of(recorded, data_dir="elsewhere")
    assert config == RunConfig(method=method, data_dir="elsewhere")


def test_each_part_of_a_chain_gets_its_own() -> None:
    assert {"mixed", "power"} <= {*ACQUISITIONS}
    recorded = {
        **RunConfig(learner="plain", acquisition="mixed:power:bald").to_json(),
        "options": {"learning_rate": 0.5},
        "acquisition_options": {"power": {"beta": 3.0}},
        "example_shape": [8, 8, 1],
    }
    assert config_of(recorded).options == ("plain.learning_rate=0.5", "power.beta=3.0")


def test_an_older_folder_is_told_what_to_do() -> None:
    expected = re.escape("lacks acquisition, example_shape, options; expected that of a run")
    with pytest.raises(RunFolderError, match=expected):
        config_of({"learner": "plain"})
