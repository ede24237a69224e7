"""Who else makes the queries of an acquisition, and what of their answers must be ours.

Nothing of theirs is imported here. A program is a function in a module of this folder, from
``Arrays`` and b to ``Picks``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import util
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLASSES = 10
"""C."""

CONFIGURATIONS = 1000
"""Of labels of a batch, M: the default of ``batchbald``, given to everybody."""


@dataclass(frozen=True)
class Arrays:
    """What ours saw.

    Attributes:
        of: By name, axis 0 over the N candidates; where labelled examples are seen, too, these
            come after them.
        labels: Of the labelled ones.
        count: N.
        facts: Of our query.
    """

    of: Mapping[str, NDArray[Any]]
    labels: NDArray[np.int32]
    count: int
    facts: Mapping[str, float]


Picks = Sequence[int]
"""Rows of candidates, in the order of the picks."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One of them.

    Attributes:
        name: In tables.
        package: That must be there.
        program: ``MODULE.FUNCTION``.
        determined: Picks that follow from the arrays alone, so that ours must be these; None for
            all of them, 0 where the method draws.
        check: ``MODULE.FUNCTION`` that compares, from ``Arrays`` and our rows to how many of
            these, from the first on, the peer might have picked as well; for methods that may
            take any of several picks. Without one, the picks themselves are compared.
        fact: Of our query that it is given; without it, it is left out.
        note: What a reader of its numbers must know.
    """

    name: str
    package: str
    program: str
    determined: int | None = 0
    check: str = ""
    fact: str = ""
    note: str = ""

    @property
    def is_there(self) -> bool:
        """Whether its package is installed."""
        return util.find_spec(self.package) is not None


PEERS: dict[str, tuple[Peer, ...]] = {
    "batchbald": (
        Peer(
            name="scikit-activeml", package="skactiveml", program="activeml_queries.batchbald",
            determined=4, note="M = 1,000; exact as long as C to the number of picks is at most M",
        ),
        Peer(
            name="baal", package="baal", program="batchbald_queries.baal",
            determined=1, note="num_draw = M / K; stops early where little is added",
        ),
        Peer(
            name="batchbald_redux", package="batchbald_redux", program="batchbald_queries.redux",
            determined=4, note="M = 1,000",
        ),
    ),
    "badge": (
        Peer(
            name="scikit-activeml", package="skactiveml", program="activeml_queries.badge",
            determined=1,
        ),
        Peer(
            name="small-text", package="small_text", program="small_text_queries.badge",
            note="its gradients leave out the label's 1",
        ),
    ),
    "coreset": (
        Peer(
            name="scikit-activeml", package="skactiveml", program="activeml_queries.coreset",
            determined=None,
        ),
        Peer(
            name="small-text", package="small_text", program="small_text_queries.coreset",
            determined=None,
        ),
    ),
    "typiclust": (
        Peer(name="scikit-activeml", package="skactiveml", program="activeml_queries.typiclust"),
    ),
    "probcover": (
        Peer(name="scikit-activeml", package="skactiveml", program="activeml_queries.probcover"),
        Peer(
            name="scikit-activeml, our delta", package="skactiveml",
            program="activeml_queries.probcover_of_delta", determined=None,
            check="activeml_queries.probcover_follows", fact="delta",
            note="does not look for delta",
        ),
    ),
}  # fmt: skip
"""By acquisition."""

ARRAYS: dict[str, tuple[str, ...]] = {
    "batchbald": ("passes",), "badge": ("penultimate", "probs"), "coreset": ("penultimate",),
    "typiclust": ("inputs",), "probcover": ("inputs",),
}  # fmt: skip
"""By acquisition, what its peers are given; see ``children/acquisition_arrays.py``."""


def function_of(program: str) -> Callable[..., Any]:
    """The function of ``MODULE.FUNCTION``, with what it imports."""
    module, _, name = program.partition(".")
    found: Callable[..., Any] = getattr(
        importlib.import_module(f"scripts.benchmarks.rivals.{module}"), name
    )
    return found
