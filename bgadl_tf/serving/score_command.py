"""``bgadl score``: its flags, and what it prints. Starts fast: the rest is imported to run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json

if TYPE_CHECKING:
    from bgadl_tf.serving.local.model import Exportable

SOME_FAILED = 4
"""Exit status: the ranking is written, but some images have no score."""

SERVER_FLAGS = ("server", "model_version", "label", "timeout", "patience")
"""What only a model on a server has."""

DESCRIPTION = """Rank images by how much their labels would teach a classifier (BALD), on a server
or in a file. All are scored with one seed by one version of the model. A command that was stopped,
kill -9 included, goes on where it was when it is given again."""


def add_score_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of ``bgadl score``."""
    group = parser.add_argument_group("what to score").add_argument
    folder = (
        "folder of images, in sub-folders or not; ids are paths relative to it, and what is no "
        "image is left out"
    )
    group("folder", type=Path, nargs="?", metavar="FOLDER", help=folder)
    dataset = "instead: folder:PATH, arrays:PATH, digits, or a TFDS builder (mnist, cifar10, ...)"
    group("--dataset", help=dataset)
    group("--data-dir", help="folder of prepared TFDS datasets")
    group("--split", default="train", help="train or test, of a dataset (default: train)")

    group = parser.add_argument_group("who scores").add_argument
    group(
        "--server",
        metavar="ADDRESS",
        help="http://HOST:8501 (REST) or grpc://HOST:8500; https:// and grpcs:// for TLS "
        "(default: http://127.0.0.1:8501)",
    )
    model = (
        "name of the model there (default: classifier); or, without any server, a classifier that "
        "model.save(...) wrote, FILE.keras or model:FILE.keras:LAYER"
    )
    group("--model", metavar="NAME|FILE.keras", help=model)
    version = "its version; default: the highest that is available"
    group("--model-version", type=int, help=version)
    group("--label", help="label of the version, instead of --model-version")
    seed = "of the dropout masks, below 2**53; default: drawn and recorded"
    group("--seed", type=int, help=seed)
    batch = "images of a request (default: %(default)s)"
    group("--batch-size", type=int, default=32, help=batch)
    group("--in-flight", type=int, default=2, help="requests at a time (default: %(default)s)")
    timeout = "a single request may last (default: 30)"
    group("--timeout", type=float, metavar="SECONDS", help=timeout)
    patience = "a server that is busy, or is started again, is waited for (default: 120)"
    group("--patience", type=float, metavar="SECONDS", help=patience)

    group = parser.add_argument_group("what comes out").add_argument
    out = (
        ".csv or .jsonl file for the ranking; images without a score go to "
        "FILE-without-ending.failed.csv"
    )
    group("--out", type=Path, required=True, metavar="FILE", help=out)
    top = "list the K images whose labels would teach most"
    group("--top", type=int, metavar="K", help=top)
    group("--copy-to", type=Path, metavar="FOLDER", help="copy these K images there, ids kept")
    restart = "forget the scores of a command that was stopped"
    group("--restart", action="store_true", help=restart)


def run(
    *,
    folder: Path | None,
    dataset: str | None,
    data_dir: str | None,
    split: str,
    out: Path,
    exportable: Exportable | None = None,
    **flags: Any,
) -> int:
    """Score, write, and say what was done.

    Arguments are the flags, None where one is not given, and the model in a file, if it is there.

    Returns:
        Exit status.

    Raises:
        BgadlError: It cannot be done.
    """
    from bgadl_tf.serving.local.model import LocalModel
    from bgadl_tf.serving.ranking import Settings, rank
    from bgadl_tf.serving.sources import dataset_source, folder_source

    if exportable is not None:
        _refuse_server_flags(exportable, flags)
    flags["version"] = flags.pop("model_version")
    how = Settings(**{k: v for k, v in flags.items() if v is not None})
    local = None if exportable is None else LocalModel(exportable, exportable.digest())
    if folder is not None and dataset is None:
        source = folder_source(folder)
    elif dataset is not None and folder is None:
        source = dataset_source(dataset, data_dir=data_dir, split=split)
    else:
        raise ConfigError("give either a FOLDER of images or --dataset NAME")
    ranking = rank(source, out, how, local)
    for record in ranking.top:
        print(_line(record))
    version = "" if local is not None else f"version {ranking.model_version} of "
    print(
        f"scored {ranking.scored} images with {version}{how.model!r}, seed {ranking.seed}; the "
        f"ranking is in {out}",
        file=sys.stderr,
    )
    for line in source.intake.lines():
        print(f"bgadl: {_printable(line)}", file=sys.stderr)
    for failure in ranking.not_copied:
        print(f"bgadl: not copied: {_printable(failure)}", file=sys.stderr)
    if ranking.failures is not None:
        images = "1 image has" if ranking.failed == 1 else f"{ranking.failed} images have"
        print(f"bgadl: {images} no score; see {ranking.failures}", file=sys.stderr)
    return SOME_FAILED if ranking.failures is not None or ranking.not_copied else 0


def _refuse_server_flags(exportable: Exportable, flags: Json) -> None:
    given = [f"--{n.replace('_', '-')}" for n in SERVER_FLAGS if flags.get(n) is not None]
    if given:
        raise ConfigError(
            f"{', '.join(given)}: only a model on a server takes that, and --model names the file "
            f"{exportable.name}; leave it out"
        )


def _line(record: Json) -> str:
    return _printable(
        f"{record['rank']}\t{record['bald']:.4f}\t{record['class_name']}\t{record['id']}"
    )


def _printable(text: str) -> str:
    """File names need not be UTF-8, but what is printed does."""
    return text.encode(errors="backslashreplace").decode()
