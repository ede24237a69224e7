"""What finished studies say of their claims, each on its own dataset, all of them one family."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import families, learning_curve, paired, runs, study_folder
from bgadl_tf.study.claims import Claims
from bgadl_tf.study.protocol import Protocol
from bgadl_tf.study.tables import SIGNIFICANT


@dataclass(frozen=True)
class Claimed:
    """A study with claims, and what its runs came to.

    Attributes:
        name: Of its folder.
        claims: What was to be shown.
        seeds: Planned, by arm.
        aubc: AUBC of finished runs by seed, by arm; shares in [0, 1].
    """

    name: str
    claims: Claims
    seeds: Mapping[str, Sequence[int]]
    aubc: Mapping[str, Mapping[int, float]]


@dataclass(frozen=True)
class Finding:
    """One claim on one dataset.

    Attributes:
        study: Name of the study's folder.
        ours: The arm that something is claimed of.
        theirs: The arm that it is compared with.
        planned: Seeds that both were to have.
        result: AUBC of ours minus theirs on shared seeds, shares in [0, 1].
        margin: In points; None for a win.
        p: Of a win that of the paired t-test, two-sided; else NaN.
        p_holm: p corrected over all wins of all studies.
    """

    study: str
    ours: str
    theirs: str
    planned: int
    result: paired.Comparison
    margin: float | None = None
    p: float = float("nan")
    p_holm: float = float("nan")

    @property
    def holds(self) -> bool | None:
        """Whether the claim is shown; None where it could not be decided.

        Never harms: the lower end of the 95 % t-interval is above ``-margin``. Wins: ``p_holm``
        is below 0.05 and the difference above 0. Nothing is decided before every planned seed
        is finished, lest a study stop when it looks well.
        """
        if self.result.n < max(self.planned, 2) or not self.result.testable:
            return None
        if self.margin is not None:
            return 100.0 * self.result.t_interval()[0] > -self.margin
        return self.p_holm < SIGNIFICANT and self.result.mean > 0.0


def read(folders: Sequence[Path]) -> list[Claimed]:
    """Studies and their finished runs; of a folder without runs, what results.json keeps of them.

    Raises:
        RunFolderError: A folder is given twice, is that of no study, or of one without claims;
            two folders have one name; or its results.json is damaged.
    """
    studies: list[Claimed] = []
    for folder in folders:
        name = folder.resolve().name
        if name in [study.name for study in studies]:
            raise RunFolderError(
                f"two studies are called {name!r}; give each once, in folders of different names"
            )
        protocol = study_folder.saved(folder)
        if protocol is None:
            raise RunFolderError(f"{folder} is no folder of a study: it has no protocol.json")
        if protocol.claims is None:
            raise RunFolderError(
                f"the study in {folder} makes no claims; name them under 'claims' in its file, "
                "before its runs are made"
            )
        studies.append(Claimed(name, protocol.claims, *_found(folder, protocol)))
    return studies


def harms(studies: Sequence[Claimed], rng: np.random.Generator) -> list[Finding]:
    """What is found of every ``never_harms``, study by study."""
    return [
        dataclasses.replace(_compared(study, *pair, rng), margin=study.claims.margin)
        for study in studies
        for pair in study.claims.never_harms
    ]


def wins(studies: Sequence[Claimed], rng: np.random.Generator) -> list[Finding]:
    """What is found of every ``wins``, study by study, corrected by Holm (1979) over all.

    The family is what the files claim: a claim that cannot be tested yet counts with p = 1.
    """
    found = [_compared(study, *pair, rng) for study in studies for pair in study.claims.wins]
    ps = [
        finding.result.p_t
        if finding.result.testable and finding.result.n >= finding.planned
        else 1.0
        for finding in found
    ]
    return [
        dataclasses.replace(finding, p=finding.result.p_t, p_holm=p_holm)
        for finding, p_holm in zip(found, families.holm(ps), strict=True)
    ]


def _compared(study: Claimed, ours: str, theirs: str, rng: np.random.Generator) -> Finding:
    planned = len(set(study.seeds[ours]) & set(study.seeds[theirs]))
    result = paired.compare(study.aubc[ours], study.aubc[theirs], rng)
    return Finding(study.name, ours, theirs, planned, result)


def _found(
    folder: Path, protocol: Protocol
) -> tuple[dict[str, Sequence[int]], dict[str, dict[int, float]]]:
    seeds: dict[str, Sequence[int]] = {arm.name: arm.seeds for arm in protocol.arms}
    aubc: dict[str, dict[int, float]] = {name: {} for name in seeds}
    rounds = {arm.name: arm.config.rounds for arm in protocol.arms}
    for arm, seed, points, value in _made(folder) or _kept(folder):
        # It may have been given more rounds since.
        if seed in seeds.get(arm, ()) and points > rounds[arm] and value is not None:
            aubc[arm][seed] = value
    return seeds, aubc


class _Made(NamedTuple):
    """A run; its AUBC is None where it has none."""

    arm: str
    seed: int
    points: int
    aubc: float | None


def _made(folder: Path) -> list[_Made]:
    return [
        _Made(run.arm, run.seed, len(run.rounds), learning_curve.aubc(run.curve))
        if run.finished and not run.is_reference
        else _Made(run.arm, run.seed, 0, None)
        for run in runs.read_study(folder)
    ]


def _kept(folder: Path) -> list[_Made]:
    path = folder / "results.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return [
            _Made(arm, int(seed), len(run["labelled"]), run["aubc"])
            for arm, by_seed in content.items()
            for seed, run in by_seed.items()
        ]
    except FileNotFoundError:
        return []
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise RunFolderError(
            f"{path} does not hold the results of a study ({error}); make it again with bgadl "
            "study --report-only, or take it from a copy"
        ) from None
