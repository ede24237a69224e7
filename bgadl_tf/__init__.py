"""Bayesian generative active deep learning for TensorFlow and Keras.

Importing this package imports neither TensorFlow nor Keras, so that light parts (errors,
configuration, clients) start fast; every subpackage imports what it needs.
"""

__version__ = "0.1.0"
