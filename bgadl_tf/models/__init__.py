"""Networks: classifiers, encoder, generator, discriminator, and the loss terms they share."""

from bgadl_tf.core import backend

backend.check()
