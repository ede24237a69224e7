"""What a scorer sees, whole."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.core.types import Floats
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.models.predictive import Predictive


def moments(evidence: Evidence) -> tuple[tf.Tensor, ...]:
    """A look at the moments over the passes."""
    return tuple(evidence.moments)


def bald(evidence: Evidence) -> tf.Tensor:
    """A look at the mutual information."""
    return scores.mutual_information(evidence.moments)


def predict(scorer: Scorer, examples: ExampleSource, mask_seed: int) -> Predictive:
    """The predictive distribution of every example, NumPy arrays ``[N, ...]``."""
    parts = [*scorer.look(examples, mask_seed, moments)]
    return Predictive(*(np.concatenate(moment) for moment in zip(*parts, strict=True)))


def bald_of(scorer: Scorer, examples: ExampleSource, mask_seed: int) -> Floats:
    """Mutual information of every example, ``[N]``."""
    return np.concatenate([part for (part,) in scorer.look(examples, mask_seed, bald)])
