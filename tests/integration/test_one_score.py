"""An image has one score: of the loop, a reloaded export, and a server over REST and gRPC."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.core.types import Floats, Images
from bgadl_tf.data.images.png import to_png
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.export.models import export_models
from bgadl_tf.learners.learner import Learner
from bgadl_tf.serving.client.client import Client
from tests.support.embedded import projected
from tests.support.examples import some_images
from tests.support.learners import small_learner
from tests.support.scoring import predict
from tests.support.server_process import ServerProcess, serving, write_config
from tests.support.session_model import SessionModel

MC_SAMPLES, SEED, COUNT = 20, 2**53 - 5, 40
MODELS = {
    "mnist": ("gal_cnn", (28, 28, 1)),
    "cifar": ("resnet18", (32, 32, 3)),
    "features": ("mlp", (9,)),
}
CLOSE = {"rtol": 0.0, "atol": 1e-5}


class Served:
    """A classifier with its images, their scores in the loop, and where it is exported."""

    def __init__(self, name: str, folder: Path) -> None:
        classifier, shape = MODELS[name]
        learner = small_learner("plain", classifier, shape)
        examples: ExampleSource
        dataset = None
        if name == "features":
            self.images: Images = some_images(COUNT, (12, 12, 3))
            dataset = projected(self.images, folder, components=9)
            examples = dataset.train.examples
        else:
            self.images = some_images(COUNT, shape)
            examples = self.images
            move_batch_norm(learner, self.images)
        scorer = Scorer(learner, tf.distribute.get_strategy(), MC_SAMPLES, chunk=16)
        self.bald: Floats = np.asarray(
            scores.mutual_information(predict(scorer, examples, SEED)), np.float32
        )
        exported = export_models(
            learner, folder / name, mc_samples=MC_SAMPLES, facts={}, dataset=dataset
        )
        self.folder = exported.folder("classifier")


def move_batch_norm(learner: Learner, images: Images) -> None:
    """Statistics that are not the initial ones, as after training."""
    for _ in range(20):
        learner.classifier(learner.space.to_float(tf.constant(images)), training=True)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Served]:
    folder = tmp_path_factory.mktemp("one_score")
    return {name: Served(name, folder) for name in MODELS}


@pytest.fixture(scope="module")
def server(
    models: dict[str, Served], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """Both models behind a server that merges requests."""
    folder = tmp_path_factory.mktemp("server")
    config = write_config(
        folder / "models.config",
        {name: model.folder.parent for name, model in models.items()},
    )
    with serving(folder, f"--model_config_file={config}", "--enable_batching") as started:
        for name in models:
            started.wait_for(name, 1)
        yield started


@pytest.fixture(params=list(MODELS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_scores_are_worth_comparing(models: dict[str, Served], name: str) -> None:
    assert models[name].bald.min() >= 0
    assert np.ptp(models[name].bald) > 1e-3


def test_a_reloaded_export(models: dict[str, Served], name: str) -> None:
    model = models[name]
    seeds = np.full(COUNT, SEED, np.int64)
    loaded = tf.saved_model.load(str(model.folder))
    by_python = loaded.signatures["bald_seeded"](
        images=tf.constant(model.images), seed=tf.constant(seeds)
    )
    np.testing.assert_allclose(by_python["bald"], model.bald, **CLOSE)
    by_session = SessionModel(model.folder)("bald_seeded", images=model.images, seed=seeds)
    np.testing.assert_allclose(by_session["bald"], model.bald, **CLOSE)


@pytest.mark.parametrize("transport", ["rest", "grpc_address"])
@pytest.mark.parametrize("batch_size", [1, 7, COUNT])
def test_the_server(
    models: dict[str, Served], server: ServerProcess, name: str, transport: str, batch_size: int
) -> None:
    address = server.rest if transport == "rest" else f"grpc://{server.grpc_address}"
    with Client(address, name, batch_size=batch_size) as client:
        answer = client.bald(models[name].images, seed=SEED)
        assert client.version == 1
    np.testing.assert_allclose(answer.bald, models[name].bald, **CLOSE)
    np.testing.assert_array_equal(answer.seed, np.full(COUNT, SEED))


def test_batched_with_images_of_other_requests(
    models: dict[str, Served], server: ServerProcess, name: str
) -> None:
    model = models[name]
    encoded = [base64.b64encode(to_png(image)).decode() for image in model.images]

    def ask(number: int) -> float:
        """Every other caller has a seed of its own; some send junk."""
        instance: dict[str, object] = {"image_bytes": {"b64": encoded[number % COUNT]}}
        instance["seed"] = SEED if number % 2 == 0 else number
        if number % 5 == 3:
            instance["image_bytes"] = {"b64": "anVuaw=="}
        body = {"signature_name": "bald_bytes_seeded", "instances": [instance]}
        response = server.post(f"/models/{name}:predict", body)
        if number % 5 == 3:
            assert response.status_code == 400
            return np.nan
        assert response.status_code == 200, response.text
        return float(response.json()["predictions"][0]["bald"])

    with ThreadPoolExecutor(16) as pool:
        asked = np.array([*pool.map(ask, range(4 * COUNT))])
    for number in range(0, 4 * COUNT, 2):
        if number % 5 != 3:
            np.testing.assert_allclose(asked[number], model.bald[number % COUNT], **CLOSE)


def test_a_score_of_the_servers_own_seed_can_be_replayed(
    models: dict[str, Served], server: ServerProcess, name: str
) -> None:
    with Client(server.rest, name) as client:
        fresh = client.bald(models[name].images[:3])
        again = client.bald(models[name].images[:3], seed=int(fresh.seed[0]))
        other = client.bald(models[name].images[:3])
    np.testing.assert_allclose(again.bald, fresh.bald, **CLOSE)
    assert other.seed[0] != fresh.seed[0]
