"""The command line: parse, call, print. Bad input is one line and exit status 2."""

from __future__ import annotations

import argparse
import io
import logging
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from bgadl_tf import __version__
from bgadl_tf.core import environment
from bgadl_tf.core.errors import BgadlError, DataError
from bgadl_tf.harvest import command as harvest_command
from bgadl_tf.labelling import command as label_command
from bgadl_tf.labelling.labelstudio import command as labelstudio_command
from bgadl_tf.runs import command_line, config_file, export_command, model_file
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.model_file import ModelFile
from bgadl_tf.serving import score_command
from bgadl_tf.study import command as study_command
from bgadl_tf.study import report_command
from bgadl_tf.study.tuning import command as tune_command

BAD_INPUT, WAITING, INTERRUPTED = 2, 3, 130

DATASET_SETTINGS = (
    "dataset", "data_dir", "image_size", "resize", "labels", "new_classes", "max_unreadable",
    "stream", "seed", "part", "classes", "test_dataset", "imbalance", "imbalance_ratio",
    "repeated", "label_noise", "label_noise_rate",
)  # fmt: skip
"""Settings of a run that say what its dataset is."""

EMBED_SETTINGS = (
    "dataset", "data_dir", "image_size", "resize", "labels", "new_classes", "max_unreadable",
    "seed", "part", "backbone", "weights", "pixel_range", "views", "store", "strategy",
    "cpu_replicas", "precision",
)  # fmt: skip
"""Settings of a run that say what the features of its dataset are."""


