"""The client, over both protocols, against a server that misbehaves."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from bgadl_tf.core.errors import (
    BusyError,
    ConfigError,
    DataError,
    NotServedError,
    RejectedError,
    ScoreError,
    ServerError,
)
from bgadl_tf.data.images.png import to_png
from bgadl_tf.serving.client.client import Client
from bgadl_tf.serving.client.images import strings
from bgadl_tf.serving.client.retry import Retry
from tests.support.examples import some_images, tiny_png
from tests.support.fake_grpc import Services, grpc_server
from tests.support.fake_model import CLASSES, SHAPE, FakeModel, FaultError, bald
from tests.support.fake_rest import rest_server

QUICK = Retry(patience=2.0, first=0.01, longest=0.02)


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture(params=["rest", "grpc"])
def address(request: pytest.FixtureRequest, model: FakeModel) -> Iterator[str]:
    with {"rest": rest_server, "grpc": grpc_server}[request.param](model) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address, retry=QUICK, batch_size=4) as client:
        yield client


def contents(count: int) -> list[bytes]:
    return [tiny_png(f"image {number}") for number in range(count)]


# What is served


def test_the_highest_available_version_is_meant(client: Client, model: FakeModel) -> None:
    model.versions[7] = "LOADING"
    assert client.version == 3
    assert {status.version: status.state for status in client.status()} == model.versions


def test_a_version_and_a_label(address: str, model: FakeModel) -> None:
    model.labels["canary"] = 3
    for choice, expected in (
        ({"version": 1}, 1),
        ({"label": "stable"}, 1),
        ({"label": "canary"}, 3),
    ):
        with Client(address, retry=QUICK, **choice) as client:
            assert client.version == expected
            client.bald(contents(1), 0)
            assert model.requests[-1] == ("bald_bytes_seeded", expected, 1)


def test_the_version_stays_when_a_newer_one_appears(client: Client, model: FakeModel) -> None:
    client.bald(contents(1), 0)
    model.versions[4] = "AVAILABLE"
    client.bald(contents(1), 0)
    assert [version for _, version, _ in model.requests] == [3, 3]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (
            {"version": 9},
            r"version 9 of model 'classifier' at .* is not served \(available: 1, 3\)",
        ),
        ({"model": "nothing"}, "Could not find any versions of model nothing"),
        ({"label": "none"}, "Unrecognized servable version label: none"),
    ],
)
def test_what_is_not_served(address: str, choice: dict[str, object], message: str) -> None:
    with (
        Client(address, **{"retry": QUICK, **choice}) as client,
        pytest.raises(ServerError, match=message),
    ):
        _ = client.version


def test_a_version_that_loads_is_waited_for(address: str, model: FakeModel) -> None:
    model.versions = {1: "LOADING"}
    waits: list[str] = []

    def finish_loading(why: str) -> None:
        waits.append(why)
        model.versions[1] = "AVAILABLE"

    with Client(address, retry=dataclasses.replace(QUICK, notify=finish_loading)) as client:
        assert client.version == 1
    assert len(waits) == 1
    assert "version 1 of model 'classifier'" in waits[0]
    assert "still loading" in waits[0]


def test_metadata(client: Client) -> None:
    assert client.metadata == {"class_names": list(CLASSES), "run": "r1"}
    assert client.class_names == CLASSES


def test_a_model_without_metadata(client: Client, model: FakeModel) -> None:
    model.metadata = None
    assert client.metadata == {}
    assert client.class_names is None


# What is asked


def test_scores_of_files(client: Client, model: FakeModel) -> None:
    files = contents(10)
    scores = client.bald(files, 2**53 - 1)
    expected = np.array([bald(file, 2**53 - 1, 3) for file in files], np.float32)
    np.testing.assert_array_equal(scores.bald, expected)
    np.testing.assert_array_equal(scores.predictive_entropy, expected + np.float32(0.5))
    np.testing.assert_array_equal(scores.expected_entropy, np.full(10, 0.5, np.float32))
    np.testing.assert_array_equal(scores.probabilities[:, 1], 1 - expected)
    np.testing.assert_array_equal(scores.seed, np.full(10, 2**53 - 1))
    assert scores.bald.dtype == scores.probabilities.dtype == np.float32
    assert scores.seed.dtype == np.int64
    assert [rows for _, _, rows in model.requests] == [4, 4, 2]


def test_pixels_travel_as_files_over_rest_and_as_tensors_over_grpc(
    client: Client, model: FakeModel
) -> None:
    images = some_images(5, SHAPE)
    scores = client.bald(images, 7)
    sent = [to_png(image) if client.address.rest else image.tobytes() for image in images]
    assert model.seen == sent
    name = "bald_bytes_seeded" if client.address.rest else "bald_seeded"
    assert model.requests == [(name, 3, 4), (name, 3, 1)]
    assert scores.bald.tolist() == [bald(content, 7, 3) for content in sent]


def test_images_of_another_size_travel_as_files(client: Client, model: FakeModel) -> None:
    images = some_images(2, (9, 12, 3))
    client.bald(images, 7)
    assert model.seen == [to_png(image) for image in images]


def test_without_a_seed_the_server_draws_it(client: Client, model: FakeModel) -> None:
    assert client.bald(contents(1)).seed.tolist() == [2**53 - 1]
    assert model.requests == [("bald_bytes", 3, 1)]


def test_classes(client: Client) -> None:
    predictions = client.classify(contents(5))
    assert predictions.probabilities.shape == (5, 3)
    assert predictions.label.dtype == np.int32
    np.testing.assert_array_equal(predictions.label, predictions.probabilities.argmax(axis=1))


def test_generated_images(client: Client) -> None:
    images = some_images(6, SHAPE)
    made = client.augment(images, [0] * 6, range(6))
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made, 255 - images)


@pytest.mark.parametrize("seed", [-1, 2**53])
def test_seeds_out_of_range(client: Client, seed: int) -> None:
    with pytest.raises(ConfigError, match=r"from 0 to 2\*\*53 - 1"):
        client.bald(contents(1), seed)


def test_what_cannot_be_asked(client: Client) -> None:
    with pytest.raises(DataError, match="no images"):
        client.bald([], 1)
    with pytest.raises(DataError, match=r"images are float64 \[1, 8, 8, 1\]; expected uint8"):
        client.bald(np.zeros((1, *SHAPE)), 1)  # type: ignore[arg-type]
    with pytest.raises(ServerError, match="has no signature 'generate'; it has augment, bald, "):
        client.predict("generate", {})
    with pytest.raises(ServerError, match=r"'bald_bytes' of .* takes image_bytes; expected keys"):
        client.predict("bald_bytes", {"keys": strings([b""])})
    with pytest.raises(ConfigError, match="different lengths"):
        client.augment(some_images(2, SHAPE), [0], [1, 2])


# What goes wrong


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "RESET"])
def test_a_busy_server_is_asked_again(client: Client, model: FakeModel, code: str) -> None:
    model.faults = [FaultError(code)] * 3
    assert client.bald(contents(1), 1).bald.tolist() == [bald(contents(1)[0], 1, 3)]
    assert len(model.requests) == 4


def test_patience_runs_out(address: str, model: FakeModel) -> None:
    model.faults = [FaultError("UNAVAILABLE", "come back later")] * 100
    with (
        Client(address, retry=dataclasses.replace(QUICK, patience=0.1)) as client,
        pytest.raises(BusyError, match=r"come back later .* gave up after \d+ tries"),
    ):
        client.bald(contents(1), 1)


def test_a_slow_answer_is_asked_for_again(address: str, model: FakeModel) -> None:
    with Client(address, retry=QUICK, timeout=0.1) as client:
        _ = client.signatures
        model.faults = [FaultError("SLOW")]
        client.bald(contents(1), 1)
    assert len(model.requests) == 2


def test_a_server_that_is_not_there() -> None:
    with (
        Client("http://127.0.0.1:1", retry=dataclasses.replace(QUICK, patience=0.0)) as client,
        pytest.raises(BusyError) as caught,
    ):
        _ = client.version
    assert str(caught.value) == (
        "cannot reach http://127.0.0.1:1: Connection refused; gave up after 1 try: is the server "
        "running there?"
    )


def test_another_protocol_than_the_servers(model: FakeModel) -> None:
    with rest_server(model) as rest, grpc_server(model) as grpc:
        for right in (rest, grpc):
            scheme, _, host = right.partition("://")
            wrong = f"{'grpc' if scheme == 'http' else 'http'}://{host}"
            with (
                Client(wrong, retry=dataclasses.replace(QUICK, notify=pytest.fail)) as client,
                pytest.raises(ServerError, match=f"{wrong} does not speak .*, write {right}$"),
            ):
                _ = client.version
        with (
            Client(grpc.replace("grpc", "grpcs"), retry=QUICK) as client,
            pytest.raises(ServerError, match=f"does not use TLS; write {grpc}$"),
        ):
            _ = client.version


def test_a_reset_connection_is_called_so(address: str, model: FakeModel) -> None:
    if address.startswith("grpc"):
        pytest.skip("gRPC words it itself")
    model.faults = [FaultError("RESET")]
    reasons: list[str] = []
    with Client(address, retry=dataclasses.replace(QUICK, notify=reasons.append)) as client:
        client.bald(contents(1), 1)
    assert reasons == [f"cannot reach {address}: Connection reset by peer"]


def test_names_of_graph_nodes_are_left_out(client: Client, model: FakeModel) -> None:
    model.faults = [FaultError("INVALID_ARGUMENT", "no image\n\t [[{{node map/while/Assert}}]]")]
    with pytest.raises(RejectedError, match=r"refuses the request: no image \((HTTP 400|INVALID)"):
        client.bald(contents(1), 1)


def test_invalid_requests_are_not_made_again(client: Client, model: FakeModel) -> None:
    model.bad = {contents(2)[1]}
    with pytest.raises(RejectedError, match="refuses the request: Expected image"):
        client.bald(contents(2), 1)
    assert len(model.requests) == 1


def test_errors_of_the_server_are_not_made_again(client: Client, model: FakeModel) -> None:
    model.faults = [FaultError("INTERNAL", "out of luck")]
    with pytest.raises(ServerError, match="failed: out of luck"):
        client.bald(contents(1), 1)
    assert len(model.requests) == 1


def test_a_version_that_goes_away(client: Client, model: FakeModel) -> None:
    client.bald(contents(1), 1)
    model.versions = {3: "UNLOADING", 4: "AVAILABLE"}
    with pytest.raises(NotServedError, match=r"version 3 of .* is not served \(available: 4\)"):
        client.bald(contents(1), 1)


def test_a_server_that_is_started_again_loads_its_models(address: str, model: FakeModel) -> None:
    def finish_loading(_: str) -> None:
        model.versions[3] = "AVAILABLE"

    with Client(address, retry=dataclasses.replace(QUICK, notify=finish_loading)) as client:
        client.bald(contents(1), 1)
        model.versions[3] = "LOADING"
        client.bald(contents(1), 1)


def test_another_version_that_answers_is_noticed(model: FakeModel) -> None:
    class Confused(Services):
        def answering_version(self, version: int) -> int:
            return version + 1

    with (
        grpc_server(model, Confused) as address,
        Client(address, version=1, retry=QUICK) as client,
        pytest.raises(ServerError, match=r"asked for version 1 .* answered with version 2"),
    ):
        client.bald(contents(1), 1)


def test_scores_that_are_not_finite(
    client: Client, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = model.answers

    def broken(*arguments: object) -> dict[str, np.ndarray]:
        answer = answers(*arguments)  # type: ignore[arg-type]
        return {**answer, "bald": answer["bald"] * np.float32("nan")}

    monkeypatch.setattr(model, "answers", broken)
    with pytest.raises(ScoreError, match="'bald' that is not finite"):
        client.bald(contents(1), 1)


def test_a_short_answer_is_noticed(
    client: Client, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = model.answers

    def short(*arguments: object) -> dict[str, np.ndarray]:
        return {name: rows[:1] for name, rows in answers(*arguments).items()}  # type: ignore[arg-type]

    monkeypatch.setattr(model, "answers", short)
    with pytest.raises(ServerError, match=r"of shape \[1.* where 2 rows were asked for"):
        client.bald(contents(2), 1)
