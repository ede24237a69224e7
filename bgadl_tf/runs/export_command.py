"""``bgadl export``: its flags, and what it prints. Starts fast: the rest is imported to run."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs import model_file
from bgadl_tf.runs.model_file import ModelFile

if TYPE_CHECKING:
    from bgadl_tf.export.models import ExportedModels

DESCRIPTION = """Export the newest weights of a run, finished or not, or a Keras model that was
trained elsewhere, as the next version of models that TensorFlow Serving loads, with signatures of
their BALD score."""


def add_export_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of ``bgadl export``."""
    run = "the run folder"
    parser.add_argument("run", type=Path, nargs="?", metavar="RUN", help=run)
    file = "instead of a run: a classifier that model.save(...) wrote, FILE.keras[:LAYER]"
    parser.add_argument("--model", metavar="FILE.keras", help=file)
    out = "where the models go (default: RUN/export)"
    parser.add_argument("--out", type=Path, metavar="FOLDER", help=out)
    model_file.add_model_file_flags(parser)


def run(*, run: Path | None, model: str | None, out: Path | None, **flags: Any) -> int:
    """Export, and say what was exported. Arguments are the flags.

    Returns:
        Exit status.

    Raises:
        BgadlError: It cannot be done.
    """
    given = model_file.taken(flags)
    if (run is None) == (model is None):
        raise ConfigError("give either a RUN or --model FILE.keras")
    from bgadl_tf.core import backend

    backend.check()
    if run is not None:
        model_file.refuse(given)
        from bgadl_tf.runs.export import export_run

        print(summary(export_run(run, out)))
        return 0
    if out is None:
        raise ConfigError("--model needs --out FOLDER, where the exported model goes")
    file = ModelFile.of_flags(str(model), given)
    from bgadl_tf.runs.model_export import export_model_file

    print(summary(export_model_file(file, out)))
    return 0


def summary(exported: ExportedModels) -> str:
    """What was exported, where, under which signatures, and how to serve it."""
    facts, lines = exported.facts, []
    for model, signatures in exported.signatures.items():
        lines.append(f"  {exported.folder(model)}: {', '.join(signatures)}")
        if model == "classifier" and "bald" not in signatures:
            lines.append("    (no BALD: the classifier has no dropout)")
    base = (exported.out / "classifier").resolve()
    what = facts["classifier"]
    if "round" in facts:
        what = (
            f"the weights of round {facts['round']}, step {facts['step']}, from "
            f"{facts['labelled']} labels"
        )
    serve = (
        "serve it: python -m bgadl_tf.serving --rest_api_port=8501 --model_name=classifier "
        f"--model_base_path={shlex.quote(str(base))}"
    )
    return "\n".join([f"exported as version {exported.version}: {what}", *lines, serve])
