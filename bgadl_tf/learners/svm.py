"""A support vector machine: a hinge loss and a penalty, and nothing else.

With classifier ``linear`` it is the linear SVM of SVM-active (Tong and Koller 2001) and of GAAL
(Zhu and Bento 2017); with a deep one, the same machine on features that are learned with it (Tang,
"Deep Learning using Linear Support Vector Machines", 2013). See ``hinge`` for the objective.
"""

from __future__ import annotations

import keras

from bgadl_tf.learners.hinge import HingeLearner
from bgadl_tf.learners.learner import LEARNERS


@LEARNERS.register("svm")
@keras.saving.register_keras_serializable("bgadl_tf")
class SVM(HingeLearner):
    """The classifier under hinge loss.

    What it calls probabilities is softmax of the margins: it ranks classes as the margins do, and
    nothing has calibrated it. Uncertainty is better read from distances to the boundary (``mase``).
    """
