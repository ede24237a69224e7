"""Whether random selection can be replayed on the labels that a run has, and how.

It can where random selection would have been answered whatever it had asked: every label is known
from the start (a simulation), or by now. Where a person labels, those labels are of what the
acquisition chose; a random draw from them is no random draw from the pool.
"""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bgadl_tf.core import durable
from bgadl_tf.core.errors import BgadlError, ConfigError, RunFolderError
from bgadl_tf.core.types import Json
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.methods import METHODS
from bgadl_tf.study.runs import Run
from bgadl_tf.study.tasks import flags_of

SHARED_OPTIONS = ("optimizer", "learning_rate", "trunk_learning_rate")
"""Options that every learner has and that say how the classifier descends."""


@dataclass(frozen=True)
class Replay:
    """What can be known of random selection beside one run.

    Attributes:
        sound: Whether a run of random selection can be made that had the same chances.
        words: Why, or why not, as Markdown.
        command: That makes it; None where it cannot be given.
    """

    sound: bool
    words: str
    command: str | None = None


def starts(run: Run) -> tuple[Json, ...]:
    """What the dataset was at each start; nothing in folders of older versions.

    Raises:
        RunFolderError: It is damaged.
    """
    path = run.folder / "dataset.jsonl"
    if not path.exists():
        return ()
    try:
        return durable.read_json_lines(path, mend=False).records
    except BgadlError as error:
        raise RunFolderError(str(error)) from None


def asks_at_random(run: Run) -> bool:
    """Whether a run's own acquisition is random selection."""
    return str(run.config.get("acquisition")) == "random"


def replay(run: Run) -> Replay:
    """Whether random selection can be replayed beside a run."""
    if run.is_reference:
        return Replay(False, "This run learns from the whole training set and asks nothing.")
    if asks_at_random(run):
        return Replay(
            False,
            "This run itself asks at random, so it is what others are compared with: give it to "
            "their report with `--against`.",
        )
    known = starts(run)
    if not known:
        return Replay(
            False,
            "**It cannot be known from this run alone.** Its folder is of an older version and "
            "does not say whether every label was known from the start.",
        )
    if known[0].get("simulated"):
        return Replay(True, _simulated(run), _command(run))
    pool, labelled = int(known[-1]["train"]), int(run.rounds[-1]["labelled"]) if run.rounds else 0
    if labelled >= pool:
        return Replay(
            True,
            "Every example has a label by now, so random selection can be replayed: whatever it "
            "had asked would have been answered. Write the labels into a CSV file with the columns "
            "`id` and `label`, and give it to a run of the same settings by `--labels FILE "
            "--method random`; then compare with `--against`.",
        )
    return Replay(False, _person(known[0], labelled, pool))


def _simulated(run: Run) -> str:
    swapped = f"--learner {run.config.get('learner')} --acquisition random"
    # A config that names none is of the default method or of a pair, which has no presets.
    if run.method in METHODS.names():
        presets = METHODS.get(run.method).options.items()
        swapped += "".join(f" --option {name}={value}" for name, value in presets)
    return (
        "Every label is known from the start (a simulation), so random selection can be run under "
        "the same settings; of one seed both begin from the same initial set, unless the "
        "acquisition chooses its own. One run of each "
        "shows one pair of curves; to tell what would come out again takes several seeds of both, "
        "which `bgadl study` makes. To know what the questions alone do, the learner left as it "
        f"is, give this run's own command with `{swapped}` instead of its method."
    )


def _person(first: Json, labelled: int, pool: int) -> str:
    drawn = int(first.get("unlabelled", 0)) == int(first.get("train", -1))
    begun = (
        " What was drawn at random is the initial set (unless the acquisition chooses that, too): "
        "the first point of the curve is where random labels lead, and no later one is."
        if drawn
        else " The initial set is what had a label already, and whoever labelled that chose it."
    )
    return (
        f"**It cannot be known from this run alone.** A label is known of {labelled:,} of "
        f"{pool:,} examples, and beyond the initial set the acquisition chose which. Random "
        "selection would have asked for others, whose labels nobody has given; drawn from those "
        "that there are, it would learn from what was picked for it, and the comparison would say "
        f"nothing.{begun} To know, labels have to be spent on it: a second run of the same images, "
        "settings and seed with `--acquisition random` in another folder, given here with "
        "`--against`."
    )


def beside(run: Run) -> Path:
    """Where the run of random selection goes that the command makes."""
    folder = run.folder.resolve() if run.folder.name in ("", "..") else run.folder
    return folder.with_name(folder.name + "-random")


def _command(run: Run) -> str | None:
    """``bgadl train`` with the run's settings, plain training and random selection.

    None where this version does not take the settings of an older one.
    """
    saved = run.config
    settings: dict[str, Any] = {
        field.name: saved[field.name]
        for field in dataclasses.fields(RunConfig)
        if field.name in saved and field.name not in ("method", "learner", "acquisition", "options")
    }
    if len(saved.get("example_shape") or ()) == 3:
        settings.pop("scaling", None)  # of images there is none, and none may be asked for
    options = saved.get("options") or {}
    given = tuple(
        f"{name}={options[name]}" for name in SHARED_OPTIONS if options.get(name) is not None
    )
    try:
        config = RunConfig(**settings, method="random", options=given)
    except ConfigError:
        return None
    return shlex.join(["bgadl", "train", *flags_of(config), "--out", str(beside(run))])
