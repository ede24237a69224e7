"""The protocol of a run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from bgadl_tf.core.errors import ConfigError, RunFolderError
from bgadl_tf.core.types import Json


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How many rounds, labels, candidates and steps.

    Args:
        rounds: Queries to make after round 0, for ``run``; ``fit`` may go on beyond.
        query_size: Labels asked for in a round.
        initial_size: Labels to start from; None for ten a class, or all that are given.
        candidates: Pool examples scored in a round; 0 for all.
        mc_samples: MC-dropout passes K behind every score.
        steps: Gradient steps of a round.
        batch_size: Examples of a gradient step, over all replicas.
        seed: Root of everything random.
        warm_start: Keep the classifier's weights from round to round.

    Raises:
        ConfigError: A number is too small.
    """

    rounds: int = 10
    query_size: int = 10
    initial_size: int | None = None
    candidates: int = 2000
    mc_samples: int = 20
    steps: int = 300
    batch_size: int = 100
    seed: int = 0
    warm_start: bool = False

    def __post_init__(self) -> None:
        least = {
            "rounds": 0, "query_size": 1, "initial_size": 1, "candidates": 0, "mc_samples": 2,
            "steps": 1, "batch_size": 1, "seed": 0,
        }  # fmt: skip
        for name, smallest in least.items():
            value = getattr(self, name)
            if value is not None and value < smallest:
                raise ConfigError(f"{name} is {value}; it must be at least {smallest}")


def refuse_other(saved: Json, plan: Plan) -> None:
    """Make sure that a run goes on under the plan that it was begun with; it may be longer.

    Args:
        saved: The plan of the run, as ``dataclasses.asdict`` gives it.
        plan: The one that is asked for.

    Raises:
        RunFolderError: The message names what differs.
    """
    now = dataclasses.asdict(plan)
    different = [
        f"{name} was {saved[name]!r}, now {value!r}"
        for name, value in now.items()
        if name != "rounds" and name in saved and saved[name] != value
    ]
    if different:
        raise RunFolderError(
            f"the folder holds a run of another plan: {'; '.join(different)}; go on with its plan, "
            "or use another folder"
        )
