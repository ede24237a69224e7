"""Backbone, rounding and projection in a served graph."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.images.png import to_png
from bgadl_tf.data.projection import Projection
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.export.models import METADATA, export_models
from bgadl_tf.export.pipeline import Pipeline
from tests.support.embedded import projected, tiny_backbone
from tests.support.examples import some_images, some_labels, some_vectors
from tests.support.learners import small_learner
from tests.support.scoring import predict
from tests.support.session_model import SessionModel

IMAGES = some_images(60, (12, 12, 3))
SEEDS = np.full(60, 7, np.int64)


@pytest.mark.parametrize(("store", "components"), [("float32", None), ("float16", 9)])
def test_an_image_has_one_score(store: str, components: int | None, tmp_path: Path) -> None:
    dataset = projected(IMAGES, tmp_path, components, store)
    learner = small_learner("vaeacgan", "mlp", dataset.shape)
    exported = export_models(learner, tmp_path / "out", mc_samples=5, dataset=dataset)
    scorer = Scorer(learner, tf.distribute.get_strategy(), 5, chunk=16)
    found = predict(scorer, dataset.train.examples, 7)
    expected = np.asarray(scores.mutual_information(found), np.float32)
    assert np.ptp(expected) > 1e-3
    served = SessionModel(exported.folder("classifier"))
    answer = served("bald_seeded", images=IMAGES, seed=SEEDS)
    # Where features were kept as float16 a served one may be rounded to the neighbour.
    close = 1e-5 if store == "float32" else 1e-3
    np.testing.assert_allclose(answer["bald"], expected, rtol=0, atol=close)
    assert np.median(np.abs(answer["bald"] - expected)) < 1e-6
    encoded = np.array([to_png(image) for image in IMAGES])
    by_bytes = served("bald_bytes_seeded", image_bytes=encoded, seed=SEEDS)
    np.testing.assert_array_equal(by_bytes["bald"], answer["bald"])
    told = json.loads((exported.folder("classifier") / METADATA).read_text())
    assert told["image_shape"] == [12, 12, 3]
    assert dataset.embedded is not None
    assert told["backbone"] == {
        "fingerprint": dataset.embedded.fingerprint,
        "pixels": {"low": 0.0, "high": 255.0, "application": None},
        "features": 16,
        "store": store,
    }
    assert told["projection"] == {
        "features": 16, "components": components or 16, "turned": components is not None,
    }  # fmt: skip


def test_a_generator_speaks_features_and_is_sent_images(tmp_path: Path) -> None:
    dataset = projected(IMAGES, tmp_path, 9)
    learner = small_learner("vaeacgan", "mlp", dataset.shape)
    exported = export_models(learner, tmp_path / "out", mc_samples=5, dataset=dataset)
    served = SessionModel(exported.folder("generator"))
    label = np.arange(4, dtype=np.int64)
    made = served("serving_default", label=label, seed=SEEDS[:4])
    assert {name: (a.shape, a.dtype) for name, a in made.items()} == {
        "features": ((4, 9), np.dtype(np.float32))
    }
    images = IMAGES[:4]
    augmented = served("augment", images=images, label=label, seed=SEEDS[:4])["features"]
    # The same from the vectors themselves, through the export of a learner of vectors.
    plain = export_models(learner, tmp_path / "vectors", mc_samples=5)
    expected = SessionModel(plain.folder("generator"))(
        "augment", features=dataset.train.examples[np.arange(4)], label=label, seed=SEEDS[:4]
    )["features"]
    np.testing.assert_allclose(augmented, expected, rtol=0, atol=1e-5)
    told = json.loads((exported.folder("generator") / METADATA).read_text())
    assert told["generated"] == "features [9] of images, from the backbone, after the projection"


@pytest.mark.parametrize("components", [None, 5])
def test_vectors_from_elsewhere_are_projected_in_the_graph(
    components: int | None, tmp_path: Path
) -> None:
    vectors = some_vectors(60) * 3 + 1
    raw = Dataset.from_arrays(
        vectors, some_labels(60), test_examples=vectors, test_labels=some_labels(60)
    )
    dataset = Projection.fit(raw.train.examples, components).of(raw)
    learner = small_learner("plain", "mlp", dataset.shape)
    exported = export_models(learner, tmp_path / "out", mc_samples=5, dataset=dataset)
    found = predict(Scorer(learner, tf.distribute.get_strategy(), 5), dataset.train.examples, 7)
    answer = SessionModel(exported.folder("classifier"))(
        "bald_seeded", features=vectors, seed=SEEDS
    )
    np.testing.assert_allclose(
        answer["bald"], np.asarray(scores.mutual_information(found)), rtol=0, atol=1e-5
    )
    told = json.loads((exported.folder("classifier") / METADATA).read_text())
    assert told["features"] == 12
    assert "backbone" not in told


def test_another_backbone_in_the_same_place_is_refused(tmp_path: Path) -> None:
    dataset = projected(IMAGES, tmp_path, 9)
    assert dataset.embedded is not None
    assert not Pipeline.of(dataset).is_empty
    other = dataclasses.replace(
        dataset.embedded, backbone=tiny_backbone(tmp_path / "other.keras", seed=1)
    )
    for embedded, reason in (
        (other, "holds another network than the backbone of these features"),
        (dataclasses.replace(other, backbone=tmp_path / "no.keras"), "does not exist"),
    ):
        with pytest.raises(ConfigError, match=reason):
            Pipeline.of(dataclasses.replace(dataset, embedded=embedded))
