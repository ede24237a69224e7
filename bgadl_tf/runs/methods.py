"""The paper's arms by name: a learner, an acquisition, and what is labelled from the start."""

from __future__ import annotations

from dataclasses import dataclass

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.registry import Registry


@dataclass(frozen=True)
class Method:
    """One arm.

    Attributes:
        learner: Registered learner.
        acquisition: Registered acquisition.
        paper_name: What Tran et al. 2019 call it.
        whole_set: Round 0 trains on the whole training set and nothing is asked.
    """

    learner: str
    acquisition: str
    paper_name: str
    whole_set: bool = False


METHODS: Registry[Method] = Registry("method")
METHODS.register("bgadl")(Method("vaeacgan", "bald", "AL w. VAEACGAN"))
METHODS.register("al-acgan")(Method("acgan", "bald", "AL w. ACGAN"))
METHODS.register("al-pmda")(Method("pmda", "bald", "AL w. PMDA"))
METHODS.register("bald")(Method("plain", "bald", "AL without DA"))
METHODS.register("bda")(Method("acgan", "random", "BDA (partial training)"))
METHODS.register("random")(Method("plain", "random", "Random selection"))
METHODS.register("bda-full")(Method("acgan", "random", "BDA (full training)", whole_set=True))


def resolve(method: str | None, learner: str | None, acquisition: str | None) -> Method:
    """The pair a user asked for: by the paper's name, by its parts, or ``bgadl`` by default.

    Raises:
        ConfigError: A part is missing or a name is unknown.
    """
    if learner and acquisition:
        return Method(learner, acquisition, f"{learner} with {acquisition}")
    if learner or acquisition:
        given, missing = ("--learner", "--acquisition")[:: 1 if learner else -1]
        raise ConfigError(f"{given} was given without {missing}; give both, or --method")
    return METHODS.get(method or "bgadl")
