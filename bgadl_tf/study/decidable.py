"""Refuses, before any run, what no number of runs of a study could decide."""

from __future__ import annotations

from collections.abc import Iterator

from bgadl_tf.runs import file_values as values
from bgadl_tf.runs.methods import resolve
from bgadl_tf.study.claims import Pair
from bgadl_tf.study.protocol import Arm, Protocol

_SEEDS = 2
"""That two arms share at least for a paired test of their difference."""

_NO_CURVE = (
    "which learns from the whole training set at once: without a learning curve it can be compared "
    "with no other arm; leave it out there, and the report shows it all the same"
)


def check(protocol: Protocol) -> None:
    """See that arms to compare with have learning curves, and claimed pairs seeds to be paired on.

    Raises:
        ConfigError: One has not.
    """
    for place, name in enumerate(protocol.against):
        if any(_has_no_curve(arm) for arm in protocol.arms if arm.name == name):
            raise values.wrong(f"against[{place}]", f"is {name!r}, {_NO_CURVE}")
    for dataset, arms in protocol.by_dataset().items():
        named, on = {arm.name: arm for arm in arms}, f" on dataset {dataset!r}" if dataset else ""
        for key, pair in _claimed(protocol):
            ours, theirs = (named[name] for name in pair)
            for arm in (ours, theirs):
                if _has_no_curve(arm):
                    raise values.wrong(key, f"names {arm.name!r}, {_NO_CURVE}")
            shared = len({*ours.seeds} & {*theirs.seeds})
            if shared < _SEEDS:
                raise values.wrong(
                    key,
                    f"compares {ours.name!r} with {theirs.name!r}, which share {shared} "
                    f"seed{'s' * (shared != 1)}{on}; a test needs {_SEEDS}: give both the same "
                    "seeds, or leave the pair out",
                )


def _has_no_curve(arm: Arm) -> bool:
    config = arm.config
    return resolve(config.method, config.learner, config.acquisition).whole_set


def _claimed(protocol: Protocol) -> Iterator[tuple[str, Pair]]:
    """Every pair, and its key in the file."""
    if protocol.claims is not None:
        for kind in ("never_harms", "wins"):
            for place, pair in enumerate(getattr(protocol.claims, kind)):
                yield f"claims.{kind}.pairs[{place}]", pair
