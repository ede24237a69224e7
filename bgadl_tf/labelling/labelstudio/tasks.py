"""Tasks and predictions of what a run asks: made once, however often they are sent."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bgadl_tf.core.errors import DataError, ServerError
from bgadl_tf.core.types import Id, Json
from bgadl_tf.labelling.labelstudio.api import LabelStudio
from bgadl_tf.labelling.labelstudio.asked import Asked
from bgadl_tf.labelling.labelstudio.exports import ID_FIELD
from bgadl_tf.labelling.labelstudio.images import Images
from bgadl_tf.labelling.labelstudio.project import Project

logger = logging.getLogger(__name__)

AT_ONCE, CHARACTERS_AT_ONCE = 100, 8_000_000
"""Tasks of one request, and characters of all their images."""

ASKED_AT_ONCE, ASKED_CHARACTERS = 50, 1500
"""Ids that are looked up by one address, and characters of them: it must not become too long."""


class Task(NamedTuple):
    """A task that is there.

    Fields:
        id: Its number.
        versions: Model versions that it has predictions of.
        annotated: Whether somebody has answered or skipped it.
    """

    id: int
    versions: frozenset[str]
    annotated: bool


@dataclass(frozen=True)
class Pushed:
    """What a push did.

    Attributes:
        created: Tasks that were made.
        predicted: Tasks that were there, and got a prediction.
        annotated: Tasks that somebody has answered already.
        asked: All that are asked.
    """

    created: int
    predicted: int
    annotated: int
    asked: int


def push(studio: LabelStudio, project: Project, asked: Asked, images: Images) -> Pushed:
    """Make Label Studio ask what a run asks, in its order.

    Every step looks first at what is there, so that a push that was killed is mended by the next
    one; nothing is deleted. The project goes over to the new predictions once all are there.

    Args:
        studio: Where.
        project: Fits the run.
        asked: By the run.
        images: What its tasks show.

    Raises:
        DataError: An image is gone or damaged by now.
        ServerError: It does not answer, or takes less than it was sent.
    """
    there = find(studio, project.id, [name for id_ in asked.ids for name in asked.names[id_]])
    known: dict[Id, Task] = {}
    for id_ in asked.ids:
        tasks = [task for name in asked.names[id_] for task in there.get(name, ())]
        if len(tasks) > 1:
            logger.warning(
                "project %d has %d tasks about %r: %s; delete all but one there",
                project.id, len(tasks), id_, ", ".join(str(task.id) for task in tasks),
            )  # fmt: skip
        if tasks:
            known[id_] = min(tasks)
    missing = [id_ for id_ in asked.ids if id_ not in known]
    predictions = _predictions(project, asked)
    new = ((id_, images.url(id_)) for id_ in missing)
    for batch in _batches(new):
        new_tasks: list[Json] = [
            {"data": {project.config.field: url, ID_FIELD: id_}, "predictions": [predictions[id_]]}
            for id_, url in batch
        ]
        _import(studio, project.id, new_tasks)
    lacking = [
        {"task": task.id, **predictions[id_]}
        for id_, task in known.items()
        if asked.model_version not in task.versions
    ]
    for start in range(0, len(lacking), AT_ONCE):
        _import_predictions(studio, project.id, lacking[start : start + AT_ONCE])
    if asked.ids and project.model_version != asked.model_version:
        body = {"model_version": asked.model_version}
        studio.send("PATCH", f"/api/projects/{project.id}/", body)
    annotated = sum(task.annotated for task in known.values())
    return Pushed(len(missing), len(lacking), annotated, len(asked.ids))


def find(studio: LabelStudio, project: int, ids: Sequence[Id]) -> dict[Id, list[Task]]:
    """Tasks of a project about these ids.

    Raises:
        DataError: An id cannot be sent.
        ServerError: It does not answer, or says no.
    """
    found: dict[Id, list[Task]] = {}
    for chunk in _chunks(ids):
        value = {
            "filter": f"filter:tasks:data.{ID_FIELD}",
            "operator": "in_list",
            "type": "List",
            "value": chunk,
        }
        query = json.dumps({"filters": {"conjunction": "or", "items": [value]}})
        for task in studio.pages("/api/tasks/", project=project, fields="all", query=query):
            id_ = task.get("data", {}).get(ID_FIELD)
            if id_ in chunk:
                found.setdefault(id_, []).append(_task(task))
    return found


def _task(described: Json) -> Task:
    versions = (one.get("model_version") for one in described.get("predictions") or ())
    counts = (described.get(f"{what}_annotations") or 0 for what in ("total", "cancelled"))
    return Task(described["id"], frozenset(v for v in versions if v), any(counts))


def _predictions(project: Project, asked: Asked) -> dict[Id, Json]:
    """A prediction for each id; its result is empty where there is no guess."""
    found: dict[Id, Json] = {}
    for id_, score in zip(asked.ids, asked.scores, strict=True):
        guess = asked.guesses.get(id_)
        result = {
            "from_name": project.config.control,
            "to_name": project.config.image,
            "type": "choices",
            "value": {"choices": [guess]},
        }
        found[id_] = {
            "model_version": asked.model_version,
            "score": score,
            "result": [] if guess is None else [result],
        }
    return found


def _import(studio: LabelStudio, project: int, tasks: Sequence[Json]) -> None:
    answer = studio.send("POST", f"/api/projects/{project}/import", tasks, return_task_ids="true")
    counts = (answer.get("task_count"), answer.get("prediction_count"))
    if counts != (len(tasks), len(tasks)):
        raise ServerError(
            f"{studio.url} made {counts[0]} tasks and {counts[1]} predictions of {len(tasks)}; "
            "give the same command again"
        )


def _import_predictions(studio: LabelStudio, project: int, predictions: Sequence[Json]) -> None:
    # Label Studio says 201, too, where it has taken none.
    answer = studio.send("POST", f"/api/projects/{project}/import/predictions", predictions)
    if answer.get("created") != len(predictions):
        raise ServerError(
            f"{studio.url} took {answer.get('created')} of {len(predictions)} predictions; give "
            "the same command again"
        )


def _batches(new: Iterable[tuple[Id, str]]) -> Iterator[list[tuple[Id, str]]]:
    """As many as a request may hold; of large images only these are in memory."""
    batch: list[tuple[Id, str]] = []
    characters = 0
    for id_, url in new:
        if batch and (len(batch) == AT_ONCE or characters + len(url) > CHARACTERS_AT_ONCE):
            yield batch
            batch, characters = [], 0
        batch.append((id_, url))
        characters += len(url)
    if batch:
        yield batch


def _chunks(ids: Sequence[Id]) -> Iterator[list[Id]]:
    chunk: list[Id] = []
    for id_ in ids:
        try:
            id_.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"{id_!r} has a name that is no Unicode, which Label Studio cannot keep; rename "
                "the file"
            ) from error
        characters = sum(map(len, chunk))
        if chunk and (len(chunk) == ASKED_AT_ONCE or characters + len(id_) > ASKED_CHARACTERS):
            yield chunk
            chunk = []
        chunk.append(id_)
    if chunk:
        yield chunk
