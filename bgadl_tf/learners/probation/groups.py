"""Groups of examples in C's objective, by name: "real" ones, and further ones on probation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import tensorflow as tf

Factors: TypeAlias = Mapping[str, float | tf.Tensor]
"""Weights by group."""

TRANSFORMED, PSEUDO = "transformed", "pseudo"
"""The group of x transformed, where that is on probation, and that of pseudo-labelled examples."""


def named_terms(terms: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Names of the loss terms of groups, "real" among them, as they are reported."""
    return {
        "classification" if group == "real" else f"classification_{group}": term
        for group, term in terms.items()
    }


def counting(
    terms: Mapping[str, tf.Tensor], agreed: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Loss terms ``[B]`` by group, 0 where an example does not count."""
    return {group: term * agreed[group] if group in agreed else term
            for group, term in terms.items()}  # fmt: skip
