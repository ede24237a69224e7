"""Exporting a run: which weights, what is known of them, and where the models go."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bgadl_tf.core import durable, seeding
from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.core.types import Json
from bgadl_tf.export import publish
from bgadl_tf.export.models import METADATA, ExportedModels, export_models
from bgadl_tf.learners.learner import Learner
from bgadl_tf.loop.checkpoints import classes_in, read_weights
from bgadl_tf.loop.ledger import Record, labels_in
from bgadl_tf.runs.build import versions
from bgadl_tf.runs.config import GROWING_SETTINGS, MACHINE_SETTINGS
from bgadl_tf.runs.networks import make_learner
from bgadl_tf.runs.pipeline import pipeline_of
from bgadl_tf.runs.run_folder import RunFolder
from bgadl_tf.runs.user_network import kept_in

Moment = tuple[int, int]
"""Round, and gradient steps done in it."""


def export_run(run: Path, out: Path | None = None) -> ExportedModels:
    """Export the newest weights of a run, which may be unfinished or training elsewhere.

    Args:
        run: The run folder; only read, but for ``out``.
        out: Where the models go; None for ``export/`` of the run folder.

    Raises:
        ConfigError: The backbone of the run cannot be had, or is another one by now.
        RunFolderError: It is no run folder, or has no sound checkpoint yet.
        ExportError: The models cannot be written, or a server could not serve them.
    """
    folder = RunFolder(run)
    config = folder.config()
    if missing := {"learner", "classifier", "options", "class_names"} - set(config):
        raise RunFolderError(
            f"config.json of {run} lacks {', '.join(sorted(missing))}; expected that of a run of "
            "this version: train again in a new folder"
        )
    network = kept_in(run)
    learner = make_learner(config, network)
    if (known := classes_in(run / "checkpoints", learner)) < len(config["class_names"]):
        # The newest class was added after these weights were saved.
        config = {**config, "class_names": config["class_names"][:known]}
        learner = make_learner(config, network)
    weights = read_weights(run / "checkpoints", learner)
    moment = weights.round, weights.step
    facts = facts_of(config, _labelled(run, moment), moment)
    return _export(learner, out or run / "export", folder, config, facts)


def export_once(folder: RunFolder, learner: Learner, moment: Moment) -> ExportedModels | None:
    """Export the weights a learner has at the end of its run, unless that was done before.

    Args:
        folder: Of the run.
        learner: On any number of replicas.
        moment: What its weights are of.

    Returns:
        None where they are the newest version already.

    Raises:
        ExportError: The models cannot be written, or a server could not serve them.
        ConfigError: The backbone of the run cannot be had, or is another one by now.
    """
    config, out = folder.config(), folder.path / "export"
    facts = facts_of(config, _labelled(folder.path, moment), moment)
    newest = _newest_metadata(out / "classifier")
    if all(newest.get(key) == facts[key] for key in ("run", "round", "step", "labelled")):
        return None
    if classes_in(folder.path / "checkpoints", learner) < learner.classifier.classes:
        return export_run(folder.path)  # no step has seen the newest class
    return _export(learner, out, folder, config, facts)


def _export(
    learner: Learner, out: Path, folder: RunFolder, config: Json, facts: Json
) -> ExportedModels:
    return export_models(
        learner,
        out,
        mc_samples=config["mc_samples"],
        facts=facts,
        # Runs of before there was a choice stretched.
        resize=config.get("resize", "stretch"),
        pipeline=pipeline_of(config, folder.journal),
    )


def facts_of(config: Json, labelled: int, moment: Moment) -> Json:
    """What exported models say of the run they come from.

    ``run`` is the same for runs of equal settings. ``mask_seed`` is the one under which the loop
    itself would score the pool with the weights of a finished round.
    """
    others = (*MACHINE_SETTINGS, *GROWING_SETTINGS)
    protocol = {key: value for key, value in config.items() if key not in others}
    digest = hashlib.blake2b(json.dumps(protocol, sort_keys=True).encode(), digest_size=8)
    round_, step = moment
    return {
        "run": digest.hexdigest(),
        **{key: config[key] for key in ("dataset", "learner", "acquisition", "classifier")},
        "class_names": config["class_names"],
        "round": round_,
        "step": step,
        "labelled": labelled,
        "mask_seed": seeding.mask_seed(config["seed"], round_ + 1),
        "versions": versions(),
    }


def _labelled(run: Path, moment: Moment) -> int:
    """Labels that the weights may know; later ones can be in the ledger already."""
    for record in durable.read_json_lines(run / "rounds.jsonl", mend=False).records:
        if record["round"] == moment[0]:
            return int(record["labelled"])
    lines = durable.read_json_lines(run / "labels.jsonl", mend=False).records
    return len(labels_in(map(Record.from_json, lines), moment[0]))


def _newest_metadata(model: Path) -> Json:
    """That of a model's newest version; empty where there is none."""
    try:
        newest = model / str(publish.versions(model)[-1])
        return dict(json.loads((newest / METADATA).read_text()))
    except (IndexError, OSError, ValueError):
        return {}
