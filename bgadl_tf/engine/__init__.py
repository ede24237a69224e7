"""What runs networks over many examples: training, scoring, distribution strategies."""

from bgadl_tf.core import backend

backend.check()
