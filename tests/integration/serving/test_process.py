"""The process: from its command line to its end."""

from __future__ import annotations

import http.client
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.support.repository import REPOSITORY
from tests.support.saved_models import echo, half_plus
from tests.support.server_process import ServerProcess, free_ports, serving


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("process")
    echo(folder / "echo/1")
    half_plus(2, folder / "half/1")
    return folder


class Caller:
    """Asks one thing again and again over one connection, until the server refuses to talk."""

    def __init__(self, server: ServerProcess, body: Any, times: float = math.inf) -> None:
        self.address = server.rest.removeprefix("http://")
        self.body = json.dumps(body)
        self.times = times
        self.statuses: list[int] = []
        self.cut_off = 0

    def __call__(self) -> None:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        while len(self.statuses) < self.times:
            try:
                connection.request("POST", "/v1/models/echo:predict", self.body)
            except OSError:
                break  # it no longer listens
            try:
                answer = connection.getresponse()
            except ConnectionError:
                # Sent while the connection was closed for being idle: never read, so not lost.
                self.cut_off += 1
                break
            answer.read()
            self.statuses.append(answer.status)
        connection.close()


def test_sigterm_loses_no_request(base: Path, tmp_path: Path) -> None:
    quick = {"signature_name": "float32", "inputs": [1.0]}
    with serving(tmp_path, f"--model_base_path={base}/echo", "--model_name=echo") as server:
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = "echo", "slow"
        request.inputs["steps"].dtype = 3
        request.inputs["steps"].tensor_shape.dim.add(size=1)
        steps = 1000
        for _ in range(2):  # the first call also prepares the graph
            request.inputs["steps"].int_val[:] = [steps]
            start = time.monotonic()
            server.prediction.Predict(request)
            steps = int(steps * 2 / (time.monotonic() - start))
        a_while = {"signature_name": "slow", "inputs": [steps]}  # 2 seconds, alone
        request.inputs["steps"].int_val[:] = [steps]
        slow = [Caller(server, a_while, times=1) for _ in range(2)]
        fast = [Caller(server, quick) for _ in range(3)]
        with ThreadPoolExecutor(5) as pool:
            running = [pool.submit(caller) for caller in (*slow, *fast)]
            server.wait(lambda: all(caller.statuses for caller in fast))
            over_grpc = server.prediction.Predict.future(request)
            time.sleep(0.5)  # for all three to be read
            start = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - start < 20
            for future in running:
                future.result(30)
        assert len(over_grpc.result().outputs["zeros"].float_val) == 1
        for caller in (*slow, *fast):
            assert {*caller.statuses} == {200}
        assert not any(caller.cut_off for caller in slow)
        assert "Traceback" not in server.log


def test_socket_host_and_interrupt(base: Path, tmp_path: Path) -> None:
    path = tmp_path / "grpc socket"
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [sys.executable, "-m", "bgadl_tf.serving", "--port=0", f"--rest_api_port={port}",
         f"--grpc_socket_path={path}", "--host", "127.0.0.2", f"--model_base_path={base}/half",
         "--num_load_threads=2", "--enable_grpc_healthcheck_service"],
        stderr=subprocess.PIPE, cwd=REPOSITORY, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    try:
        with grpc.insecure_channel(f"unix:{path}") as channel:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = "default"
            request.inputs["x"].dtype = 1
            request.inputs["x"].float_val.append(3.0)
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            answer = stub.Predict(request, timeout=60, wait_for_ready=True)
            assert [*answer.outputs["y"].float_val] == [3.5]
            health = health_pb2_grpc.HealthStub(channel)
            request = health_pb2.HealthCheckRequest()
            assert (
                health.Check(request, timeout=10).status == health_pb2.HealthCheckResponse.SERVING
            )
            request.service = "another"
            with pytest.raises(grpc.RpcError, match="NOT_FOUND"):
                health.Check(request, timeout=10)
        with socket.create_connection(("127.0.0.2", port), 10):
            pass
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 10)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        _, log = process.communicate()
    assert b"without effect here: --num_load_threads" in log
    assert b"Traceback" not in log


def test_a_signal_while_loading_ends_it_too(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bgadl_tf.serving", f"--model_base_path={tmp_path}", "--port=0",
         "--grpc_socket_path=x", "--num_load_threads=1"],
        stderr=subprocess.PIPE, cwd=REPOSITORY, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert process.stderr is not None
    assert b"without effect" in process.stderr.readline()  # now it imports TensorFlow
    time.sleep(0.2)
    process.terminate()
    _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    assert b"Traceback" not in log
    assert b"gRPC at" not in log


@pytest.mark.slow
def test_a_request_without_end_does_not_keep_the_process(base: Path, tmp_path: Path) -> None:
    flags = (f"--model_base_path={base}/echo", "--model_name=echo", "--rest_api_timeout_in_ms=1000")
    with serving(tmp_path, *flags) as server:
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = "echo", "slow"
        request.inputs["steps"].dtype = 3
        request.inputs["steps"].tensor_shape.dim.add(size=1)
        request.inputs["steps"].int_val.append(2**31 - 1)
        endless = server.prediction.Predict.future(request)
        time.sleep(1)
        start = time.monotonic()
        assert server.stop() == 1
        assert time.monotonic() - start < 20
        assert endless.exception() is not None
        assert "gave up on 1 requests" in server.log
