"""Whether a run whose rounds are over has what is made after them: pictures of the last, an export.

A process that is killed in between leaves neither; ``bgadl train`` makes both when it is called
again.
"""

from __future__ import annotations

import json

from bgadl_tf.study.runs import Run

_METADATA = "assets.extra/metadata.json"
"""Of an exported model; ``bgadl_tf.export.models``, which writes it, needs TensorFlow."""


def is_drawn(run: Run) -> bool:
    """Whether there is a picture of the last round, where the run draws its rounds."""
    figures, last = run.folder / "figures", _last_round(run)
    if figures.is_dir() and not (figures / "learning_curve.png").exists():
        return False
    pairs = "queried_and_generated_round_{:02d}.png"
    # Not every round that made examples has some that can be shown; then earlier ones have none.
    drawn = any((figures / pairs.format(number)).exists() for number in range(last))
    made = (run.folder / f"arrays/further/round_{last:02d}.npz").exists()
    return not (drawn and made) or (figures / pairs.format(last)).exists()


def is_exported(run: Run) -> bool:
    """Whether the newest export is of the last round."""
    models = run.folder / "export/classifier"
    versions = [int(path.name) for path in models.glob("*") if path.name.isdecimal()]
    if not versions:
        return False
    try:
        metadata = json.loads((models / str(max(versions)) / _METADATA).read_text())
        return int(metadata["round"]) >= _last_round(run)
    except (OSError, ValueError, LookupError, TypeError):
        return True  # Of an older version, which wrote other facts.


def _last_round(run: Run) -> int:
    return max((int(record["round"]) for record in run.rounds), default=0)
