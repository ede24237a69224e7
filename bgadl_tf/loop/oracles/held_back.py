"""Simulates a person by the labels that a dataset came with."""

from __future__ import annotations

from collections.abc import Mapping

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.types import UNLABELLED, Id, Label
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.source import ExampleSource


class HeldBackLabels:
    """An oracle that knows what the dataset knows.

    Args:
        examples: Examples and their labels; those without a label are never answered.
    """

    source = "held-back"

    def __init__(self, examples: ExampleSet) -> None:
        self._known = examples

    def answer(self, query: Query, examples: ExampleSource) -> Mapping[Id, Label | None]:
        """See ``Oracle.answer``; what was synthesised has no label."""
        ids = [id_ for id_ in query.ids if id_ in self._known]
        labels = self._known.labels_of(ids).tolist()
        return {id_: label for id_, label in zip(ids, labels, strict=True) if label != UNLABELLED}
