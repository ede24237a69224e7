"""What a model answers, as typed arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import ScoreError, ServerError
from bgadl_tf.core.types import Floats, Labels
from bgadl_tf.serving.client.transport import Tensors


@dataclass(frozen=True)
class Predictions:
    """Class probabilities.

    Attributes:
        probabilities: float32 [N, C].
        label: The most probable class, int32 [N].
    """

    probabilities: Floats
    label: Labels

    @classmethod
    def of(cls, answers: Sequence[Tensors]) -> Self:
        """Joins the answers to several requests."""
        joined = join(answers)
        return cls(
            joined["probabilities"].astype(np.float32, copy=False),
            joined["label"].astype(np.int32, copy=False),
        )


@dataclass(frozen=True)
class Scores:
    """How much a label of each image would teach.

    Attributes:
        bald: Mutual information of label and weights, nats, float32 [N].
        predictive_entropy: Entropy of the mean prediction, nats, float32 [N].
        expected_entropy: Mean entropy of the predictions, nats, float32 [N].
        probabilities: Mean of the predictions over MC passes, float32 [N, C].
        seed: What the dropout masks were drawn from, int64 [N]; asked for again, it gives the
            same scores.
    """

    bald: Floats
    predictive_entropy: Floats
    expected_entropy: Floats
    probabilities: Floats
    seed: NDArray[np.int64]

    @classmethod
    def of(cls, answers: Sequence[Tensors]) -> Self:
        """Joins the answers to several requests.

        Raises:
            ScoreError: A score is not finite.
        """
        joined = join(answers)
        names = ("bald", "predictive_entropy", "expected_entropy", "probabilities")
        for name in names:
            if not np.isfinite(joined[name]).all():
                raise ScoreError(
                    f"the server answered with a value of {name!r} that is not finite; the model "
                    "it serves is broken: export it anew"
                )
        values = {name: joined[name].astype(np.float32, copy=False) for name in names}
        return cls(**values, seed=joined["seed"].astype(np.int64, copy=False))


def join(answers: Sequence[Tensors]) -> Tensors:
    """Rows of several answers, in order."""
    return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}


def check_rows(answer: Tensors, count: int) -> None:
    """Refuses an answer that has not one row for every row that was asked.

    Raises:
        ServerError: It has not.
    """
    for name, values in answer.items():
        if values.shape[:1] != (count,):
            raise ServerError(
                f"the server answered with {name!r} of shape {list(values.shape)} where {count} "
                "rows were asked for"
            )
