"""``bgadl harvest``: its flags, and what it prints. Starts fast: the rest is imported to run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bgadl_tf.harvest.harvest import Harvest

DESCRIPTION = """Bring back from production what a run should ask about next: score the images that
a served model was asked about, leave out what the pool holds or shows already, and add those above
a quantile of the scores to the run's pool. The next 'bgadl train' finds them. A command that was
stopped is simply given again."""


def add_harvest_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of ``bgadl harvest``."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the run folder, on folder:PATH")
    traffic = "folder of images, such as --request_log_dir of the embedded server"
    parser.add_argument("traffic", type=Path, metavar="TRAFFIC", help=traffic)

    group = parser.add_argument_group("what joins the pool").add_argument
    quantile = "of the BALD scores of the traffic that an image must be above (default: 0.9)"
    group("--quantile", type=float, metavar="Q", help=quantile)
    group("--most", type=int, metavar="K", help="the K most informative of these at most")
    distance = (
        "images whose features are nearer are one; 1 is usual between an image of the pool and its "
        "nearest neighbour (default: 0.5)"
    )
    group("--distance", type=float, help=distance)
    group("--dry-run", action="store_true", help="say what would join, and copy nothing")

    group = parser.add_argument_group("who scores").add_argument
    server = (
        "http://HOST:8501 (REST) or grpc://HOST:8500 (default: the newest export of the run, in "
        "this process)"
    )
    group("--server", metavar="ADDRESS", help=server)
    group("--model", metavar="NAME", help="name of the model there (default: classifier)")
    version = "its version; default: the highest that is available"
    group("--model-version", type=int, help=version)
    restart = "forget the scores of a command that was stopped"
    group("--restart", action="store_true", help=restart)


def run(
    *,
    run: Path,
    traffic: Path,
    quantile: float | None,
    most: int | None,
    distance: float | None,
    dry_run: bool,
    server: str | None,
    model: str | None,
    model_version: int | None,
    restart: bool,
) -> int:
    """Harvest, and say what was done. Arguments are the flags.

    Returns:
        Exit status.

    Raises:
        BgadlError: It cannot be done.
    """
    from bgadl_tf.core import backend
    from bgadl_tf.core.errors import ConfigError

    if server is None and (model, model_version) != (None, None):
        raise ConfigError("--model and --model-version name a model on a server; add --server")
    backend.check()
    from bgadl_tf.harvest.harvest import Settings, harvest
    from bgadl_tf.serving.ranking import Settings as RankSettings

    asked = {"server": server, "model": model, "version": model_version}
    how = RankSettings(restart=restart, **_given(asked))
    settings = Settings(
        most=most,
        dry_run=dry_run,
        server=server is not None,
        rank=how,
        **_given({"quantile": quantile, "distance": distance}),
    )
    found = harvest(run, traffic, settings)
    print("\n".join(_lines(found, run, settings.quantile, dry_run=dry_run)))
    if found.failed:
        print(f"bgadl: {found.failed} images have no score", file=sys.stderr)
    return 0


def _given(flags: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in flags.items() if value is not None}


def _lines(found: Harvest, run: Path, quantile: float, *, dry_run: bool) -> list[str]:
    scored = sum(found.decisions.values())
    lines = [f"{scored} images, scored by version {found.model_version}"]
    if found.threshold is not None:
        lines[0] += f"; the {quantile:g} quantile of BALD is {found.threshold:.4f} nats"
    lines += [f"  {count:6d} {what}" for what, count in found.decisions.items() if count]
    lines.append(f"all of them: {found.table}")
    if not found.joined:
        lines.append("nothing joins the pool")
    elif dry_run:
        lines.append("nothing was copied; leave out --dry-run to let them join")
    else:
        lines.append(f"the command that {run} was begun with finds what has joined its pool")
    return lines
