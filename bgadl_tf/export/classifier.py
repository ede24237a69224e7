"""Signatures of the classifier: its prediction, and BALD under fresh or given masks."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.core.types import ImageShape
from bgadl_tf.data.images.decode import decode_tensor
from bgadl_tf.data.images.resize import resize_tensor
from bgadl_tf.export import by_seed
from bgadl_tf.export.signatures import IMAGE_BYTES, SEED, Outputs, Signature, images_spec
from bgadl_tf.learners.base import to_float
from bgadl_tf.models import predictive
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.predictive import Predictive


def classifier_signatures(classifier: Classifier, mc_samples: int) -> dict[str, Signature]:
    """What the classifier is served as; without stochastic layers there is no BALD.

    Args:
        classifier: Its variables become the model's.
        mc_samples: K.
    """
    shape = classifier.image_shape
    images = images_spec(shape)

    # Traced once however many signatures call them.
    @tf.function(input_signature=[images], autograph=False)
    def prediction(images: tf.Tensor) -> Outputs:
        log_probs = classifier.head(classifier.features(to_float(images)))
        return {"probabilities": tf.exp(log_probs), "label": tf.argmax(log_probs, axis=1)}

    def score(features: tf.Tensor, seed: tf.Tensor) -> Predictive:
        masks = predictive.seeded_masks(classifier.head, seed, mc_samples)
        return predictive.predict(classifier.head, features, masks)

    @tf.function(input_signature=[images, SEED], autograph=False)
    def bald(images: tf.Tensor, seed: tf.Tensor) -> Outputs:
        features = classifier.features(to_float(images))
        moments = by_seed.predict(score, features, seed, classifier.classes)
        return {
            "bald": scores.mutual_information(moments),
            "predictive_entropy": scores.predictive_entropy(moments),
            "expected_entropy": moments.expected_entropy,
            "probabilities": moments.mean_probs,
            "seed": tf.identity(seed),
        }

    def fresh_bald(images: tf.Tensor) -> Outputs:
        outputs: Outputs = bald(images, by_seed.fresh(tf.shape(images)[0]))
        return outputs

    def of_bytes(run: Callable[..., Outputs]) -> Callable[..., Outputs]:
        return lambda image_bytes, **rest: run(_decoded(image_bytes, shape), **rest)

    signatures = {
        "serving_default": Signature((images,), prediction),
        "serving_bytes": Signature((IMAGE_BYTES,), of_bytes(prediction)),
    }
    if classifier.is_stochastic:
        signatures |= {
            "bald": Signature((images,), fresh_bald),
            "bald_bytes": Signature((IMAGE_BYTES,), of_bytes(fresh_bald)),
            "bald_seeded": Signature((images, SEED), bald),
            "bald_bytes_seeded": Signature((IMAGE_BYTES, SEED), of_bytes(bald)),
        }
    return signatures


def _decoded(image_bytes: tf.Tensor, shape: ImageShape) -> tf.Tensor:
    """Images ``uint8 [N, H, W, D]`` of encoded ones ``[N]``, as a folder of files is read."""
    height, width, channels = shape

    def one(encoded: tf.Tensor) -> tf.Tensor:
        resized = resize_tensor(decode_tensor(encoded, channels), (height, width))
        return tf.ensure_shape(resized, shape)

    return tf.map_fn(
        one,
        image_bytes,
        parallel_iterations=by_seed.PARALLEL,
        fn_output_signature=tf.TensorSpec(shape, tf.uint8),
    )
