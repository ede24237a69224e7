"""What finished studies say of their claims on each of their datasets, all of them one family."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.core.types import Json
from bgadl_tf.study import (
    doubts,
    families,
    learning_curve,
    own_runs,
    paired,
    shared_labels,
    study_folder,
)
from bgadl_tf.study.claims import Claims
from bgadl_tf.study.learning_curve import Curve
from bgadl_tf.study.protocol import Protocol, path_of
from bgadl_tf.study.runs import Run
from bgadl_tf.study.tables import SIGNIFICANT


@dataclass(frozen=True)
class Claimed:
    """A study with claims on one dataset, and what its runs came to.

    Attributes:
        name: Of its folder, and what it calls the dataset where it names some.
        claims: What was to be shown.
        seeds: Planned, by arm.
        curves: Learning curves of finished runs by seed, by arm.
        doubts: Which runs are left out, and what speaks against comparing the others, a Markdown
            paragraph each; nothing can be told where the runs themselves are gone.
    """

    name: str
    claims: Claims
    seeds: Mapping[str, Sequence[int]]
    curves: Mapping[str, Mapping[int, Curve]]
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One claim on one dataset.

    Attributes:
        study: Name of the study on this dataset, see ``Claimed``.
        ours: The arm that something is claimed of.
        theirs: The arm that it is compared with.
        planned: Seeds that both were to have.
        result: AUBC of ours minus theirs on shared seeds, over the labelled counts that both runs
            have; shares in [0, 1].
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
    """Studies, dataset by dataset, and their finished runs; of a folder without runs, what
    results.json keeps of them.

    Raises:
        RunFolderError: A folder is given twice, is that of no study, or of one without claims;
            two folders have one name; or its results.json is damaged. Damaged runs are left out.
    """
    studies: list[Claimed] = []
    names: list[str] = []
    for folder in folders:
        name = folder.resolve().name
        if name in names:
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
        names.append(name)
        there = own_runs.find(folder, protocol)
        made = [*map(_made, there.runs)] if any(there) else _kept(folder, protocol)
        curves = _found(made, protocol)
        for dataset, arms in protocol.by_dataset().items():
            seeds = {arm.name: arm.seeds for arm in arms}
            of_arms = {arm.name: curves[arm.path] for arm in arms}
            set_name = f"{name}/{dataset}" if dataset else name
            compared = [
                one.run
                for one in made
                if one.run is not None
                and one.run.dataset_name == dataset
                and one.run.arm in protocol.claims.arms
                and one.seed in of_arms.get(one.run.arm, {})
            ]
            on = f" on `{set_name}`"
            about = (
                *(f"Left out{on}: {one}.\n" for one in there.left_out if one.dataset == dataset),
                *doubts.doubts(compared, on),
            )
            studies.append(Claimed(set_name, protocol.claims, seeds, of_arms, about))
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
    own, other = (
        {seed: learning_curve.aubc(curve) for seed, curve in side.items()}
        for side in shared_labels.aligned(study.curves[ours], study.curves[theirs])
    )
    result = paired.compare(own, other, rng)
    return Finding(study.name, ours, theirs, planned, result)


def _found(made: Sequence[_Made], protocol: Protocol) -> dict[str, dict[int, Curve]]:
    """Curves of planned runs that are finished, by the path of their arm and by seed."""
    arms = {arm.path: arm for arm in protocol.arms}
    curves: dict[str, dict[int, Curve]] = {path: {} for path in arms}
    for path, seed, points, curve, _ in made:
        if path not in arms or seed not in arms[path].seeds or curve is None:
            continue
        # It may have been given more rounds since.
        if points > arms[path].config.rounds:
            curves[path][seed] = curve
    return curves


class _Made(NamedTuple):
    """A run, as far as something is left of it; its curve is None where it has no AUBC."""

    path: str
    seed: int
    points: int
    curve: Curve | None
    run: Run | None = None


def _made(run: Run) -> _Made:
    curve = run.curve if run.finished and not run.is_reference else None
    return _Made(path_of(run.dataset_name, run.arm), run.seed, len(run.rounds), curve, run)


def _kept(folder: Path, protocol: Protocol) -> list[_Made]:
    path = folder / "results.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        on = content["datasets"] if protocol.datasets else {"": content}
        return [
            _Made(path_of(dataset, arm), int(seed), len(run["labelled"]), _curve(run))
            for dataset, arms in on.items()
            for arm, by_seed in arms.items()
            for seed, run in by_seed.items()
        ]
    except FileNotFoundError:
        return []
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise RunFolderError(
            f"{path} does not hold the results of a study ({error}); make it again with bgadl "
            "study --report-only, or take it from a copy"
        ) from None


def _curve(run: Json) -> Curve | None:
    if run["aubc"] is None:
        return None
    return Curve(*(np.array(run[key], dtype=np.float64) for key in ("labelled", "test_accuracy")))
