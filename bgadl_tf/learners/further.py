"""Further examples that a learner makes of the queried ones, such as x' = G(E(x*), y*)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from bgadl_tf.core.types import Examples, Floats, Labels


class Further(NamedTuple):
    """What a learner made of a round's labelled query, one example for each.

    Fields:
        examples: ``[b, *shape]``, in the order of the queried ones.
        labels: ``int32 [b]``.
        joins: Whether they join the training set of this and every later round.
        facts: Numbers about each, float32 ``[b]``, by name; a round records their means.
        variants: Other examples of the same x*, ``[b, *shape]``, by name; a round records the mean
            BALD of each, under the same masks as that of ``examples``, as ``bald_NAME``.
    """

    examples: Examples
    labels: Labels
    joins: bool
    facts: Mapping[str, Floats]
    variants: Mapping[str, Examples] = MappingProxyType({})
