"""What a search has found: ``results.json``, ``best.yaml`` and a table of the best trials."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bgadl_tf.core import durable
from bgadl_tf.core.types import Json
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.study.markdown import NONE, table
from bgadl_tf.study.tuning import hparams
from bgadl_tf.study.tuning.trials import FOLDER, Trial
from bgadl_tf.study.tuning.tuning_file import OBJECTIVES, Tuning

BEST, ALL = "best.yaml", "results.json"


@dataclass(frozen=True)
class Results:
    """The trials of a search that are over.

    Attributes:
        ranked: Those that came to something, with what: the larger budget first,
            then the better.
        failed: The others, with the reason.
    """

    ranked: tuple[tuple[Trial, dict[str, float]], ...]
    failed: tuple[tuple[Trial, str], ...]

    def table(self, tuning: Tuning, most: int = 5) -> str:
        """The best trials."""
        names = [dimension.name for dimension in tuning.space]
        shown = self.ranked[:most]
        columns: list[tuple[str, list[str]]] = [("trial", [trial.name for trial, _ in shown])]
        if tuning.tuner == "hyperband":
            columns.append(("steps", [str(trial.tasks[0].config.steps) for trial, _ in shown]))
        columns += [(name, [_shown(trial.values[name]) for trial, _ in shown]) for name in names]
        columns += [(key, [number(key, found[key]) for _, found in shown]) for key in OBJECTIVES]
        columns.append(("seconds", [f"{found['seconds']:.0f}" for _, found in shown]))
        head, cells = zip(*columns, strict=True)
        return table(head, [*zip(*cells, strict=True)])


def of(tuning: Tuning, trials: Iterable[Trial]) -> Results:
    """Read what trials came to from their run folders."""
    ranked, failed = [], []
    for trial in trials:
        scores = trial.scores(tuning.objective)
        if scores is None:
            failed.append((trial, trial.reason()))
        else:
            ranked.append((trial, scores))
    sign = -1 if OBJECTIVES[tuning.objective] == "max" else 1
    ranked.sort(key=lambda one: (-one[0].share, sign * one[1][tuning.objective]))
    return Results(tuple(ranked), tuple(failed))


def write(out: Path, tuning: Tuning, found: Results) -> None:
    """Write all trials, and the best one's config.

    Raises:
        RunFolderError: They cannot be written.
    """
    trials = [
        *(_described(trial, out, scores=scores) for trial, scores in found.ranked),
        *(_described(trial, out, failed=reason) for trial, reason in found.failed),
    ]
    content = {
        "objective": tuning.objective,
        "direction": OBJECTIVES[tuning.objective],
        "seeds": list(tuning.seeds),
        "part": tuning.tuned.part,
        "trials": trials,
    }
    durable.atomic_write_text(out / ALL, json.dumps(content, indent=1) + "\n")
    if found.ranked:
        durable.atomic_write_text(out / BEST, best(tuning, *found.ranked[0]))


def best(tuning: Tuning, trial: Trial, scores: dict[str, float]) -> str:
    """The config of a trial, for ``train --config`` and for a study file."""
    seeds = ", ".join(str(seed) for seed in tuning.seeds)
    part = tuning.tuned.other_part
    settings = as_settings(tuning.tuned.best(trial.values))
    return (
        f"# Found by bgadl tune: trial {trial.name}, {score(tuning, scores)} (mean over the seeds "
        f"{seeds}),\n# on part {tuning.tuned.part}, asking by {tuning.tuned.acquisition}. To be "
        f"confirmed on other seeds{f' and on part {part}' if part else ''}.\n"
        f"{yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)}"
    )


def as_settings(config: RunConfig) -> Json:
    """Settings that differ from the defaults as a file has them, those of one run left out."""
    default = RunConfig().to_json()
    found = {
        key: value
        for key, value in config.to_json().items()
        if value != default[key] and key not in ("seed", "data_dir", "options")
    }
    pairs = (option.partition("=") for option in config.options)
    if options := {name: _parsed(text) for name, _, text in pairs}:
        found["options"] = options
    return found


def score(tuning: Tuning, scores: dict[str, float]) -> str:
    """What a trial came to, in a few words."""
    return f"{tuning.objective} {number(tuning.objective, scores[tuning.objective])}"


def number(key: str, value: float) -> str:
    """A score as tables have it."""
    return f"{value:.4f}" if key == "nll" else f"{100 * value:.2f} %"


def _described(
    trial: Trial, out: Path, scores: dict[str, float] | None = None, failed: str | None = None
) -> Json:
    return {
        "trial": trial.name,
        "values": dict(trial.values),
        "steps": trial.tasks[0].config.steps if trial.tasks else None,
        "folder": str(trial.folder.relative_to(out)) if trial.tasks else None,
        "scores": scores and {key: v if math.isfinite(v) else None for key, v in scores.items()},
        "failed": failed,
    }


def _parsed(text: str) -> Any:
    """An option's text as YAML has it: a number where it is one, else as it is."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if type(value) in (bool, int, float) else text


def _shown(value: object) -> str:
    return NONE if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def lines(tuning: Tuning, out: Path, found: Results) -> list[str]:
    """What is said at the end: the best trials, and what to run next."""
    made, part = len(found.ranked) + len(found.failed), tuning.tuned.other_part
    first = f"{made} trials, {len(found.failed)} of them failed"
    if tuning.trials is not None and made < tuning.trials:
        first += f"; the space has no more, though {tuning.trials} were asked for"
    if not found.ranked:
        return [f"{first}; logs are in {out / FOLDER}"]
    best_file, other = out / BEST, f" and on part {part}" if part else ""
    named = out.resolve() if out.name in ("", "..") else out
    confirmed = named.with_name(f"{named.name}-confirmed")
    next_ = [
        *("bgadl", "train", "--config", str(best_file)),
        *(("--part", part) if part else ()),
        *("--seed", "0", "--out", str(confirmed)),
    ]
    shown = ["tensorboard", "--logdir", str(out / hparams.FOLDER)]
    return [
        first,
        "",
        found.table(tuning),
        f"all of them: {out / ALL}, and HParams of {shlex.join(shown)}",
        f"the best: {best_file}",
        f"The test images of part {tuning.tuned.part} chose it: confirm it on other seeds{other}",
        f"  {shlex.join(next_)}",
    ]
