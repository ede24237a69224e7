"""What a served classifier or generator is asked, with types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import ConfigError, DataError
from bgadl_tf.core.seeding import SEEDS
from bgadl_tf.core.types import Images
from bgadl_tf.data.images import formats
from bgadl_tf.data.images.png import to_png
from bgadl_tf.data.images.prepared import prepared
from bgadl_tf.serving.client.answers import Predictions, Scores, check_rows, join
from bgadl_tf.serving.client.images import batches, is_images, strings
from bgadl_tf.serving.client.pinned import PinnedModel
from bgadl_tf.serving.client.retry import Retry
from bgadl_tf.serving.client.transport import Inputs, Names, Tensors, Transport


class Client(PinnedModel):
    """Typed calls to one version of a served model.

    Images to classify or score are pixels or the bytes of image files, as many as one likes:
    they travel in requests of bounded size, over REST always as files, and the server resizes
    them to the model's size. What training reads of a file is what is scored: a file that a
    served model would decode otherwise, or not at all (it is turned, large, has 16 bits, or is no
    PNG or JPEG), is sent as a PNG.

    Args:
        address: ``http://HOST:8501``, ``https://HOST`` or ``grpc://HOST:8500``; or what takes the
            place of a server and its model, as ``serving.local`` does, and is closed with this.
        model: Name of the model on the server.
        version: Version to ask; None for the highest that is available at the first request.
        label: Label of the version to ask, instead of ``version``.
        timeout: Seconds a single request may last.
        retry: When to ask a busy server again; two minutes by default.
        connections: Connections to keep open, one for each thread that makes requests.
        batch_size: Most images of a request.
        batch_bytes: Most bytes of the images of a request.

    Raises:
        ConfigError: The address is none, or a setting cannot work.
    """

    def __init__(
        self,
        address: str | Transport,
        model: str = "classifier",
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 30.0,
        retry: Retry | None = None,
        connections: int = 4,
        batch_size: int = 32,
        batch_bytes: int = 8 * 2**20,
    ) -> None:
        if batch_size < 1 or batch_bytes < 1:
            raise ConfigError(f"batch size is {min(batch_size, batch_bytes)}; it must be positive")
        super().__init__(address, model, version, label, timeout, retry, connections)
        self.batch_size, self.batch_bytes = batch_size, batch_bytes

    def classify(self, images: Images | Sequence[bytes]) -> Predictions:
        """Class probabilities of images.

        Args:
            images: uint8 [N, H, W, D], or the bytes of N image files, N at least 1.

        Raises:
            DataError: A file is no image, or damaged.
            ServerError: As for ``predict``.
        """
        outputs = ("probabilities", "label")
        return Predictions.of(
            [
                self._rows(names[1], {names[0]: rows}, outputs)
                for names, rows in self._image_inputs(images, "serving_default", "serving_bytes")
            ]
        )

    def bald(self, images: Images | Sequence[bytes], seed: int | None = None) -> Scores:
        """Scores of images. A score depends on image and seed alone, not on its neighbours.

        Args:
            images: uint8 [N, H, W, D], or the bytes of N image files, N at least 1.
            seed: Below 2**53; None to let the server draw one for every request.

        Raises:
            ConfigError: The seed is out of range.
            DataError: A file is no image, or damaged.
            ScoreError: The server answered with a score that is not finite.
            ServerError: As for ``predict``.
        """
        suffix = "" if seed is None else "_seeded"
        answers = []
        for (key, name), rows in self._image_inputs(images, f"bald{suffix}", f"bald_bytes{suffix}"):
            inputs = {key: rows}
            if seed is not None:
                inputs["seed"] = np.full(len(rows), check_seed(seed), dtype=np.int64)
            answers.append(self._rows(name, inputs))
        return Scores.of(answers)

    def generate(self, labels: Sequence[int], seeds: Sequence[int]) -> Images:
        """Images G(u, y) of a served generator.

        Args:
            labels: Class y of every image, [N].
            seeds: What u is drawn from, [N], each below 2**53.

        Returns:
            uint8 [N, H, W, D].

        Raises:
            ServerError: As for ``predict``.
        """
        inputs = {"label": _int64(labels), "seed": _int64([check_seed(seed) for seed in seeds])}
        return self._generated("serving_default", inputs)

    def augment(self, images: Images, labels: Sequence[int], seeds: Sequence[int]) -> Images:
        """Images x' = G(E(x), y) of a served generator.

        Its signature takes no files: over REST these images are JSON numbers, so prefer gRPC.

        Args:
            images: The images x, uint8 [N, H, W, D].
            labels: Class y of every image, [N].
            seeds: What the latent draw of E is drawn from, [N], each below 2**53.

        Returns:
            uint8 [N, H, W, D].

        Raises:
            ServerError: As for ``predict``.
        """
        is_images(images)
        inputs: dict[str, NDArray[Any]] = {
            "images": images,
            "label": _int64(labels),
            "seed": _int64([check_seed(seed) for seed in seeds]),
        }
        return self._generated("augment", inputs)

    def _generated(self, name: str, inputs: Inputs) -> Images:
        lengths = {key: len(values) for key, values in inputs.items()}
        if len(set(lengths.values())) != 1:
            raise ConfigError(f"inputs have different lengths: {lengths}; expected one")
        count = next(iter(lengths.values()))
        answers = [
            self._rows(name, {key: values[rows] for key, values in inputs.items()}, ("images",))
            for rows in (
                slice(start, start + self.batch_size) for start in range(0, count, self.batch_size)
            )
        ]
        return join(answers)["images"]

    def _rows(self, name: str, inputs: Inputs, outputs: Names = None) -> Tensors:
        answer = self.predict(name, inputs, outputs)
        check_rows(answer, len(next(iter(inputs.values()))))
        return answer

    def _image_inputs(
        self, images: Images | Sequence[bytes], tensor: str, files: str
    ) -> Iterator[tuple[tuple[str, str], NDArray[Any]]]:
        """Batches of images with the input and the signature that take them."""
        if not len(images):
            raise DataError("there are no images to ask about")
        if isinstance(images, np.ndarray) and is_images(images):
            spec = self.signatures[tensor].inputs["images"] if tensor in self.signatures else None
            shape = None if spec is None or spec.shape is None else spec.shape[1:]
            # As numbers in JSON images would be many times as long as their PNG files. Those the
            # server also resizes.
            if not self.address.rest and shape == images.shape[1:]:
                rows = batches(
                    images,
                    lambda image: image.nbytes,
                    count=self.batch_size,
                    bytes_=self.batch_bytes,
                )
                yield from ((("images", tensor), np.stack(batch)) for batch in rows)
                return
            encoded: Iterator[bytes] = (to_png(image) for image in images)
        else:
            encoded = (_prepared(number, content) for number, content in enumerate(images))
        for batch in batches(encoded, len, count=self.batch_size, bytes_=self.batch_bytes):
            yield ("image_bytes", files), strings(batch)


def _prepared(number: int, content: bytes) -> bytes:
    """What is sent of a file."""
    if not isinstance(content, bytes):
        raise DataError(
            f"images[{number}] is a {type(content).__name__}; expected the bytes of an image file"
        )
    try:
        return prepared(content)
    except OSError as error:
        raise DataError(
            f"images[{number}] cannot be read: {error}; expected the bytes of a {formats.READ} file"
        ) from error


def check_seed(seed: int) -> int:
    """``seed`` itself.

    Raises:
        ConfigError: It is negative or 2**53 and more.
    """
    if not 0 <= seed < SEEDS:
        raise ConfigError(f"seed is {seed}; it must be from 0 to 2**53 - 1")
    return seed


def _int64(values: Sequence[int]) -> NDArray[np.int64]:
    return np.asarray(values, dtype=np.int64)
