"""``bgadl labelstudio``: its flags, and what it prints. The rest is imported to run."""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json
from bgadl_tf.labelling.labelstudio import tokens

if TYPE_CHECKING:
    from bgadl_tf.labelling.labelstudio.api import LabelStudio
    from bgadl_tf.labelling.labelstudio.telling import Pulled
    from bgadl_tf.runs.open_run import OpenRun

logger = logging.getLogger(__name__)

DESCRIPTION = """Label in Label Studio: push sends what a run asks, pull takes the answers back,
trains, and asks again."""

PUSH = """Make tasks of what the run asks, the most informative first. Nothing is sent twice and
nothing is deleted: a push that was stopped, kill -9 included, is mended by the next one."""

PULL = """Take answers, skips and corrections; as soon as no label is missing, train and ask
again, as 'bgadl train' does."""

WAITING = 3
"""Exit status: labels are missing."""

PROBLEMS_SHOWN = 20


def add_labelstudio_flags(parser: argparse.ArgumentParser) -> None:
    """``push`` and ``pull``, and their flags."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="push|pull")
    push = actions.add_parser(
        "push",
        help="send what a run asks",
        description=PUSH,
        epilog="Exit status: 0 all that is asked is there, 2 bad input or Label Studio refuses.",
    )
    pull = actions.add_parser(
        "pull",
        help="take the answers, train, ask again",
        description=PULL,
        epilog=f"Exit status: 0 finished (with --no-fit: no label is missing), {WAITING} labels "
        "are missing: push, label, pull again; 2 bad input or Label Studio refuses.",
    )
    for each in (push, pull):
        each.add_argument("run", type=Path, metavar="RUN", help="the run folder")
        each.add_argument("--url", metavar="URL", help="of Label Studio, http://HOST:8080")
        project = "its number, or its title"
        if each is push:
            project += "; makes one where there is none of that title; 'new': call it after the run"
        each.add_argument("--project", metavar="ID", help=project)
        token = f"a file that holds the token (default: environment variable {tokens.VARIABLE})"
        each.add_argument("--token-file", type=Path, metavar="FILE", help=token)
    root = (
        "LOCAL_FILES_DOCUMENT_ROOT of Label Studio, which then serves the images of the run's "
        "folder from there (default: images are uploaded)"
    )
    push.add_argument("--document-root", type=Path, metavar="FOLDER", help=root)
    file = "instead of a server: an export of Label Studio as JSON, JSON_MIN or CSV"
    pull.add_argument("--file", type=Path, metavar="FILE", help=file)
    no_fit = "take the answers and do not train"
    pull.add_argument("--no-fit", dest="fit", action="store_false", help=no_fit)
    no_export = "end a run without an export for serving"
    pull.add_argument("--no-export", dest="export", action="store_false", help=no_export)


def run(
    *,
    action: str,
    run: Path,
    url: str | None,
    project: str | None,
    token_file: Path | None,
    document_root: Path | None = None,
    file: Path | None = None,
    fit: bool = True,
    export: bool = True,
) -> int:
    """Push or pull, and say what was done. Arguments are the flags.

    Returns:
        Exit status.

    Raises:
        BgadlError: It cannot be done.
    """
    if file is not None:
        if url is not None or project is not None:
            raise ConfigError("give either --file, or --url and --project")
        if not file.is_file():
            raise ConfigError(f"--file is {file}: there is no such file")
        return _pull(run, None, None, file, fit, export)
    if url is None or project is None:
        lacking = " and ".join(
            name for name, value in (("--url", url), ("--project", project)) if value is None
        )
        raise ConfigError(f"{lacking} is missing; give http://HOST:8080 and the project's number")
    studio, described = _connected(run, url, project, tokens.find(token_file))
    try:
        if action == "push":
            return _push(run, studio, project, described, document_root)
        if described is None:
            raise ConfigError(
                f"{studio.url} has no project called {project!r}; 'bgadl labelstudio push' makes it"
            )
        return _pull(run, studio, described, None, fit, export)
    finally:
        studio.close()


def _connected(run: Path, url: str, project: str, token: str) -> tuple[LabelStudio, Json | None]:
    """Label Studio, and the project if it is there; before anything is done."""
    try:
        from bgadl_tf.labelling.labelstudio import project as projects
        from bgadl_tf.labelling.labelstudio.api import LabelStudio
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"Label Studio is asked by the module {error.name}, which is not installed: "
            "pip install 'bgadl_tf[serve]'"
        ) from error
    projects.title_of(project, _called(run))
    studio = LabelStudio(url, token)
    return studio, projects.found(studio, project, _called(run))


def _called(run: Path) -> str:
    """The name of a run for its project: tasks of another run in a folder of the same name may
    have the same ids.
    """
    path = run.resolve()
    return f"{path.name[:30]} {hashlib.sha256(os.fsencode(path)).hexdigest()[:6]}"


def _started() -> None:
    from bgadl_tf.core import backend

    backend.check()
    import tensorflow as tf

    # A run is to be the same bit for bit, whichever command trains it.
    tf.config.experimental.enable_op_determinism()


def _push(
    run: Path,
    studio: LabelStudio,
    asked_for: str,
    described: Json | None,
    document_root: Path | None,
) -> int:
    _started()
    from bgadl_tf.labelling.labelstudio import images, project, tasks
    from bgadl_tf.labelling.labelstudio.asked import asked
    from bgadl_tf.labelling.originals import Originals
    from bgadl_tf.labelling.taken_up import taken_up

    with taken_up(run) as opened:
        originals, classes = Originals(opened), opened.loop.dataset.class_names
        if opened.loop.finished:
            print("bgadl: the run is finished and asks nothing; more --rounds make it go on")
            return 0
        with opened.progress:  # a learner may train on the pool before it asks
            query = asked(opened.loop)
        if not query.ids:
            print("bgadl: no label is missing; 'bgadl labelstudio pull' trains and asks again")
            return 0
        if described is None:
            title = project.title_of(asked_for, _called(run))
            there = project.made(studio, title or asked_for, classes)
        else:
            there = project.fitted(studio, described, classes)
        shown: images.Images = images.Uploaded(originals)
        if document_root is not None:
            shown = images.local_files(studio, there.id, originals, document_root)
        pushed = tasks.push(studio, there, query, shown)
    page = f"{studio.url}/projects/{there.id}"
    print(
        f"project {there.id} asks what round {opened.loop.round} asks: {pushed.asked} images, "
        f"{pushed.created} of them new there; label them at {page}, then: bgadl labelstudio pull "
        f"{shlex.quote(str(run))} --url {studio.url} --project {there.id}"
    )
    if pushed.annotated:
        print(
            f"{pushed.annotated} of them have an annotation there already: pull takes or names it"
        )
    return 0


def _pull(
    run: Path,
    studio: LabelStudio | None,
    described: Json | None,
    file: Path | None,
    fit: bool,
    export: bool,
) -> int:
    _started()
    from bgadl_tf.labelling.labelstudio import telling
    from bgadl_tf.labelling.taken_up import taken_up

    with taken_up(run) as opened:
        where = ""
        if file is not None:
            _say(telling.tell_file(opened.loop, file))
        else:
            from bgadl_tf.labelling.labelstudio import project, pull

            assert studio is not None
            assert described is not None
            there = project.opened(studio, described)
            where = f" --url {studio.url} --project {there.id}"
            _say(pull.pull(opened.loop, studio, there))
        telling.go_on(opened, fit)
        return _status(run, opened, export, where)


def _status(run: Path, opened: OpenRun, export: bool, where: str) -> int:
    """Say how far the run is; the exit status."""
    from bgadl_tf.data.intake import counted
    from bgadl_tf.runs import export_command, to_label

    loop, name = opened.loop, shlex.quote(str(run))
    if loop.finished:
        exported = opened.export() if export else None
        print(f"finished: {loop.pool.labelled_count} labels; everything is in {run}")
        if exported is not None:
            print(export_command.summary(exported))
        return 0
    missing = len(loop.ask().ids)
    if not missing:
        print("bgadl: no label is missing; the same command without --no-fit trains")
        return 0
    to_label.ask(loop, run)
    print(
        f"bgadl: round {loop.round} lacks {counted(missing, 'label')}: 'bgadl labelstudio push "
        f"{name}{where}' sends what is not there yet; label, then pull again"
    )
    return WAITING


def _say(pulled: Pulled) -> None:
    from bgadl_tf.data.intake import counted

    for line in pulled.problems[:PROBLEMS_SHOWN]:
        logger.warning("%s; left out", line)
    if len(pulled.problems) > PROBLEMS_SHOWN:
        logger.warning("%d more are left out", len(pulled.problems) - PROBLEMS_SHOWN)
    if pulled.kept:
        logger.warning(
            "%d annotations were deleted whose labels have been trained on and stay, such as of "
            "%r; annotate anew to change one",
            len(pulled.kept), pulled.kept[0],
        )  # fmt: skip
    told = f"new: {counted(pulled.labelled, 'label')}, {counted(pulled.declined, 'skip')}"
    if pulled.corrected:
        told += f", {counted(pulled.corrected, 'correction')} among them"
    if pulled.withdrawn:
        told += f"; deleted, so asked for again: {counted(len(pulled.withdrawn), 'answer')}"
    print(told)
