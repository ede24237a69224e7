"""The files of a study's report without what they say of seconds."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

_TIMED = "(s)"
"""Stands in the head of a table that has seconds."""


def without_times(out: Path) -> dict[str, str]:
    """Text by name of file: numbers that follow from seconds left out, all else as it is."""
    return {name: clean((out / name).read_text()) for name, clean in _CLEAN.items()}


def _results(text: str) -> str:
    found = json.loads(text)
    for runs in found.values():
        for run in runs.values():
            del run["seconds"]
            run["seconds_by_phase"] = [*run["seconds_by_phase"]]
    return json.dumps(found, indent=1)


def _curves(text: str) -> str:
    head, *lines = csv.reader(text.splitlines())
    kept = [place for place, name in enumerate(head) if not name.startswith("seconds_")]
    return "\n".join([",".join(head), *(",".join(line[n] for n in kept) for line in lines)])


def _markdown(text: str) -> str:
    """Of a table with seconds the names of its columns and rows are kept."""
    kept, within, timed = [], False, False
    for line in text.splitlines():
        table = line.startswith("|")
        if table and not within:
            timed = _TIMED in line
            kept.append(re.sub(r" +", " ", line))
        else:
            kept.append(line.split("|")[1] if table and timed else line)
        within = table
    return "\n".join(kept)


def _html(text: str) -> str:
    return re.sub(r"<table>.*?</table>", _table, text, flags=re.DOTALL)


def _table(found: re.Match[str]) -> str:
    text = found[0]
    return re.sub(r"<td[^>]*>.*?</td>", "", text) if _TIMED in text else text


_CLEAN: dict[str, Callable[[str], str]] = {
    "report.md": _markdown,
    "report.html": _html,
    "results.json": _results,
    "curves.csv": _curves,
}
