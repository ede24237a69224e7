"""Case: features of images on disk, against the bare backbone's ``predict`` on the same in memory.

What is ours reads the images, decoding and resizing them, where the rival has them in memory; looks
whether the features are finite; and writes them, flushed to disk. Tracing and the digests of the
images, once a dataset, are not timed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from bgadl_tf.core.types import ImageShape
from bgadl_tf.data.embeddings.facts import Facts
from bgadl_tf.data.embeddings.store import FeatureStore, Lacking, Wanted
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.images.resized import Resized
from bgadl_tf.data.load import load_dataset
from bgadl_tf.engine.embedding import Embedder
from bgadl_tf.models.pretrained.backbone import Backbone
from bgadl_tf.models.pretrained.pixels import Pixels
from bgadl_tf.runs import embedding
from scripts.benchmarks import images
from scripts.benchmarks.measure import Contender
from scripts.benchmarks.results import Report
from scripts.benchmarks.settings import Settings


def run(settings: Settings, report: Report) -> None:
    """CIFAR-10 at 128 pixels, read from its files and from memory."""
    side, count = settings.pick(128, 32), settings.pick(2000, 40)
    network = _network(settings, (side, side, 3))
    backbone = Backbone(network, (side, side, 3), Pixels(0.0, 255.0))
    stored = _stored(settings, side, count)
    pixels = stored.examples[:]
    in_memory = ExampleSet(stored.ids, pixels, stored.labels)
    contenders = [
        _ours(backbone, f"{where}, {store}", part, store)
        for store in ("float16", "float32")
        for where, part in (("from files", stored), ("from memory", in_memory))
    ]
    bare = Contender(
        rival="predict alone, from memory",
        run=lambda: network.predict(pixels, verbose=0),
        work=count,
        unit="images/s",
    )
    setting = f"{network.name}, {count:,} images of {side} pixels"
    report.compare(setting, [*contenders, bare])


def _network(settings: Settings, shape: ImageShape) -> keras.Model:
    if settings.backbone is not None:
        network: keras.Model = keras.saving.load_model(settings.backbone, compile=False)
        return network
    return keras.applications.MobileNetV3Small(
        input_shape=shape, weights=None, include_top=False, pooling="avg"
    )


def _stored(settings: Settings, side: int, count: int) -> ExampleSet:
    """Colour images that are decoded and resized whenever they are read."""
    if images.BUILDERS[images.CIFAR] in images.real(settings.data_dir):
        whole = load_dataset(
            images.BUILDERS[images.CIFAR],
            data_dir=settings.data_dir,
            image_size=side,
            stream=True,
        ).train
        return whole.part(np.arange(count))
    train = images.dataset(images.CIFAR, settings.data_dir).train
    part = train.part(np.arange(count))
    return ExampleSet(part.ids, Resized(part.examples, side), part.labels)


def _ours(backbone: Backbone, name: str, part: ExampleSet, store: str) -> Contender:
    height, width, channels = backbone.example_shape
    facts = Facts(
        backbone="", fingerprint="", dataset={"dataset": ""}, resize="stretch", store=store,
        image_shape=(height, width, channels), precision="float32", views=0,
        features=backbone.compute_output_shape((None, *backbone.example_shape))[-1] or 0,
    )  # fmt: skip
    embedder = Embedder(backbone, tf.distribute.get_strategy(), folded=store == "float16")
    rows = np.arange(len(part))
    wanted = Wanted(part, rows.astype(np.uint64), with_views=False)
    lacking = Lacking(rows, features=True, views=range(0))

    def embed() -> None:
        with tempfile.TemporaryDirectory() as folder:
            kept = FeatureStore(Path(folder), facts)
            assert sum(embedding.fill_part(kept, wanted, lacking, embedder)) == len(part)

    return Contender(rival=name, run=embed, ours=True, work=len(part), unit="images/s")
