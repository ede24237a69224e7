"""Bayesian generative active deep learning for TensorFlow and Keras.

::

    import bgadl_tf

    classifier = bgadl_tf.Classifier.from_model(keras_model, classes=10)
    active = bgadl_tf.ActiveLearner(classifier, "bald", dataset, folder="runs/mine")
    query = active.ask(20)
    active.tell({query.ids[0]: 3, ...})
    active.fit()

What is exported here is imported when it is first used: ``import bgadl_tf`` alone imports neither
TensorFlow nor Keras, so that light parts (errors, configuration, clients) start fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bgadl_tf.acquisition.query import Query
    from bgadl_tf.data.dataset import Dataset
    from bgadl_tf.data.load import load_dataset
    from bgadl_tf.export.models import export_models
    from bgadl_tf.loop.active_learner import ActiveLearner
    from bgadl_tf.loop.callback import Callback
    from bgadl_tf.loop.plan import Plan
    from bgadl_tf.models.classifiers.base import Classifier
    from bgadl_tf.runs.config import RunConfig
    from bgadl_tf.runs.train import train

__version__ = "0.2.0"

__all__ = [
    "ActiveLearner",
    "Callback",
    "Classifier",
    "Dataset",
    "Plan",
    "Query",
    "RunConfig",
    "export_models",
    "load_dataset",
    "train",
]

_HOMES = {
    "ActiveLearner": "loop.active_learner",
    "Callback": "loop.callback",
    "Classifier": "models.classifiers.base",
    "Dataset": "data.dataset",
    "Plan": "loop.plan",
    "Query": "acquisition.query",
    "RunConfig": "runs.config",
    "export_models": "export.models",
    "load_dataset": "data.load",
    "train": "runs.train",
}
_NAMESPACES = (
    "acquisition", "core", "data", "engine", "export", "harvest", "labelling", "learners", "loop",
    "models", "runs", "serving", "study",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"bgadl_tf.{_HOMES[name]}"), name)
    if name in _NAMESPACES:
        return importlib.import_module(f"bgadl_tf.{name}")
    raise AttributeError(f"module 'bgadl_tf' has no attribute {name!r}; it has {__all__}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, *_NAMESPACES])
