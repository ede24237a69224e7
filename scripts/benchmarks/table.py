"""The table of speed of README.md beside this file, made of the committed results."""

from __future__ import annotations

from typing import Any

from scripts.benchmarks.results import Entry, entries_of, ratios

BEGIN, END = "<!-- speed: make bench -->", "<!-- /speed -->"
"""Between these README.md holds what ``markdown`` renders."""


def markdown(results: dict[str, Any]) -> str:
    """One row a setting: what ours come to, and how many times as good each is as each rival.

    What a whole consists of ("…, of which") stays in the JSON.

    Raises:
        ValueError: Something was measured with ``--quick``, which measures nothing.
    """
    lines = ["| case | setting | ours | times as good as |", "|---|---|---|---|"]
    for case, block in results["cases"].items():
        if block["quick"]:
            raise ValueError(f"{case} was measured with --quick")
        entries = entries_of(block)
        for setting in dict.fromkeys(entry.setting for entry in entries):
            if setting.endswith(", of which"):
                continue
            row = [entry for entry in entries if entry.setting == setting]
            ours = "<br>".join(_told(entry) for entry in row if entry.ours)
            lines.append(f"| `{case}` | {setting} | {ours} | {'<br>'.join(ratios(row))} |")
    return "\n".join([*lines, "", _provenance(results)])


def _told(entry: Entry) -> str:
    unit = entry.unit if entry.unit.startswith("/") else f" {entry.unit}"
    return f"{entry.rival} {_number(entry.median)}{unit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _provenance(results: dict[str, Any]) -> str:
    """Where, when and with what: a sentence for each kind of run there was."""
    cases: dict[str, list[str]] = {}
    for case, block in results["cases"].items():
        machine, versions, peaks = block["machine"], block["versions"], block["peaks"]
        told = ", ".join(f"{name} {version}" for name, version in versions.items())
        where = (
            f"{machine['cpu']}, {machine['cores']} cores, {block['threads']} threads; {told}; "
            f"{block['date']}; peaks {_peaks(peaks)}"
        )
        cases.setdefault(where, []).append(f"`{case}`")
    return "\n".join(f"{', '.join(names)}: {where}." for where, names in cases.items())


def _peaks(peaks: dict[str, float]) -> str:
    return (
        f"{peaks['flops_float32'] / 1e12:.2f} TFLOP/s in float32, "
        f"{peaks['flops_bfloat16'] / 1e12:.2f} in bfloat16, {peaks['memory'] / 1e9:.0f} GB/s"
    )
