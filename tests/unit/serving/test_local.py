"""A SavedModel in this process, asked as one on a server."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.core.errors import RejectedError, ServerError
from bgadl_tf.serving.client.client import Client
from bgadl_tf.serving.local.transport import LocalTransport
from tests.support.saved_models import echo, half_plus


def test_it_answers_without_its_folder(tmp_path: Path) -> None:
    folder = half_plus(3.0, tmp_path / "model")
    with Client(LocalTransport(folder, "half")) as client:
        for path in sorted(folder.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        assert client.version == 1
        assert client.signatures["serving_default"].inputs["x"].dtype == np.float32
        answer = client.predict("serving_default", {"x": np.float32([2.0, 4.0])})
        assert answer["y"].tolist() == [4.0, 5.0]
        with pytest.raises(
            ServerError, match=r"model 'half' at this machine, .* no signature 'bal"
        ):
            client.signature("bald")


def test_what_the_graph_refuses_is_told_apart(tmp_path: Path) -> None:
    with Client(LocalTransport(echo(tmp_path / "model"), "echo")) as client:
        with pytest.raises(RejectedError, match=r"the model refuses the request: .*negative row"):
            client.predict("root", {"x": np.float32([-1.0])})
        only = client.predict("bytes", {"raw_bytes": np.array([b"a\0"], object)}, ["text"])
        assert [*only] == ["text"]
        assert only["text"].tolist() == [b"a\0"]


def test_it_is_freed_after_what_is_being_answered(tmp_path: Path) -> None:
    transport = LocalTransport(echo(tmp_path / "model"), "echo")
    client = Client(transport)
    _ = client.signatures
    answers = []

    def ask() -> None:
        answers.append(client.predict("slow", {"steps": np.int32([3000])}))

    thread = threading.Thread(target=ask)
    thread.start()
    while not transport._running:
        time.sleep(0.001)
    client.close()
    thread.join(10)
    assert len(answers) == 1
    with pytest.raises(ServerError, match="model 'echo' is closed"):
        client.predict("slow", {"steps": np.int32([1])})
