"""A project of Label Studio: found or made, and checked against the classes of a run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from bgadl_tf.core.errors import ConfigError, DataError, RejectedError
from bgadl_tf.core.types import Json
from bgadl_tf.labelling.labelstudio.api import LabelStudio
from bgadl_tf.labelling.labelstudio.label_config import LabelConfig, made_for

logger = logging.getLogger(__name__)

SAMPLING = "Uncertainty sampling"
"""What makes Label Studio ask by the scores of predictions, the lowest first."""

NEW = "new"
SHORTEST_TITLE, LONGEST_TITLE = 3, 50


class Project(NamedTuple):
    """A project.

    Fields:
        id: Its number.
        title: Its name.
        config: Of its labelling page.
        model_version: Whose predictions say the order.
    """

    id: int
    title: str
    config: LabelConfig
    model_version: str


def title_of(asked: str, run_name: str) -> str | None:
    """The title of the project that is meant; None where its number is given.

    Args:
        asked: A number, a title or ``new``.
        run_name: Of the run, after which a new one is called.

    Raises:
        ConfigError: Label Studio would not take it as a title.
    """
    if asked.isdecimal():
        return None
    title = f"bgadl {run_name}" if asked == NEW else asked.strip()
    if not SHORTEST_TITLE <= len(title) <= LONGEST_TITLE:
        raise ConfigError(
            f"--project is {asked!r}; expected the number of a project, a title of "
            f"{SHORTEST_TITLE} to {LONGEST_TITLE} characters, or {NEW!r}"
        )
    return title


def found(studio: LabelStudio, asked: str, run_name: str) -> Json | None:
    """What Label Studio says of a project; None where there is none of this title.

    Args:
        studio: Where.
        asked: A number, a title or ``new``: a killed command that made one finds it again.
        run_name: Of the run.

    Raises:
        ConfigError: There is no such number, or the title is none or that of several.
        ServerError: It does not answer, or says no.
    """
    title = title_of(asked, run_name)
    if title is None:
        try:
            project: Json = studio.get(f"/api/projects/{asked}/")
        except RejectedError as error:
            raise ConfigError(
                f"{studio.url} has no project {asked}, or none for the owner of the token; its "
                f"number is in the address of its page: {studio.url}/projects/NUMBER; or let "
                f"--project {NEW} make one"
            ) from error
        return project
    same = [one for one in studio.pages("/api/projects/") if one["title"] == title]
    if len(same) > 1:
        numbers = ", ".join(str(one["id"]) for one in same)
        raise ConfigError(
            f"{studio.url} has {len(same)} projects called {title!r}: {numbers}; give the number "
            "of one of them to --project"
        )
    return same[0] if same else None


def opened(studio: LabelStudio, described: Json) -> Project:
    """A project that is there.

    Raises:
        DataError: Its label config is not about one class of an image.
    """
    try:
        config = LabelConfig.of(described.get("label_config") or "<View/>")
    except DataError as error:
        raise DataError(f"project {_name(studio, described)}: {error}") from error
    version = described.get("model_version") or ""
    return Project(described["id"], described["title"], config, version)


def made(studio: LabelStudio, title: str, classes: Sequence[str]) -> Project:
    """A new project for these classes.

    Raises:
        ServerError: It could not be made.
    """
    described = studio.send(
        "POST",
        "/api/projects/",
        {
            "title": title,
            "label_config": made_for(classes).text,
            "sampling": SAMPLING,
            "maximum_annotations": 1,
            # A guess on the page would sway whoever labels.
            "show_collab_predictions": False,
        },
    )
    logger.info("made project %s", _name(studio, described))
    return opened(studio, described)


def fitted(studio: LabelStudio, described: Json, classes: Sequence[str]) -> Project:
    """A project that is there and offers exactly these classes, the latest of which are added.

    Raises:
        DataError: It offers others.
        ServerError: It could not be changed.
    """
    project = opened(studio, described)
    try:
        missing = project.config.missing(classes)
    except DataError as error:
        raise DataError(f"project {_name(studio, described)}: {error}") from error
    if described.get("sampling") != SAMPLING:
        logger.warning(
            "project %s asks by %r, not with the most informative image first; choose %r in its "
            "settings",
            _name(studio, described), described.get("sampling"), SAMPLING,
        )  # fmt: skip
    if not missing:
        return project
    config = project.config.with_choices(missing, classes)
    studio.send("PATCH", f"/api/projects/{project.id}/", {"label_config": config.text})
    logger.info("project %s offers %s, too", _name(studio, described), ", ".join(missing))
    return project._replace(config=config)


def _name(studio: LabelStudio, described: Json) -> str:
    return f"{described['id']} ({described['title']!r}, {studio.url}/projects/{described['id']})"
