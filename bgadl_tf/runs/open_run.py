"""A run whose folder is held by this process: its objects, taken up where the folder left them."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.core.errors import ConfigError, ExportError
from bgadl_tf.export.models import ExportedModels
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.oracles.network import NetworkSettings
from bgadl_tf.runs import to_label
from bgadl_tf.runs.build import Setup, build
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.export import export_once
from bgadl_tf.runs.outside import refuse_inside
from bgadl_tf.runs.pictures import Pictures
from bgadl_tf.runs.pipeline import PROJECTION
from bgadl_tf.runs.progress import Progress
from bgadl_tf.runs.run_folder import RunFolder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenRun:
    """What a run consists of while its folder is held.

    Args:
        folder: Held; its journal is open.
        setup: Everything that was built of the settings.
        loop: Asks, is told, and learns.
        progress: Tells a person how far it is; a context manager around ``loop``'s training.
        pictures: Draws it.
        changed: Whether the dataset is another one than when the folder was left.
    """

    folder: RunFolder
    setup: Setup
    loop: ActiveLearner
    progress: Progress
    pictures: Pictures
    changed: bool

    def go_on(self) -> bool:
        """Rounds with whatever stands for a person, as far as it answers.

        Returns:
            Whether the plan is finished.
        """
        with self.progress:
            return self.loop.run()

    def catch_up(self) -> None:
        """Take in what was written while the folder was left, say what is left to be done, and draw
        what a crash came before.

        Raises:
            DataError: ``to_label.csv`` is malformed; nothing is recorded.
        """
        told = to_label.take(self.loop, self.folder.path)
        if self.loop.round:
            self.loop.take_given_labels()
        _say_what_is_left(self.loop, told or self.changed)
        self.pictures.catch_up()

    def add_class(self, name: str) -> None:
        """Make a class known that no example has yet; arguments and errors as of the loop."""
        self.loop.add_class(name)
        self.pictures.dataset = self.loop.dataset
        described = {**self.setup.described, "class_names": [*self.loop.dataset.class_names]}
        self.folder.update(described, self.loop.history.starts[-1]["fingerprint"])

    def export(self) -> ExportedModels | None:
        """Export the models of a finished run; None where they are the newest version already.

        Raises:
            ExportError: They could not be exported.
        """
        plan = self.loop.plan
        try:
            return export_once(self.folder, self.loop.learner, (plan.rounds, plan.steps))
        except (ConfigError, ExportError) as error:
            raise ExportError(
                f"the run is finished, but {error}; 'bgadl export {self.folder.path}' tries again"
            ) from error


@contextlib.contextmanager
def open_run(config: RunConfig, out: Path, callbacks: Sequence[Callback] = ()) -> Iterator[OpenRun]:
    """Begin a run, or take one up, and hold its folder; nothing is asked or trained yet.

    Args:
        config: The settings.
        out: The run folder.
        callbacks: Told of what happens, after the run's own.

    Raises:
        BgadlError: Bad input; nothing is written, or nothing that was there is lost.
    """
    refuse_inside(out, config.dataset)
    folder = RunFolder(out)
    setup = build(config, folder)
    with folder.opened(setup.described, setup.defaults):
        projection = setup.dataset.projection
        if projection is not None and folder.journal.kept(0, PROJECTION) is None:
            folder.journal.keep(0, PROJECTION, projection.to_arrays())
        if setup.network is not None:
            setup.network.keep(out, setup.learner.classifier)
        starts = len(folder.journal.dataset_starts())
        progress = Progress(out, setup.learner, setup.plan, len(folder.journal.finished()))
        pictures = Pictures(out / "figures", setup.dataset, folder.journal)
        loop = setup.active_learner(folder.journal, (progress, pictures, *callbacks))
        loop.oracle_network = NetworkSettings(
            setup.config.oracle_classifier, setup.config.oracle_steps
        )
        folder.update(setup.described, loop.history.starts[-1]["fingerprint"])
        changed = len(loop.history.starts) > starts
        yield OpenRun(folder, setup, loop, progress, pictures, changed)


def _say_what_is_left(loop: ActiveLearner, changed: bool) -> None:
    """Tells a person what a run cannot do, or will not do without more rounds.

    Where images have gone the pool may hold too few for all rounds: as many are made as it can.
    """
    plan = loop.plan
    if loop.finished:
        if changed:
            logger.warning(
                "the run has made its %d rounds: what is new holds from round %d on; give more "
                "--rounds to train on it",
                plan.rounds, loop.round,
            )  # fmt: skip
        return
    labels = set(loop.pool.labels.values())
    names = loop.dataset.class_names
    if loop.round and (lacking := [n for c, n in enumerate(names) if c not in labels]):
        logger.warning("no labelled example is of the class %s", ", ".join(lacking))
    made = loop.round if loop.journal.query(loop.round) else loop.round - 1
    left = loop.pool.unlabelled_count - len(loop.labelling.open(loop.round).ids)
    possible = max(made, 0) + left // plan.query_size
    if loop.round and possible < plan.rounds:
        logger.warning(
            "only %d examples are left in the pool: the run ends after round %d, not %d; add "
            "images to go on",
            left, possible, plan.rounds,
        )  # fmt: skip
        loop.plan = dataclasses.replace(plan, rounds=possible)
