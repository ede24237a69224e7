"""The models that a learner is exported as, written, checked and published together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError, ExportError, plain
from bgadl_tf.core.types import Json
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.images.formats import MOST_PIXELS
from bgadl_tf.data.images.resize import MODES
from bgadl_tf.export import publish, warmup
from bgadl_tf.export.classifier import classifier_signatures
from bgadl_tf.export.generator import generator_signatures
from bgadl_tf.export.metadata import as_text, metadata_signature
from bgadl_tf.export.pipeline import PipedClassifier, Pipeline
from bgadl_tf.export.signatures import Signature
from bgadl_tf.export.verify import verify
from bgadl_tf.learners.abilities import Generates
from bgadl_tf.learners.learner import Learner
from bgadl_tf.learners.previous import copy_weights
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.classifiers.keras_model import KerasModelClassifier
from bgadl_tf.models.spaces import Space

METADATA = Path("assets.extra/metadata.json")
"""Where a model's folder holds what its signature ``metadata`` tells."""


@dataclass(frozen=True)
class ExportedModels:
    """What one export has published.

    Args:
        out: Holds one folder a model.
        version: The number that is new in each.
        signatures: Names of the signatures of each model.
        facts: What the models say of the run they come from.
    """

    out: Path
    version: int
    signatures: Mapping[str, tuple[str, ...]]
    facts: Json

    def folder(self, model: str) -> Path:
        """Where the new version of a model is."""
        return self.out / model / str(self.version)


class _Model(NamedTuple):
    name: str
    signatures: dict[str, Signature]
    metadata: Json


def export_models(
    learner: Learner,
    out: Path | str,
    *,
    mc_samples: int = 20,
    facts: Json | None = None,
    resize: str = "stretch",
    dataset: Dataset | None = None,
    pipeline: Pipeline | None = None,
) -> ExportedModels:
    """Publish the next version of a learner's classifier, and of its generator if it has one.

    Args:
        learner: Its networks are copied; they may live on several replicas.
        out: Holds one folder a model.
        mc_samples: K of the BALD signatures.
        facts: What the models are to say of themselves beside their shapes and signatures.
        resize: How the classifier brings encoded images of another size to its own, of
            ``images.resize.MODES``.
        dataset: What the learner learns from: where its vectors are the features of a backbone, or
            projected, the models do the same to what they are sent. None for what is learnt from
            as it is.
        pipeline: Instead of ``dataset``: what examples have gone through.

    Raises:
        ConfigError: There is no such way to resize, or the backbone of a dataset cannot be had.
        ExportError: A model cannot be written, or a server could not serve it. Nothing is left.
    """
    out, facts = Path(out), facts or {}
    if resize not in MODES:
        raise ConfigError(f"resize is {resize!r}; choose from {', '.join(MODES)}")
    if pipeline is None:
        pipeline = Pipeline(resize=resize) if dataset is None else Pipeline.of(dataset)
    if pipeline.backbone is None:
        pipeline = dataclasses.replace(pipeline, resize=resize)
    try:
        copy = on_one_device(learner)
    except (TypeError, ValueError) as error:
        raise ExportError(
            f"the classifier cannot be copied: {plain(str(error))}; register its layers with "
            "keras.saving.register_keras_serializable"
        ) from error
    try:
        models = _models(copy, mc_samples, facts, pipeline)
        with publish.unfinished(out, [model.name for model in models]) as folders:
            for model in models:
                _write(model, pipeline.space(copy.space), folders[model.name])
            version = publish.publish([*folders.values()])
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or plain(str(error))
        raise ExportError(f"cannot export to {out}: {reason}; nothing was published") from error
    return ExportedModels(
        out, version, {model.name: (*model.signatures,) for model in models}, facts
    )


def on_one_device(learner: Learner) -> Learner:
    """A copy whose variables a SavedModel can hold, wherever the learner was trained; final."""
    copy: Learner = type(learner).from_config(learner.get_config())
    for name, network in copy.networks.items():
        copy_weights(learner.networks[name], network)
    copy.classifier.freeze()
    return copy


def _models(learner: Learner, mc_samples: int, facts: Json, pipeline: Pipeline) -> list[_Model]:
    classifier, space, resize = learner.classifier, learner.space, pipeline.resize
    front = classifier if pipeline.is_empty else PipedClassifier(classifier, pipeline)
    served = {"classifier": classifier_signatures(front, mc_samples, resize)}
    if isinstance(learner, Generates):
        served["generator"] = generator_signatures(learner, space, classifier.classes, pipeline)
    models = []
    for name, signatures in served.items():
        metadata = {
            "model": name,
            **_of_space(pipeline.space(space)),
            **pipeline.to_json(),
            **_of_generated(name, space, pipeline),
            **(_of_files(resize) if "serving_bytes" in signatures else {}),
            "classes": classifier.classes,
            "mc_samples": mc_samples if classifier.is_stochastic else None,
            "precision": classifier.dtype_policy.name,
            **_of_network(classifier),
            "signatures": [*signatures, "metadata"],
            **facts,
        }
        models.append(
            _Model(name, {**signatures, "metadata": metadata_signature(metadata)}, metadata)
        )
    return models


def _of_space(space: Space) -> Json:
    """What metadata say of the examples."""
    if len(space.shape) == 3:
        return {"image_shape": list(space.shape), "pixel_range": [0, 255]}
    return {"features": space.shape[0]}


def _of_generated(name: str, space: Space, pipeline: Pipeline) -> Json:
    """What metadata say of that which a generator makes, where it is not what it is sent."""
    if name != "generator" or pipeline.is_empty:
        return {}
    of = "vectors that are sent" if pipeline.backbone is None else "images, from the backbone"
    how = " as they are" if pipeline.projection is None else " after the projection"
    return {"generated": f"features [{space.shape[0]}] of {of},{how}"}


def _of_network(classifier: Classifier) -> Json:
    """What metadata say of a user's network; its scaling is part of the graph."""
    if not isinstance(classifier, KerasModelClassifier):
        return {}
    trunk = classifier.trunk
    return {"network": {"name": trunk.network.name, "expects_pixels": trunk.pixels.to_json()}}


def _of_files(resize: str) -> Json:
    """What metadata say of encoded images; other clients than ours must know it."""
    return {
        "resize": resize,
        "image_bytes": f"8-bit PNG or JPEG, upright as stored (EXIF is ignored), at most "
        f"{MOST_PIXELS} pixels; bgadl_tf's client sends any other image that training reads as a "
        "PNG of this kind",
    }


def _write(model: _Model, space: Space, folder: Path) -> None:
    """Write a model, with what a server replays and a person reads, and check it."""
    archive = keras.export.ExportArchive()
    for name, signature in model.signatures.items():
        archive.add_endpoint(name, signature, input_signature=[*signature.inputs])
    # Not track(): a second copy of the variables would be saved, and servers would find neither.
    archive.write_out(str(folder), verbose=False)
    requests = warmup.requests(model.signatures, space)
    extra = folder / METADATA.parent
    extra.mkdir()
    (folder / METADATA).write_text(as_text(model.metadata) + "\n")
    warmup.write(extra / warmup.FILE, model.name, requests)
    verify(folder, requests)
