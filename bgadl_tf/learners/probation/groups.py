"""Groups of examples in C's objective, by name: "real" ones, and further ones on probation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import tensorflow as tf

from bgadl_tf.learners.batch import Batch

Factors: TypeAlias = Mapping[str, float | tf.Tensor]
"""Weights by group."""

REAL = "real"
"""The group of labelled examples; of their further forms, the beginning of the names."""

TRANSFORMED, PSEUDO = "transformed", "pseudo"
"""The group of x transformed, where that is on probation, and that of pseudo-labelled examples."""


def forms_of(batch: Batch) -> dict[str, tf.Tensor]:
    """Every form ``[B, *shape]`` of the labelled examples of a batch."""
    further = {f"{REAL}_{number}": form for number, form in enumerate(batch.forms, 2)}
    return {REAL: batch.examples, **further}


def of_forms(terms: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Loss terms ``[B]`` by group, with the mean of those of all forms as that of "real"."""
    forms = [term for group, term in terms.items() if is_form(group)]
    found = {group: term for group, term in terms.items() if not is_form(group)}
    return {REAL: tf.add_n(forms) / len(forms), **found} if forms else found


def is_form(group: str) -> bool:
    """Whether a group is one of the forms of the labelled examples."""
    return group == REAL or group.startswith(f"{REAL}_")


def named_terms(terms: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Names of the loss terms of groups, "real" among them, as they are reported."""
    return {
        "classification" if group == REAL else f"classification_{group}": term
        for group, term in terms.items()
    }


def counting(
    terms: Mapping[str, tf.Tensor], agreed: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Loss terms ``[B]`` by group, 0 where an example does not count."""
    return {group: term * agreed[group] if group in agreed else term
            for group, term in terms.items()}  # fmt: skip
