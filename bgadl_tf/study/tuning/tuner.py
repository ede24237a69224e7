"""keras-tuner at work: trials that are runs in processes of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine import trial as trials

from bgadl_tf.study.tuning import hparams, oracles, results
from bgadl_tf.study.tuning.trials import Trial, make
from bgadl_tf.study.tuning.tuning_file import Tuning
from bgadl_tf.study.tuning.workers import Role

STATE = "keras_tuner"
_PAUSE_SECONDS = 0.5


class RunsTuner(keras_tuner.Tuner):
    """Makes the runs of the trials that an oracle proposes.

    Args:
        tuning: The search; its options are typed.
        out: Its folder.
        role: Of this process, where several share the search.
        jobs: Runs of a trial at a time.
        data_dir: Where this machine keeps prepared TFDS datasets.
        train: Command that trains.
        tell: Told of every trial's beginning and end.
    """

    def __init__(
        self,
        tuning: Tuning,
        out: Path,
        *,
        role: Role,
        jobs: int,
        data_dir: str | None,
        train: Sequence[str],
        tell: Callable[[str], None],
    ) -> None:
        self.tuning = tuning
        self.out = out
        self.role = role
        self._jobs = jobs
        self._data_dir = data_dir
        self._train = train
        self._tell = tell
        super().__init__(
            oracle=oracles.oracle_of(tuning, out),
            hypermodel=None,
            directory=str(out / STATE),
            project_name=role.name,
            overwrite=True,  # See oracles: nothing that is kept there is needed.
        )

    def run_trial(self, trial: trials.Trial, **_: Any) -> dict[str, float]:
        """What the runs of a trial come to.

        Raises:
            keras_tuner.errors.FailedTrialError: One failed, or what they come to is not finite.
        """
        own = self._own(trial)
        said = ", ".join(f"{name} {value}" for name, value in own.values.items())
        budget = f" ({own.share:.0%} of the steps)" if own.share < 1 else ""
        self._tell(f"trial {own.name}{budget}: {said}")
        if own.tasks and own.scores(self.tuning.objective) is None:
            make(own.tasks, jobs=self._jobs, train=self._train, tell=self._tell)
        found = own.scores(self.tuning.objective)
        if found is None:
            reason = own.reason()
            self._tell(f"trial {own.name} FAILED: {reason}")
            raise keras_tuner.errors.FailedTrialError(reason)
        self._tell(
            f"trial {own.name}: {results.score(self.tuning, found)} in {found['seconds']:.0f} s"
        )
        hparams.write_trial(self.out, own.name, own.values, found)
        return found

    def pre_create_trial(self) -> None:
        if self.role.is_worker:
            # A chief that has nothing to do just now is asked again at once.
            time.sleep(_PAUSE_SECONDS)

    def on_trial_end(self, trial: trials.Trial) -> None:
        super().on_trial_end(trial)
        if not self.role.is_worker:
            self.write()

    def write(self) -> results.Results:
        """What there is by now, of a search whose oracle is in this process."""
        ended = (self.oracle.trials[name] for name in sorted(self.oracle.trials))
        made = [self._own(t) for t in ended if t.status != trials.TrialStatus.RUNNING]
        found = results.of(self.tuning, made)
        results.write(self.out, self.tuning, found)
        return found

    def _own(self, trial: trials.Trial) -> Trial:
        return Trial.of(
            self.tuning,
            self.out,
            oracles.name_of(trial.trial_id),
            oracles.values_of(trial, self.tuning.space),
            oracles.share_of(trial, self.tuning),
            self._data_dir,
        )
