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
from tests.support.pool_view import GivenEvidence


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


def seen(scorer: Scorer, examples: ExampleSource, mask_seed: int) -> GivenEvidence:
    """All evidence of every example, as NumPy arrays."""

    def everything(evidence: Evidence) -> tuple[tf.Tensor, ...]:
        passes = tf.transpose(evidence.passes, (1, 0, 2))
        return passes, evidence.features, evidence.penultimate, evidence.log_probs

    parts = zip(*scorer.look(examples, mask_seed, everything), strict=True)
    passes, *others = (np.concatenate(part) for part in parts)
    moments = predict(scorer, examples, mask_seed)
    kernel = scorer.learner.classifier.head.last_kernel().numpy()
    return GivenEvidence(passes.transpose(1, 0, 2), *others, moments, kernel)


def bald_of(scorer: Scorer, examples: ExampleSource, mask_seed: int) -> Floats:
    """Mutual information of every example, ``[N]``."""
    return np.concatenate([part for (part,) in scorer.look(examples, mask_seed, bald)])
