"""Load on the embedded server: requests a second and latency, by clients, transport and batching.

Starts ``python -m bgadl_tf.serving`` on an exported classifier, once with and once without
micro-batching, and lets 1, 16 and 64 clients ask for the BALD score of one image each, as fast as
they are answered. Clients run in one process on the same machine, so what they cost is missing to
the server: read the numbers as ratios.

    python scripts/load_test.py runs/demo/export/classifier --out load.json
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import io
import json
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

MODEL, SIGNATURE, SEED = "classifier", "bald_bytes_seeded", 7
STARTS_WITHIN, ANSWERS_WITHIN = 120.0, 60.0

Ask = Callable[[], bool]
"""Sends one request; whether it was answered as it should be."""


@dataclass(frozen=True)
class Measured:
    """One cell of the table; latencies in milliseconds, memory of the server in MiB."""

    batching: bool
    transport: str
    clients: int
    requests: int
    lost: int
    per_second: float
    p50_ms: float
    p99_ms: float
    memory_before: float
    memory_after: float


def png(seed: int, side: int = 28) -> bytes:
    """A grey image of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@contextlib.contextmanager
def rest(port: int, image: bytes) -> Iterator[Ask]:
    """A client with a connection of its own."""
    instance = {"image_bytes": {"b64": base64.b64encode(image).decode()}, "seed": SEED}
    body = json.dumps({"signature_name": SIGNATURE, "instances": [instance]})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWERS_WITHIN)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask() -> bool:
        connection.request("POST", f"/v1/models/{MODEL}:predict", body)
        response = connection.getresponse()
        answer = json.loads(response.read())
        return response.status == 200 and "bald" in answer["predictions"][0]

    yield ask
    connection.close()


@contextlib.contextmanager
def rpc(port: int, image: bytes) -> Iterator[Ask]:
    """A client with a channel of its own."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = MODEL, SIGNATURE
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([image]))
    request.inputs["seed"].CopyFrom(tf.make_tensor_proto([SEED], tf.int64))
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict

        def ask() -> bool:
            return "bald" in predict(request, timeout=ANSWERS_WITHIN).outputs

        yield ask


def load(
    connect: Callable[[int, bytes], contextlib.AbstractContextManager[Ask]],
    port: int,
    clients: int,
    seconds: float,
) -> tuple[list[float], int, float]:
    """Latencies in seconds, requests lost, and seconds it all took."""
    latencies: list[float] = []
    lost = [0] * clients
    start = threading.Barrier(clients + 1)
    begun = 0.0

    def client(number: int) -> None:
        own: list[float] = []
        with connect(port, png(number)) as ask:
            ask()
            start.wait()
            while time.perf_counter() - begun < seconds:
                before = time.perf_counter()
                try:
                    sound = ask()
                except Exception:
                    sound = False
                own.append(time.perf_counter() - before)
                lost[number] += not sound
        latencies.extend(own)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    begun = time.perf_counter() + 1.0  # until every client has come past the barrier
    start.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    return latencies, sum(lost), time.perf_counter() - begun


@contextlib.contextmanager
def served(folder: Path, batching: bool) -> Iterator[tuple[int, int, int]]:
    """The server's process id, its REST port and its gRPC port."""
    rest_port, grpc_port = free_port(), free_port()
    command = [
        sys.executable, "-m", "bgadl_tf.serving", f"--rest_api_port={rest_port}",
        f"--port={grpc_port}", f"--model_name={MODEL}", f"--model_base_path={folder.absolute()}",
        f"--enable_batching={str(batching).lower()}",
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_available(rest_port, process)
            yield process.pid, rest_port, grpc_port
        finally:
            process.terminate()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def resident(pid: int) -> float:
    """Memory of a process, MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def wait_until_available(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return once the model can be asked."""
    give_up = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < give_up and process.poll() is None:
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", f"/v1/models/{MODEL}")
            if b"AVAILABLE" in connection.getresponse().read():
                return
        time.sleep(0.2)
    raise SystemExit("the server did not start; is the folder an exported classifier?")


def measure(folder: Path, clients: Sequence[int], seconds: float) -> list[Measured]:
    """All cells; prints each as it comes."""
    print(f"{'batching':>8} {'transport':>9} {'clients':>7} {'req/s':>8} {'p50 ms':>7} "
          f"{'p99 ms':>7} {'lost':>4} {'MiB':>11}")  # fmt: skip
    cells = []
    for batching in (False, True):
        with served(folder, batching) as (pid, rest_port, grpc_port):
            transports = (("REST", rest, rest_port), ("gRPC", rpc, grpc_port))
            for transport, connect, port in transports:
                load(connect, port, clients[-1], min(seconds, 2.0))  # warm up
                for count in clients:
                    before = resident(pid)
                    latencies, lost, took = load(connect, port, count, seconds)
                    cell = Measured(
                        batching=batching,
                        transport=transport,
                        clients=count,
                        requests=len(latencies),
                        lost=lost,
                        per_second=len(latencies) / took,
                        p50_ms=1e3 * float(np.percentile(latencies, 50)),
                        p99_ms=1e3 * float(np.percentile(latencies, 99)),
                        memory_before=before,
                        memory_after=resident(pid),
                    )
                    cells.append(cell)
                    print(
                        f"{'on' if batching else 'off':>8} {transport:>9} {count:>7} "
                        f"{cell.per_second:>8.0f} {cell.p50_ms:>7.2f} {cell.p99_ms:>7.2f} "
                        f"{cell.lost:>4} {before:>5.0f}→{cell.memory_after:.0f}",
                        flush=True,
                    )
    return cells


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="an exported classifier: its numbered folders")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--seconds", type=float, default=8.0, help="of each cell")
    parser.add_argument("--out", type=Path, help="also write the table as JSON")
    arguments = parser.parse_args()
    cells = measure(arguments.folder, sorted(arguments.clients), arguments.seconds)
    if arguments.out:
        report = {
            "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
            "tensorflow": tf.__version__,
            "cells": [asdict(cell) for cell in cells],
        }
        arguments.out.write_text(json.dumps(report, indent=2) + "\n")
    return 1 if any(cell.lost for cell in cells) else 0


if __name__ == "__main__":
    sys.exit(main())
