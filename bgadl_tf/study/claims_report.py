"""claims.md and claims.json: on how many datasets a claim holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bgadl_tf.core import durable
from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.core.types import Json
from bgadl_tf.study import findings
from bgadl_tf.study.findings import Claimed, Finding
from bgadl_tf.study.markdown import bounds, listed, p_value, signed, table
from bgadl_tf.study.tables import SIGNIFICANT

_WORDS = {True: "yes", False: "no", None: "not decided"}


def write(folders: Sequence[Path], out: Path, *, bootstrap_seed: int = 0) -> Path:
    """Write claims.md and claims.json over studies, each dataset a set.

    Args:
        folders: Of the studies.
        out: Where both files go.
        bootstrap_seed: Of the resamples behind the bootstrap intervals.

    Returns:
        claims.md.

    Raises:
        RunFolderError: A folder is that of no study with claims, is damaged, or ``out`` cannot
            be written.
    """
    studies = findings.read(folders)
    rng = np.random.default_rng(bootstrap_seed)
    harms, wins = findings.harms(studies, rng), findings.wins(studies, rng)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"cannot make {out}: {error.strerror or error}") from None
    content = {
        "recommended": {study.name: study.claims.recommended for study in studies},
        "never_harms": [_json(finding) for finding in harms],
        "wins": [_json(finding) for finding in wins],
    }
    durable.atomic_write_text(out / "claims.json", json.dumps(content, indent=1) + "\n")
    durable.atomic_write_text(out / "claims.md", "\n".join(_sections(studies, harms, wins)))
    return out / "claims.md"


def _sections(
    studies: Sequence[Claimed], harms: Sequence[Finding], wins: Sequence[Finding]
) -> Iterator[str]:
    names = listed([f"`{study.name}`" for study in studies])
    yield f"# Claims on {len(studies)} set{'s' * (len(studies) > 1)}: {names}\n"
    for arm in dict.fromkeys(study.claims.recommended for study in studies):
        sets = [f"`{s.name}`" for s in studies if s.claims.recommended == arm]
        where = "" if len(sets) == len(studies) else f" on {listed(sets)}"
        if arm is not None:
            yield f"Recommended: `{arm}`{where}.\n"
    yield (
        "Differences of the AUBC in points, paired on seeds; all claims are those of the study "
        "files, and nothing is decided before every planned seed is finished.\n"
    )
    for study in studies:
        if (late := study.claims.made_late) is not None:
            yield f"**Claimed late on `{study.name}`:** {late}.\n"
        yield from study.doubts
    if harms:
        yield "## Never harms\n"
        yield (
            "An arm harms by less than the margin where the lower end of the two-sided 95 % "
            "t-interval is above it (non-inferiority, one-sided at 2.5 %). That all of these hold "
            "needs no correction. The bootstrap is shown as a check.\n"
        )
        yield table(
            ["set", "arm", "against", "seeds", "difference (points)", "95 % t", "95 % bootstrap",
             "harms at most", "shown"],
            [[*_first(f), f"{f.margin:g}", _WORDS[f.holds]] for f in harms],
        )  # fmt: skip
        yield _plainly(harms)
    if wins:
        yield "## Wins\n"
        yield (
            f"An arm is higher where p of the paired t-test is below {SIGNIFICANT:g} "
            f"after Holm's correction over these {len(wins)} comparisons, those that are not "
            "decided yet included.\n"
        )
        yield table(
            ["set", "arm", "against", "seeds", "difference (points)", "95 % t", "95 % bootstrap",
             "p (paired t)", "p (Holm)", "higher"],
            [[*_first(f), p_value(f.p), p_value(f.p_holm), _WORDS[f.holds]] for f in wins],
        )  # fmt: skip
        yield _plainly(wins)


def _first(found: Finding) -> list[str]:
    """The columns that both tables begin with."""
    result = found.result
    seeds = str(result.n) if result.n >= found.planned else f"{result.n} of {found.planned}"
    return [
        found.study, found.ours, found.theirs, seeds, signed(result.mean, result.sd),
        bounds(*result.t_interval()), bounds(result.low, result.high),
    ]  # fmt: skip


def _plainly(found: Sequence[Finding]) -> str:
    """On how many sets each pair's claim holds."""
    lines = []
    for ours, theirs in dict.fromkeys((f.ours, f.theirs) for f in found):
        of_pair = [f for f in found if (f.ours, f.theirs) == (ours, theirs)]
        margins = sorted({f.margin for f in of_pair if f.margin is not None})
        if margins:
            points = " or ".join(f"{margin:g}" for margin in margins)
            claim = f"`{ours}` harms by at most {points} points against `{theirs}`"
        else:
            claim = f"`{ours}` is higher than `{theirs}`"
        held = [f"`{f.study}`" for f in of_pair if f.holds]
        where = f" ({listed(held)})" if 0 < len(held) < len(of_pair) else ""
        open_ = sum(f.holds is None for f in of_pair)
        undecided = f"; {open_} not decided" if open_ else ""
        lines.append(f"- {claim} on {len(held)} of {len(of_pair)} sets{where}{undecided}.")
    return "\n".join(lines) + "\n"


def _json(found: Finding) -> Json:
    result = found.result
    low, high = result.t_interval()
    points = {
        "difference": result.mean, "sd": result.sd, "t_low": low, "t_high": high,
        "bootstrap_low": result.low, "bootstrap_high": result.high,
    }  # fmt: skip
    return {
        "set": found.study,
        "arm": found.ours,
        "against": found.theirs,
        "seeds": result.n,
        "planned_seeds": found.planned,
        **{name: _or_none(100.0 * value) for name, value in points.items()},
        **(
            {"p": _or_none(found.p), "p_holm": _or_none(found.p_holm)}
            if found.margin is None
            else {"margin": found.margin}
        ),
        "holds": found.holds,
    }


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
