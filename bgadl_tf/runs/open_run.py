"""A run whose folder is held by this process: its objects, taken up where the folder left them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.oracles.network import NetworkSettings
from bgadl_tf.runs.build import Setup, build
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.outside import refuse_inside
from bgadl_tf.runs.pictures import Pictures
from bgadl_tf.runs.pipeline import PROJECTION
from bgadl_tf.runs.progress import Progress
from bgadl_tf.runs.run_folder import RunFolder


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
