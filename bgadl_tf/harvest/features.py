"""Features of images and of a pool, by the newest weights of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from bgadl_tf.core.types import Examples, Floats, Id, Rows
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.images.decode import decode_tensor
from bgadl_tf.data.images.resize import resize_tensor
from bgadl_tf.data.source import gather
from bgadl_tf.export.pipeline import PipedClassifier, Pipeline
from bgadl_tf.models.spaces import space_of
from bgadl_tf.runs.open_run import OpenRun

CHUNK = 256
"""Examples that are looked at together."""


class RunFeatures:
    """What the classifier of a run makes of images.

    Args:
        run: Open; its newest weights are used.

    Raises:
        ConfigError: Its backbone cannot be had, or is another one by now.
    """

    def __init__(self, run: OpenRun) -> None:
        dataset, classifier = run.loop.dataset, run.loop.learner.classifier
        pipeline = Pipeline.of(dataset)
        served = classifier if pipeline.is_empty else PipedClassifier(classifier, pipeline)
        shape = pipeline.space(space_of(dataset.shape)).shape
        embedded = dataset.embedded
        resize = run.setup.config.resize if embedded is None else embedded.resize
        height, width, channels = shape

        @tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
        def of_file(content: tf.Tensor) -> tf.Tensor:
            image = resize_tensor(decode_tensor(content, channels), (height, width), resize)
            image = tf.ensure_shape(image, shape)[tf.newaxis]
            return served.features(served.space.to_float(image))[0]

        @tf.function(reduce_retracing=True, autograph=False)
        def of_examples(examples: tf.Tensor) -> tf.Tensor:
            return classifier.features(classifier.space.to_float(examples))

        self._of_file: Callable[[bytes], tf.Tensor] = of_file
        self._of_examples: Callable[[Examples], tf.Tensor] = of_examples
        self._dataset = dataset

    def of_file(self, content: bytes) -> Floats:
        """``[F]`` of a PNG or JPEG that is upright.

        Raises:
            tf.errors.InvalidArgumentError: It is damaged.
        """
        found: Floats = self._of_file(content).numpy()
        return found

    def known(self) -> Iterator[tuple[Sequence[Id], Floats]]:
        """Ids and features of the pool and of the test set, chunk by chunk."""
        for part in (self._dataset.train, self._dataset.test):
            yield from self.of(part, np.arange(len(part)))

    def of(self, part: ExampleSet, rows: Rows) -> Iterator[tuple[Sequence[Id], Floats]]:
        """Ids and features of some of its examples, chunk by chunk."""
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            examples = gather(part.examples, chunk)
            yield [part.ids[row] for row in chunk], self._of_examples(examples).numpy()
