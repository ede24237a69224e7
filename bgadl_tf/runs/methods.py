"""Methods by name: a learner, an acquisition, and what they are set to unless asked otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.registry import Registry


@dataclass(frozen=True)
class Method:
    """One arm.

    Attributes:
        learner: Registered learner.
        acquisition: Registered acquisition.
        description: What Tran et al. 2019 call it; of others, what it is.
        whole_set: Round 0 trains on the whole training set and nothing is asked.
        options: Of the learner, instead of its defaults.
    """

    learner: str
    acquisition: str
    description: str
    whole_set: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    def presets(self, recorded: Mapping[str, Any] | None) -> dict[str, Any]:
        """Options of the learner, unless others are asked for.

        Args:
            recorded: Options of a run that goes on, which keeps what it began with: what it does
                not know has the learner's own default. None for a new run.
        """
        if recorded is None:
            return dict(self.options)
        return {name: recorded[name] for name in self.options if name in recorded}


PAPER: Mapping[str, Any] = {"unlabelled": False}
"""As in the paper, generative networks see labelled examples alone. Its optimizers and network
sizes are settings of a run: ``scripts/experiments/paper-*.yaml`` have them."""

SEMI: Mapping[str, Any] = {
    "unlabelled": True,
    "transforms": "standard",
    "batch_augmentation": 3,
    "pseudo_weight": 1.0,
    "warmup": "auto",
}
"""Networks learn from the pool, too: C as far as held-out labels bear its own ones out."""

METHODS: Registry[Method] = Registry("method")
METHODS.register("bgadl-semi")(
    Method(
        "vaeacgan",
        "bald",
        "recommended; BGADL, the pool, three forms of each x, gated pseudo-labels",
        options=SEMI,
    )
)
METHODS.register("bgadl")(Method("vaeacgan", "bald", "the paper's: AL w. VAEACGAN", options=PAPER))
METHODS.register("al-acgan")(Method("acgan", "bald", "AL w. ACGAN", options=PAPER))
METHODS.register("al-pmda")(Method("pmda", "bald", "AL w. PMDA"))
METHODS.register("bald")(Method("plain", "bald", "AL without DA"))
METHODS.register("bda")(Method("acgan", "random", "BDA (partial training)", options=PAPER))
METHODS.register("al-duplicate")(Method("duplicate", "bald", "BALD, each x three times a step"))
METHODS.register("al-noise")(Method("noise", "bald", "BALD, x and two noisy copies"))
METHODS.register("al-two-views")(Method("two_views", "bald", "BALD, x and two transforms of it"))
METHODS.register("al-pseudo")(Method("pseudo", "bald", "BALD, transforms and pseudo-labels"))
METHODS.register("gaal")(Method("svm", "gaal", "GAAL: synthesised queries, a vector machine"))
METHODS.register("svm-active")(Method("svm", "mase", "nearest to the boundary of a vector machine"))
METHODS.register("self-taught")(Method("self_taught", "random", "self-taught learning"))
METHODS.register("svm-full")(
    Method("svm", "random", "a vector machine, full training", whole_set=True)
)
METHODS.register("random")(Method("plain", "random", "Random selection"))
METHODS.register("bda-full")(
    Method("acgan", "random", "BDA (full training)", whole_set=True, options=PAPER)
)


def described() -> str:
    """Every method and what it is, in one line."""
    methods = ((name, METHODS.get(name)) for name in METHODS)
    return ", ".join(f"{n} ({m.description}: {m.learner}, {m.acquisition})" for n, m in methods)


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
