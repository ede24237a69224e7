"""From trained networks to versioned SavedModels that a model server loads without this package."""

from bgadl_tf.core import backend

backend.check()
