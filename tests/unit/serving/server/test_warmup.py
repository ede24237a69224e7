"""Warm-up requests are replayed before a version is available, and one that fails fails it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from bgadl_tf.serving.server import warmup
from bgadl_tf.serving.server.flags import Flags
from bgadl_tf.serving.server.loader import make_loader
from bgadl_tf.serving.server.manager import Manager
from bgadl_tf.serving.server.metrics import Metrics
from bgadl_tf.serving.server.status import Code
from tests.support.model_folders import config
from tests.support.saved_models import half_plus

Log = prediction_log_pb2.PredictionLog


def predict(values: Sequence[float] = (1.0,), signature: str = "") -> Any:
    log = Log()
    log.predict_log.request.model_spec.signature_name = signature
    log.predict_log.request.inputs["x"].CopyFrom(tf.make_tensor_proto([*values], tf.float32))
    return log


LEFT_OUT = [
    Log(classify_log={"request": {}}),
    Log(regress_log={"request": {}}),
    Log(multi_inference_log={"request": {}}),
]


def write(folder: Path, records: Sequence[bytes]) -> Path:
    file = folder / warmup.FILE
    file.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for record in records:
            writer.write(record)
    return file


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return half_plus(2, tmp_path_factory.mktemp("a base") / "1")


Try = Callable[..., Any]


@pytest.fixture
def load(saved: Path, monkeypatch: pytest.MonkeyPatch) -> Try:
    """Load the version; its status, and in ``load.ran`` how many runs there were before."""

    def load(**flags: Any) -> Any:
        ran: list[int] = []
        real = warmup._run
        monkeypatch.setattr(warmup, "_run", lambda *which: (ran.append(1), real(*which)))
        metrics = Metrics()
        settings = Flags(model_base_path=str(saved.parent), **flags)
        manager = Manager(make_loader(settings, metrics))
        manager.configure([config(saved.parent)])
        monkeypatch.undo()
        status = manager.status("m").model_version_status[0]
        manager.close()
        load.ran = len(ran)  # type: ignore[attr-defined]
        return status

    return load


def test_requests_are_replayed(saved: Path, load: Try) -> None:
    logs = [predict(), predict((1.0, 2.0)), *LEFT_OUT]
    write(saved, [log.SerializeToString() for log in logs])
    assert load().state == load().AVAILABLE
    assert load.ran == 5  # type: ignore[attr-defined]
    assert load(num_request_iterations_for_warmup=3, enable_batching=True).state == 30
    assert load.ran == 15  # type: ignore[attr-defined]


@pytest.mark.parametrize("log", LEFT_OUT, ids=str)
def test_what_the_server_leaves_out_is_said_and_skipped(
    saved: Path, load: Try, log: Any, caplog: pytest.LogCaptureFixture
) -> None:
    write(saved, [log.SerializeToString()])
    assert load().state == load().AVAILABLE
    assert "tensorflow/serving answers it" in caplog.text


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b"no protobuf", Code.DATA_LOSS),
        (b"", Code.UNIMPLEMENTED),
        (predict(signature="none").SerializeToString(), Code.FAILED_PRECONDITION),
        (Log(session_run_log={}).SerializeToString(), Code.UNIMPLEMENTED),
        (predict().SerializeToString()[:-3], Code.DATA_LOSS),
    ],
)
def test_one_bad_request_fails_the_load(saved: Path, load: Try, record: bytes, code: Code) -> None:
    write(saved, [predict().SerializeToString(), record])
    status = load()
    assert (status.state, status.status.error_code) == (status.END, code)
    assert str(saved.parent) not in status.status.error_message
    assert load(enable_model_warmup=False).state == status.AVAILABLE


def test_more_than_a_thousand_fail_the_load(saved: Path, load: Try) -> None:
    record = predict().SerializeToString()
    write(saved, [record] * 1000)
    assert load().state == load().AVAILABLE
    write(saved, [record] * 1001)
    status = load()
    assert status.status.error_code == Code.INVALID_ARGUMENT
    assert "exceeds the maximum (1000)" in status.status.error_message


def test_a_damaged_file_fails_the_load(saved: Path, load: Try) -> None:
    whole = write(saved, [predict().SerializeToString()] * 3).read_bytes()
    (saved / warmup.FILE).write_bytes(whole[:-5])
    assert load().status.error_code == Code.DATA_LOSS
    (saved / warmup.FILE).write_bytes(whole[:9] + b"!" + whole[10:])
    assert load().status.error_code == Code.DATA_LOSS
    (saved / warmup.FILE).write_bytes(b"")
    assert load().state == load().AVAILABLE
