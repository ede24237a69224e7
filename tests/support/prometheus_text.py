"""A strict reader of Prometheus' text form."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{((?:{_LABEL})(?:,{_LABEL})*)\}})? (\S+)")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge|histogram|summary|untyped)")

Labels = frozenset[tuple[str, str]]


class Metric(NamedTuple):
    """One family: its kind, and its samples by name and labels."""

    kind: str
    samples: dict[tuple[str, Labels], float]


def parse(page: str) -> dict[str, Metric]:
    """The families of a page; fails unless all of it is well-formed and histograms add up."""
    assert page.endswith("\n")
    found: dict[str, Metric] = {}
    name = ""
    for line in page.splitlines():
        if line.startswith("#"):
            match = _TYPE.fullmatch(line)
            assert match, line
            name = match[1]
            assert name not in found, line
            found[name] = Metric(match[2], {})
            continue
        match = _SAMPLE.fullmatch(line)
        assert match, line
        suffixes = ("_bucket", "_sum", "_count") if found[name].kind == "histogram" else ("",)
        assert match[1] in {name + suffix for suffix in suffixes}, line
        pairs = re.findall(_LABEL, match[2] or "")
        assert len({key for key, _ in pairs}) == len(pairs), line
        key = match[1], frozenset(pairs)
        assert key not in found[name].samples, line
        found[name].samples[key] = float(match[match.lastindex or 0])
    for name, metric in found.items():
        if metric.kind == "histogram":
            _check_histogram(name, metric.samples)
    return found


def _check_histogram(name: str, samples: dict[tuple[str, Labels], float]) -> None:
    series: dict[Labels, dict[float, float]] = {}
    for (full, labels), value in samples.items():
        if full == f"{name}_bucket":
            (limit,) = (text for key, text in labels if key == "le")
            rest = frozenset(pair for pair in labels if pair[0] != "le")
            series.setdefault(rest, {})[float(limit)] = value
    counted = {labels for full, labels in samples if full == f"{name}_count"}
    assert counted == {*series}
    for labels, buckets in series.items():
        limits = [*buckets]
        assert limits == sorted(limits), limits
        assert limits[-1] == math.inf
        assert [*buckets.values()] == sorted(buckets.values()), "not cumulative"
        assert buckets[math.inf] == samples[f"{name}_count", labels]
        assert (f"{name}_sum", labels) in samples
