"""Scores of a whole pool: streamed, a few requests at a time, one seed and one version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bgadl_tf.core.errors import DataError, RejectedError, ServerError
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.images.png import to_png
from bgadl_tf.serving.client.answers import Scores
from bgadl_tf.serving.client.client import Client
from bgadl_tf.serving.client.images import batches
from bgadl_tf.serving.client.in_flight import map_in_flight

SIGNATURE = "bald_bytes_seeded"
"""What a pool is scored by."""


class Item(NamedTuple):
    """One image of a pool.

    Attributes:
        id: Its name.
        size: Bytes it will have, as far as known before it is read.
        read: Reads the bytes of its file; raises ``OSError`` where that fails.
    """

    id: Id
    size: int
    read: Callable[[], bytes]


class Scored(NamedTuple):
    """An image with its score.

    Attributes:
        id: Its name.
        bald: Mutual information of label and weights, nats.
        predictive_entropy: Nats.
        expected_entropy: Nats.
        label: The most probable class.
        probability: Of that class, mean over MC passes.
    """

    id: Id
    bald: float
    predictive_entropy: float
    expected_entropy: float
    label: Label
    probability: float


class Failed(NamedTuple):
    """An image without a score.

    Attributes:
        id: Its name.
        error: Why: it could not be read, or the server calls it invalid.
    """

    id: Id
    error: str


Outcome = Scored | Failed


def score_pool(
    client: Client, items: Iterable[Item], seed: int, *, in_flight: int = 2
) -> Iterator[list[Outcome]]:
    """Scores every image; a bad one costs a few more requests and no other image.

    A request that the server calls invalid is halved and sent again until the images at fault
    are found.

    Args:
        client: The classifier; all requests go to one version of it.
        items: The pool, read lazily.
        seed: Of the dropout masks, one for all images.
        in_flight: Requests at a time. Images are read by the same threads.

    Yields:
        Outcomes of some images, every image once, in any order.

    Raises:
        ServerError: The server refuses even an image that is in order, is gone for too long, or
            serves another version by now.
    """
    sound = False

    def outcomes_of(batch: list[Item]) -> list[Outcome]:
        return _score(client, batch, seed)

    # Before threads start, which would all ask it.
    _ = client.signatures
    todo = batches(
        items, lambda item: item.size, count=client.batch_size, bytes_=client.batch_bytes
    )
    for outcomes in map_in_flight(outcomes_of, todo, in_flight):
        if not sound and not any(isinstance(outcome, Scored) for outcome in outcomes):
            _check_that_any_image_is_accepted(client, seed)
        sound = True
        yield outcomes


def _score(client: Client, batch: Sequence[Item], seed: int) -> list[Outcome]:
    outcomes: list[Outcome] = []
    ids: list[Id] = []
    contents: list[bytes] = []
    for item in batch:
        try:
            contents.append(item.read())
        except OSError as error:
            outcomes.append(Failed(item.id, f"cannot be read: {error.strerror or error}"))
        else:
            ids.append(item.id)
    return outcomes + _bisect(client, ids, contents, seed)


def _bisect(
    client: Client, ids: Sequence[Id], contents: Sequence[bytes], seed: int
) -> list[Outcome]:
    if not ids:
        return []
    try:
        scores = client.bald(contents, seed)
    except (DataError, RejectedError) as error:
        if len(ids) == 1:
            return [Failed(ids[0], str(error))]
        half = len(ids) // 2
        return [
            *_bisect(client, ids[:half], contents[:half], seed),
            *_bisect(client, ids[half:], contents[half:], seed),
        ]
    return _rows(ids, scores)


def _rows(ids: Sequence[Id], scores: Scores) -> list[Outcome]:
    labels = scores.probabilities.argmax(axis=1)
    return [
        Scored(
            id_,
            _short(scores.bald[row]),
            _short(scores.predictive_entropy[row]),
            _short(scores.expected_entropy[row]),
            int(labels[row]),
            _short(scores.probabilities[row, labels[row]]),
        )
        for row, id_ in enumerate(ids)
    ]


def _short(value: np.float32) -> float:
    """The shortest number that is this float32: 0.1, not 0.10000000149011612."""
    return float(str(value))


def _check_that_any_image_is_accepted(client: Client, seed: int) -> None:
    """Tells a pool of bad images from a model that accepts none."""
    probe = to_png(np.full((32, 32, 1), 128, np.uint8))
    try:
        client.bald([probe], seed)
    except RejectedError as error:
        raise ServerError(
            f"{client}, version {client.version}, refuses every image: {error}"
        ) from error