class _Parser(argparse.ArgumentParser):
    """Reports bad flags as every other bad input: in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


def make_parser() -> argparse.ArgumentParser:
    """The parser of the console command ``bgadl``."""
    parser = _Parser(prog="bgadl", description="Bayesian generative active deep learning.")
    parser.add_argument("--version", action="version", version=f"bgadl_tf {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    train = commands.add_parser(
        "train",
        help="run the active-learning loop, or resume it",
        description="Run the active-learning loop of a method on a dataset, or resume it.",
        epilog=f"Exit status: 0 finished, {BAD_INPUT} bad input, {WAITING} waiting for labels "
        f"(they go into to_label.csv of the run folder), {INTERRUPTED} interrupted.",
    )
    command_line.add_train_flags(train)
    train.set_defaults(command=_train)
    label = commands.add_parser(
        "label",
        help="label what a run asks about, on a page",
        description=label_command.DESCRIPTION,
        epilog="Exit status: 0 ended, whether or not the run is finished; "
        f"{label_command.FAILED} bad input, or a round that had failed and was not tried again.",
    )
    label_command.add_label_flags(label)
    label.set_defaults(command=label_command.run)
    check = commands.add_parser(
        "check",
        help="say what a run would see of a dataset",
        description="Read a dataset as a run would, without starting one, and say what there is: "
        "images, sizes, formats, classes, what is held out, unlabelled, left out or unreadable and "
        "why, and duplicates.",
        epilog=f"Exit status: 0 if a run could start, {BAD_INPUT} if not, with the reason.",
    )
    command_line.add_settings(check, DATASET_SETTINGS)
    check.add_argument(
        "--all",
        dest="every",
        action="store_true",
        help="name everything that is left out, unreadable or twice there, not the first few",
    )
    check.set_defaults(command=_check)
    embed = commands.add_parser(
        "embed",
        help="write the features of a dataset, once, for --dataset embeddings:FOLDER",
        description="Send the images of a dataset once through a frozen backbone, and write their "
        "features, and those of label-preserving views of the training images, into a folder that "
        "--dataset embeddings:FOLDER reads. What was interrupted goes on; of a dataset that has "
        "changed only what is new is computed. 'train --backbone' does the same by itself, into a "
        "cache.",
        epilog=f"Exit status: 0 all is there, {BAD_INPUT} bad input, {INTERRUPTED} interrupted.",
    )
    command_line.add_settings(embed, EMBED_SETTINGS)
    embed.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="where the features go"
    )
    embed.set_defaults(command=_embed)
    export = commands.add_parser(
        "export",
        help="export a run, or a Keras model in a file, for serving",
        description=export_command.DESCRIPTION,
        epilog=f"Exit status: 0 exported, {BAD_INPUT} bad input; then nothing is left behind.",
    )
    export_command.add_export_flags(export)
    export.set_defaults(command=export_command.run)
    labelstudio = commands.add_parser(
        "labelstudio",
        help="label what a run asks in Label Studio",
        description=labelstudio_command.DESCRIPTION,
    )
    labelstudio_command.add_labelstudio_flags(labelstudio)
    labelstudio.set_defaults(command=labelstudio_command.run)
    score = commands.add_parser(
        "score",
        help="rank images by how much their labels would teach a model, served or in a file",
        description=score_command.DESCRIPTION,
        epilog=f"Exit status: 0 finished, {BAD_INPUT} bad input or a server that cannot do it, "
        f"{score_command.SOME_FAILED} finished but some images have no score, {INTERRUPTED} "
        "interrupted.",
    )
    score_command.add_score_flags(score)
    model_file.add_model_file_flags(score)
    score.set_defaults(command=_score)
    study = commands.add_parser(
        "study",
        help="run arms x seeds from a study file, and report on them",
        description=study_command.DESCRIPTION,
        epilog=f"{study_command.EXAMPLE}\n\nExit status: 0 finished, {study_command.FAILED} a run "
        f"failed (the others were made),\n{BAD_INPUT} bad input, {INTERRUPTED} interrupted.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    study_command.add_study_flags(study)
    study.set_defaults(command=study_command.study)
    report = commands.add_parser(
        "report", help="say what a study or a run came to", description=report_command.REPORT
    )
    report_command.add_report_flags(report)
    report.set_defaults(command=report_command.report)
    claims = commands.add_parser(
        "claims",
        help="say whether the claims of finished studies hold, all together",
        description=report_command.CLAIMS,
        epilog=f"Exit status: 0 written, whatever holds; {BAD_INPUT} bad input.",
    )
    report_command.add_claims_flags(claims)
    claims.set_defaults(command=report_command.claims)
    tune = commands.add_parser(
        "tune",
        help="search for settings and options, from a tuning file",
        description=tune_command.DESCRIPTION,
        epilog=f"{tune_command.EXAMPLE}\n\nExit status: 0 finished, {tune_command.FAILED} every "
        f"trial failed,\n{BAD_INPUT} bad input, {INTERRUPTED} interrupted.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tune_command.add_tune_flags(tune)
    tune.set_defaults(command=tune_command.tune)
    harvest = commands.add_parser(
        "harvest",
        help="let what a served model finds hard join the pool of a run",
        description=harvest_command.DESCRIPTION,
        epilog=f"Exit status: 0 done, also where nothing joins; {BAD_INPUT} bad input.",
    )
    harvest_command.add_harvest_flags(harvest)
    harvest.set_defaults(command=harvest_command.run)
    compare = commands.add_parser(
        "compare",
        help="draw the learning curves of a few runs",
        description="Draw the learning curves of a few runs, finished or not, into one figure.",
        epilog=f"Exit status: 0 drawn, {BAD_INPUT} bad input.",
    )
    report_command.add_compare_flags(compare)
    compare.set_defaults(command=report_command.compare)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        Exit status.
    """
    given = command_line.joined(sys.argv[1:] if argv is None else argv)
    arguments = vars(make_parser().parse_args(given))
    command: Callable[..., int] = arguments.pop("command")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # In Latin-1 there is no "–"; that is no reason to stop.
        sys.stdout.reconfigure(errors="replace")
    told = logging.StreamHandler()
    told.setFormatter(logging.Formatter("bgadl: %(message)s"))
    logging.getLogger("bgadl_tf").handlers = [told]
    if not logging.root.handlers:
        # Else the first library that logs by the root logger makes everything be said twice.
        logging.root.addHandler(logging.NullHandler())
    environment.prepare()
    try:
        return command(**arguments)
    except BgadlError as error:
        print(f"bgadl: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        where = f" with {arguments['out']}" if arguments.get("out") else ""
        print(f"\nbgadl: interrupted; run the same command again to go on{where}", file=sys.stderr)
        return INTERRUPTED


def _train(out: Path, export: bool, config: Path | None, mlflow: str | None, **flags: Any) -> int:
    settings = config_file.config_of(config, flags)
    from bgadl_tf.core import backend

    backend.check()
    import tensorflow as tf

    from bgadl_tf.loop.round import Round
    from bgadl_tf.runs.mlflow_tracking import MLflowTracking
    from bgadl_tf.runs.progress import measured
    from bgadl_tf.runs.train import train

    tracking = () if mlflow is None else (MLflowTracking(out, mlflow),)

    # A run is to be the same bit for bit however often it is interrupted.
    tf.config.experimental.enable_op_determinism()
    outcome = train(settings, out, tracking, export=export)
    for tracked in tracking:
        tracked.catch_up()
    if outcome.waiting_for is not None:
        print(
            f"bgadl: labels are missing: fill in the column 'label' of {outcome.waiting_for} and "
            f"run the same command again, or label on a page: bgadl label {shlex.quote(str(out))}"
        )
        return WAITING
    last = Round.from_json(outcome.rounds[-1])
    print(f"finished: {last.labelled} labels, {measured(last)}; everything is in {outcome.folder}")
    if outcome.exported is not None:
        print(export_command.summary(outcome.exported))
    return 0


def _score(model: str | None, **flags: Any) -> int:
    given = model_file.taken(flags)
    if model is None or not model_file.is_model_file(model):
        if model is not None:
            model_file.refuse_other_file(model)
        model_file.refuse(given)
        return score_command.run(model=model, **flags)
    from bgadl_tf.core import backend

    backend.check()
    file = ModelFile.of_flags(model, given)
    return score_command.run(model=file.name, exportable=file, **flags)


def _check(every: bool, **settings: Any) -> int:
    config = RunConfig(**settings)
    from bgadl_tf.core import backend

    backend.check()
    from bgadl_tf.runs.check import check

    checked = check(every=every, **{name: getattr(config, name) for name in DATASET_SETTINGS})
    print("\n".join(checked.lines))
    if checked.refusal is not None:
        raise DataError(checked.refusal)
    return 0


def _embed(out: Path, **settings: Any) -> int:
    config = RunConfig(**settings)
    from bgadl_tf.core import backend

    backend.check()
    import tensorflow as tf

    from bgadl_tf.runs.embed import embed

    # Features are to be the same bit for bit however often the work is interrupted.
    tf.config.experimental.enable_op_determinism()
    facts = embed(config, out)
    views = f", and of {facts.views} views of each to train on" if facts.views else ""
    print(
        f"{facts.features} features of {facts.train} images to train on and {facts.test} to test "
        f"on{views} are in {out}: --dataset embeddings:{shlex.quote(str(out))}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
