"""Samples of a page of metrics in Prometheus' text form."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


def kinds(page: str) -> dict[str, str]:
    """Name of every metric -> its kind."""
    return {family.name: family.type for family in text_string_to_metric_families(page)}


def value(page: str, name: str, **labels: str) -> float:
    """Sum of the samples of a name that have these labels."""
    return sum(
        sample.value for sample in _samples(page, name) if labels.items() <= sample.labels.items()
    )


def label_values(page: str, name: str, label: str) -> set[str]:
    """What a label is in the samples of a name."""
    return {sample.labels[label] for sample in _samples(page, name)}


def _samples(page: str, name: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(page):
        # The reader, as the library's writer, ends the samples of a counter with _total.
        known_as = f"{name}_total" if family.type == "counter" else name
        yield from (sample for sample in family.samples if sample.name == known_as)
