"""Before anything imports TensorFlow: the tests compute as the command line does."""

from bgadl_tf.core import environment

environment.prepare()
