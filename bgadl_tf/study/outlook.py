"""What a study has still to do, and how long that will take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study.markdown import NONE, listed, table
from bgadl_tf.study.tasks import Task


@dataclass(frozen=True)
class ArmOutlook:
    """The runs of one arm.

    Attributes:
        name: Of the arm, by its path in the study's folder.
        finished: Runs that are over.
        begun: Runs that will go on where they were.
        left: Runs that are not over, in whole ones: of one that is half made, half.
        open: Runs that are not over.
        seconds: Mean of a run, s; None where none is measured.
    """

    name: str
    finished: int
    begun: int
    left: float
    open: int
    seconds: float | None


@dataclass(frozen=True)
class Outlook:
    """The runs of a study.

    Attributes:
        arms: In their order.
        jobs: Runs at a time.
    """

    arms: tuple[ArmOutlook, ...]
    jobs: int

    @property
    def unknown(self) -> list[str]:
        """Arms with runs to make, none of which is measured."""
        return [arm.name for arm in self.arms if arm.open and arm.seconds is None]

    @property
    def seconds(self) -> float:
        """Of what is left and measured, s, ``jobs`` at a time."""
        return sum(arm.left * (arm.seconds or 0.0) for arm in self.arms) / self.jobs

    def line(self) -> str:
        """How many runs, and how long."""
        finished, begun, open_ = (
            sum(getattr(arm, name) for arm in self.arms) for name in ("finished", "begun", "open")
        )
        parts = [f"{finished} finished"] if finished else []
        if begun:
            parts.append(f"{begun} half made")
        parts.append(f"{open_ - begun} to make")
        text = f"{finished + open_} runs of {self._kinds()}: {', '.join(parts)}"
        if not open_:
            return text
        jobs = "one at a time" if self.jobs == 1 else f"{self.jobs} at a time"
        if len(self.unknown) == sum(arm.open > 0 for arm in self.arms):
            return f"{text}; how long, is told once some are finished here"
        text += f"; about {duration(self.seconds)}, {jobs}, by those that are finished here"
        if self.unknown:
            names = listed(self.unknown) if len(self.unknown) < 4 else f"{len(self.unknown)} arms"
            text += f", without {names}, of which none is"
        return text

    def _kinds(self) -> str:
        """How many arms, and on how many datasets where there are several."""
        paths = [arm.name.rpartition("/") for arm in self.arms]
        arms, datasets = len({path[-1] for path in paths}), len({path[0] for path in paths})
        on = f" on {datasets} datasets" if datasets > 1 else ""
        return f"{arms} arm{'s' * (arms > 1)}{on}"

    def report(self) -> str:
        """The line, and a row for every arm."""
        rows = [
            [
                arm.name, str(arm.finished), str(arm.begun), str(arm.open - arm.begun),
                NONE if arm.seconds is None else f"{arm.seconds:.0f}",
            ]
            for arm in self.arms
        ]  # fmt: skip
        head = ["arm", "finished", "half made", "to make", "seconds a run"]
        return f"{self.line()}\n\n{table(head, rows)}"


def outlook(tasks: Sequence[Task], measured: Mapping[str, Sequence[float]], jobs: int) -> Outlook:
    """Look at what is there.

    Args:
        tasks: Every run.
        measured: Seconds of runs, by arm.
        jobs: Runs at a time.
    """
    arms = []
    for name in dict.fromkeys(task.arm for task in tasks):
        own = [task for task in tasks if task.arm == name]
        shares = [_share_made(task) for task in own]
        # A run tells what its rounds took, but not what its start did.
        taken = measured.get(name) or [
            _seconds(task) for task, share in zip(own, shares, strict=True) if share == 1
        ]
        arms.append(
            ArmOutlook(
                name,
                finished=sum(share == 1 for share in shares),
                begun=sum(
                    share < 1 and task.begun for task, share in zip(own, shares, strict=True)
                ),
                left=sum(1 - share for share in shares),
                open=sum(share < 1 for share in shares),
                seconds=fmean(taken) if taken else None,
            )
        )
    return Outlook(tuple(arms), jobs)


def _share_made(task: Task) -> float:
    try:
        return task.share_made()
    except RunFolderError:
        return 0.0  # Told when its turn comes.


def _seconds(task: Task) -> float:
    return sum(float(s) for record in task.run().rounds for s in record.get("seconds", {}).values())


def duration(seconds: float) -> str:
    """``40 s``, ``12 min`` or ``3 h 20 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"
