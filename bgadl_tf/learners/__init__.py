"""Learners: how a classifier is fitted to what is labelled. One file each.

A learner is a ``keras.Model`` whose ``train_step`` is the algorithm; ``engine.trainer.Trainer``
drives it under any distribution strategy.
"""

from bgadl_tf.core import backend

backend.check()
