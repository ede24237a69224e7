"""A run in MLflow (extra ``mlflow``): its settings, and the numbers of every round.

The run folder knows everything; what MLflow lacks of it is added. So a run that was stopped, or is
tracked from its middle on, is one run of MLflow with each of its rounds once.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bgadl_tf.core import durable
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.round import Round
from bgadl_tf.runs import records

logger = logging.getLogger(__name__)

_NAME = "mlflow.json"
"""In the run folder: the id of its run in each tracking store."""

_LONGEST = 500
"""Characters of a value that every store takes."""


class MLflowTracking(Callback):
    """Told of every round, adds it to a tracking store. A store that fails later stops no run.

    Args:
        folder: The run folder.
        uri: Of the tracking store, as MLflow takes it: a server or a database.
        experiment: Name of the experiment, made if there is none.

    Raises:
        ConfigError: MLflow is not installed, or the store cannot be used.
    """

    def __init__(self, folder: Path | str, uri: str, experiment: str = "bgadl_tf") -> None:
        try:
            from mlflow import MlflowClient
        except ImportError:
            raise ConfigError(
                f"--mlflow is {uri!r}, but MLflow is not installed; pip install 'bgadl_tf[mlflow]'"
            ) from None
        self.folder, self.uri = Path(folder), uri
        try:
            self._client: Any = MlflowClient(tracking_uri=uri)
            found = self._client.get_experiment_by_name(experiment)
            self._experiment = (
                found.experiment_id if found else self._client.create_experiment(experiment)
            )
        except Exception as error:  # Stores raise errors of their own libraries.
            raise ConfigError(
                f"--mlflow is {uri!r}, which cannot be used: {_first_line(error)}; give a tracking "
                "server's address, or a database, e.g. sqlite:///mlflow.db"
            ) from None

    def on_round(self, record: Round) -> None:
        self.catch_up()

    def catch_up(self) -> None:
        """Add what the store lacks of the run folder; where it fails, a warning says so."""
        try:
            self._catch_up()
        except Exception as error:
            logger.warning("cannot track %s in MLflow: %s", self.folder, _first_line(error))

    def _catch_up(self) -> None:
        from mlflow.entities import Metric, Param

        config = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        run = self._run_id()
        known = self._client.get_run(run).data.params
        params = [
            Param(name, str(value)[:_LONGEST])
            for name, value in _flat(config) if name not in known
        ]  # fmt: skip
        self._client.log_batch(run, params=params)
        logged = {point.value for point in self._client.get_metric_history(run, "round")}
        now, rounds = int(1000 * time.time()), self._rounds()
        for record in rounds:
            if record["round"] not in logged:
                numbers = [
                    Metric(name, value, now, int(record["labelled"]))
                    for name, value in _numbers(record).items()
                ]
                self._client.log_batch(run, metrics=numbers)
        over = len(rounds) > config["rounds"]
        if over:
            self._client.set_terminated(run)
        else:
            self._client.update_run(run, status="RUNNING")

    def _rounds(self) -> tuple[Json, ...]:
        return durable.read_json_lines(self.folder / "rounds.jsonl", mend=False).records

    def _run_id(self) -> str:
        path = self.folder / _NAME
        ids = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if self.uri not in ids:
            name = str(Path(*self.folder.absolute().parts[-2:]))
            ids[self.uri] = self._client.create_run(self._experiment, run_name=name).info.run_id
            durable.atomic_write_text(path, json.dumps(ids) + "\n")
        return str(ids[self.uri])


def _flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, object]]:
    """Settings by dotted names; what was not set is left out."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif value is not None:
            yield f"{before}{name}", value


def _numbers(record: Json) -> dict[str, float]:
    """Everything measured in a round, under the name of its column or fact."""
    seconds = record.get("seconds", {})
    given = {
        **{name: record.get(name) for name in ("round", "labelled", "test_accuracy", "test_nll")},
        **{f"seconds_{name}": value for name, value in seconds.items()},
        **{name: records.fact(record, name) for name in records.fact_names([record])},
    }
    return {name: float(value) for name, value in given.items() if value is not None}


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
