"""MASE: the smallest distance to a decision boundary, in what the last layer sees.

Emam, Chu, Chiang, Czaja, Leapman, Goldblum and Goldstein, "Active Learning at the ImageNet Scale"
(2021): of an example of the predicted class k with logits f and the last layer's kernel w::

    min over j != k of (f_k - f_j) / |w_k - w_j|
"""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from bgadl_tf.acquisition import boundary
from bgadl_tf.acquisition.acquisition import ACQUISITIONS, ScoreAcquisition
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.learners.abilities import LinearHead


@ACQUISITIONS.register("mase")
@dataclass(frozen=True)
class MASE(ScoreAcquisition):
    """Asks where the deterministic pass is nearest to another prediction.

    Scores are minus the distance. Time: O(N C (P + C)) beside the passes, memory that of a chunk,
    and the distances of the classes' kernels, C^2.
    """

    needs = (LinearHead,)
    may_be_negative = True
    no_score = -boundary.FARTHEST

    def score(self, evidence: Evidence) -> tf.Tensor:
        distances = boundary.distances(evidence.log_probs, evidence.last_kernel)
        predicted = tf.argmax(evidence.log_probs, axis=1)
        return -tf.gather(distances, predicted, batch_dims=1)
