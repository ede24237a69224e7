"""The protocol of a run on a dataset: what is left open in its settings, and what cannot be."""

from __future__ import annotations

import dataclasses

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import UNLABELLED, Json
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.loop.plan import Plan
from bgadl_tf.runs.config import RunConfig


def planned(
    config: RunConfig, dataset: Dataset, whole_set: bool, resumed: Json
) -> tuple[RunConfig, Plan]:
    """The settings of the protocol with what was left open, and the protocol.

    Args:
        config: The settings.
        dataset: As it is now, features or not.
        whole_set: Whether everything is labelled from the start.
        resumed: The ``config.json`` of a run that goes on; empty for a new one.

    Raises:
        ConfigError: As ``make_plan``.
    """
    size = config.initial_size or resumed.get("initial_size")
    config = dataclasses.replace(config, initial_size=size)
    plan = make_plan(config, dataset, whole_set, resumed=bool(resumed))
    config = dataclasses.replace(
        config, initial_size=plan.initial_size, rounds=plan.rounds, steps=plan.steps
    )
    return config, plan


def make_plan(config: RunConfig, dataset: Dataset, whole_set: bool, resumed: bool = False) -> Plan:
    """The protocol of a run on this dataset.

    Args:
        config: The settings.
        dataset: As it is now.
        whole_set: Whether everything is labelled from the start.
        resumed: Whether the run has begun already, so that what is left is not known here.

    Raises:
        ConfigError: The initial set or the budget is larger than the pool.
    """
    known = int((dataset.train.labels != UNLABELLED).sum())
    simulated = known == len(dataset.train)
    size = config.initial_size
    if whole_set and not resumed:
        size = len(dataset.train)
    if size is None:
        ten_a_class = min(10 * dataset.classes, len(dataset.train))
        size = ten_a_class if simulated or not known else known
    most = known or len(dataset.train)
    if size > most and not resumed:
        raise ConfigError(
            f"--initial-size is {size}, but only {most} training examples "
            f"{'have a label' if known else 'are there'}"
        )
    rounds = 0 if whole_set else config.rounds
    budget = rounds * config.query_size
    left = len(dataset.train) - size
    if budget > left and not resumed:
        smaller = "--rounds or --query-size"
        if config.initial_size is None and size > 2:
            smaller += ", or give a smaller --initial-size"
        raise ConfigError(
            f"the budget is {rounds} rounds of {config.query_size} labels, {budget} in all, but "
            f"only {left} examples are left in the pool beside the initial set of {size}; "
            f"lower {smaller}"
        )
    return Plan(
        rounds=rounds,
        query_size=config.query_size,
        initial_size=size,
        candidates=config.candidates,
        mc_samples=config.mc_samples,
        # What learns from everything at once takes as many steps as all rounds of another method.
        steps=config.steps * (config.rounds + 1) if whole_set else config.steps,
        batch_size=config.batch_size,
        seed=config.seed,
        warm_start=config.warm_start,
    )
