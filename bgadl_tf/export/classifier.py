"""Signatures of the classifier: its prediction, and BALD under fresh or given masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.core.types import Shape
from bgadl_tf.data.images.decode import decode_tensor
from bgadl_tf.data.images.resize import resize_tensor
from bgadl_tf.export import by_seed
from bgadl_tf.export.signatures import IMAGE_BYTES, SEED, Outputs, Signature, examples_spec
from bgadl_tf.models import predictive
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.predictive import Predictive


def classifier_signatures(
    classifier: Classifier, mc_samples: int, resize: str = "stretch"
) -> dict[str, Signature]:
    """What the classifier is served as; without stochastic layers there is no BALD.

    Args:
        classifier: Its variables become the model's.
        mc_samples: K.
        resize: How encoded images of another size get that of the model, of ``resize.MODES``.
    """
    space = classifier.space
    examples = examples_spec(space)

    # Traced once however many signatures call them.
    @tf.function(input_signature=[examples], autograph=False)
    def prediction(examples: tf.Tensor) -> Outputs:
        log_probs = classifier.head(classifier.features(space.to_float(examples)))
        return {"probabilities": tf.exp(log_probs), "label": tf.argmax(log_probs, axis=1)}

    def score(features: tf.Tensor, seed: tf.Tensor) -> Predictive:
        masks = predictive.seeded_masks(classifier.head, seed, mc_samples)
        return predictive.predict(classifier.head, features, masks)

    @tf.function(input_signature=[examples, SEED], autograph=False)
    def bald(examples: tf.Tensor, seed: tf.Tensor) -> Outputs:
        features = classifier.features(space.to_float(examples))
        moments = by_seed.predict(score, features, seed, classifier.classes)
        return {
            "bald": scores.mutual_information(moments),
            "predictive_entropy": scores.predictive_entropy(moments),
            "expected_entropy": moments.expected_entropy,
            "probabilities": moments.mean_probs,
            "seed": tf.identity(seed),
        }

    def fresh_bald(examples: tf.Tensor) -> Outputs:
        outputs: Outputs = bald(examples, by_seed.fresh(tf.shape(examples)[0]))
        return outputs

    signatures = {"serving_default": Signature((examples,), prediction)}
    if classifier.is_stochastic:
        signatures["bald"] = Signature((examples,), fresh_bald)
        signatures["bald_seeded"] = Signature((examples, SEED), bald)
    if len(space.shape) == 3:
        signatures |= _of_bytes(signatures, space.shape, resize)
    return signatures


def _of_bytes(
    signatures: Mapping[str, Signature], shape: Shape, resize: str
) -> dict[str, Signature]:
    """The same for encoded images, under the names that clients call them by."""
    names = {
        "serving_default": "serving_bytes",
        "bald": "bald_bytes",
        "bald_seeded": "bald_bytes_seeded",
    }

    def decoding(run: Callable[..., Outputs]) -> Callable[..., Outputs]:
        return lambda image_bytes, *rest: run(_decoded(image_bytes, shape, resize), *rest)

    return {
        names[name]: Signature((IMAGE_BYTES, *signature.inputs[1:]), decoding(signature.run))
        for name, signature in signatures.items()
    }


def _decoded(image_bytes: tf.Tensor, shape: Shape, resize: str) -> tf.Tensor:
    """Images ``uint8 [N, H, W, D]`` of encoded ones ``[N]``, as a folder of files is read."""
    height, width, channels = shape

    def one(encoded: tf.Tensor) -> tf.Tensor:
        resized = resize_tensor(decode_tensor(encoded, channels), (height, width), resize)
        return tf.ensure_shape(resized, shape)

    return tf.map_fn(
        one,
        image_bytes,
        parallel_iterations=by_seed.PARALLEL,
        fn_output_signature=tf.TensorSpec(shape, tf.uint8),
    )
