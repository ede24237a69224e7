"""Which images of the traffic join the pool, and what is to be said of the others."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bgadl_tf.core.errors import plain
from bgadl_tf.core.types import Floats, Id, Json
from bgadl_tf.data.images import reading
from bgadl_tf.data.images.header import UnreadableError
from bgadl_tf.data.images.prepared import prepared
from bgadl_tf.harvest import near_duplicates
from bgadl_tf.harvest.features import RunFeatures
from bgadl_tf.harvest.near_duplicates import Near
from bgadl_tf.runs.open_run import OpenRun
from bgadl_tf.serving.sources import Source

POOL = "unlabelled"
"""Folder of the dataset that new images come into."""

JOINS, NEAR, KNOWN = "joins", "near-duplicate", "in the pool already"
BELOW, UNFIT, SPARE = "below the quantile", "cannot join", "beyond the most"
DECISIONS = (JOINS, NEAR, KNOWN, BELOW, UNFIT, SPARE)

SUFFIXES = {
    "PNG": ".png", "JPEG": ".jpg", "GIF": ".gif", "WebP": ".webp", "BMP": ".bmp", "TIFF": ".tif",
    "AVIF": ".avif",
}  # fmt: skip


class Decision(NamedTuple):
    """What becomes of an image.

    Fields:
        decision: Of ``DECISIONS``.
        of: What it is a near-duplicate of; or why it cannot join.
        distance: To that, in usual distances.
        pool_id: What it is called in the pool, or would be.
    """

    decision: str
    of: str = ""
    distance: float | None = None
    pool_id: Id = ""


class Deciding:
    """Decides about images, the most informative first.

    Args:
        run: Open; its newest weights tell what images show.
        source: The traffic.
        distance: From which on two images differ, in usual distances.
        most: How many may join; None for all.
    """

    def __init__(self, run: OpenRun, source: Source, distance: float, most: int | None) -> None:
        self._run, self._source, self._distance, self._most = run, source, distance, most
        self._features = RunFeatures(run)

    def of(self, rows: Sequence[Json], threshold: float | None) -> list[Decision]:
        """One decision a row.

        Args:
            rows: Of a ranking.
            threshold: BALD that candidates are above, nats; None where all are.
        """
        looked = [self._looked_at(row, threshold) for row in rows]
        decisions = [decision for decision, _ in looked]
        vectors = {place: vector for place, (_, vector) in enumerate(looked) if vector is not None}
        compared = self._compared([rows[place]["id"] for place in vectors], [*vectors.values()])
        for place, decision in zip(vectors, compared, strict=True):
            decisions[place] = decision._replace(pool_id=decisions[place].pool_id)
        return decisions

    def _looked_at(self, row: Json, threshold: float | None) -> tuple[Decision, Floats | None]:
        """Whether an image by itself could join, with its features if it could."""
        if threshold is not None and row["bald"] <= threshold:
            return Decision(BELOW), None
        assert self._source.file is not None
        config, dataset = self._run.setup.config, self._run.loop.dataset
        try:
            content = self._source.file(row["id"])
            header = reading.read_header(io.BytesIO(content))
            digest = hashlib.blake2b(content, digest_size=16).hexdigest()
            pool_id = f"{POOL}/harvested-{digest}{SUFFIXES[header.format]}"
            if pool_id in dataset.train:
                return Decision(KNOWN, pool_id=pool_id), None
            size = (header.height, header.width)
            shape = dataset.shape if dataset.embedded is None else dataset.embedded.image_shape
            if config.image_size is None and size != tuple(shape[:2]):
                why = (
                    f"it has {header.width}x{header.height} pixels, and without --image-size the "
                    f"run learns from {shape[1]}x{shape[0]}"
                )
                return Decision(UNFIT, why), None
            return Decision(JOINS, pool_id=pool_id), self._features.of_file(prepared(content))
        except UnreadableError as error:
            return Decision(UNFIT, str(error)), None
        except OSError as error:
            return Decision(UNFIT, error.strerror or str(error)), None
        except tf.errors.InvalidArgumentError as error:
            return Decision(UNFIT, f"damaged: {plain(str(error))}"), None

    def _compared(self, ids: Sequence[Id], features: Sequence[Floats]) -> list[Decision]:
        """Of every candidate, whether it shows what another image shows already."""
        if not features:
            return []
        usual = self._usual()
        vectors = np.stack(features) / usual
        known = ((ids, chunk / usual) for ids, chunk in self._features.known())
        near = near_duplicates.nearest_known(vectors, known)
        found = near_duplicates.distinct(ids, vectors, near, self._distance, self._most)
        decisions = [Decision(JOINS) if near is None else _near(near) for near in found]
        return decisions + [Decision(SPARE)] * (len(ids) - len(found))

    def _usual(self) -> float:
        """Usual distance of neighbours in the pool, of the sample that is spread over it."""
        count = len(self._run.loop.dataset.train)
        rows = np.unique(np.linspace(0, count - 1, min(count, near_duplicates.SAMPLE)).astype(int))
        sample = [chunk for _, chunk in self._features.of(self._run.loop.dataset.train, rows)]
        return near_duplicates.usual_distance(np.concatenate(sample))


def _near(closest: Near) -> Decision:
    return Decision(NEAR, closest.id or "", round(closest.distance, 4))
