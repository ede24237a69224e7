"""Case: BALD requests a second, one image each.

The embedded server over REST and gRPC, with and without batching, against the same model in a loop
without any server; and where the time of a REST request goes.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from scripts import load_test
from scripts.benchmarks.results import Report
from scripts.benchmarks.settings import Settings
from scripts.benchmarks.worker import REPOSITORY

CLIENTS = (1, 16)
TRANSPORTS = {"REST": load_test.rest, "gRPC": load_test.rpc}


def run(settings: Settings, report: Report) -> None:
    """Export a small run, serve it twice, and ask."""
    seconds = settings.pick(4.0, 0.3)
    with tempfile.TemporaryDirectory() as folder:
        classifier = _export(Path(folder), settings)
        model = _Model(classifier / "1")
        with contextlib.ExitStack() as stack:
            servers = {
                batching: stack.enter_context(load_test.served(classifier, batching))
                for batching in (False, True)
            }
            for clients in settings.pick(CLIENTS, (2,)):
                _requests(servers, model, clients, seconds, settings, report)
            _breakdown(servers[False][1], model, settings, report)


def _export(folder: Path, settings: Settings) -> Path:
    """An exported gal_cnn for images of 28x28, trained for a moment."""
    command = [
        sys.executable, "scripts/train.py", "--dataset", "digits", "--image-size", "28",
        "--classifier", "gal_cnn", "--method", "bald", "--rounds", "0", "--steps",
        str(settings.pick(100, 1)), "--out", str(folder / "run"),
    ]  # fmt: skip
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError(f"the run to be served has failed: {ended.stderr[-2000:]}")
    return folder / "run" / "export" / "classifier"


class _Model:
    """The same SavedModel without a server, through the loader that the server uses."""

    def __init__(self, path: Path) -> None:
        from bgadl_tf.serving.server.savedmodel import SavedModel

        self._model = SavedModel(path)
        self.signatures = self._model.signatures
        self.signature = self.signatures[load_test.SIGNATURE]
        self._outputs = [info.name for info in self.signature.outputs.values()]

    def ask(self, images: list[bytes]) -> dict[str, Any]:
        """Scores of encoded images."""
        content = {
            "image_bytes": np.array(images, object),
            "seed": np.full(len(images), load_test.SEED, np.int64),
        }
        feeds = {self.signature.inputs[name].name: value for name, value in content.items()}
        return dict(zip(self.signature.outputs, self._model.run(feeds, self._outputs), strict=True))


def _requests(
    servers: dict[bool, tuple[int, int, int]],
    model: _Model,
    clients: int,
    seconds: float,
    settings: Settings,
    report: Report,
) -> None:
    """Everybody in turn, for some seconds each."""
    rivals: dict[str, Callable[[], float]] = {}
    for batching, (_, rest_port, grpc_port) in servers.items():
        for transport, connect in TRANSPORTS.items():
            port = rest_port if transport == "REST" else grpc_port
            name = f"{transport}, batching" if batching else transport
            rivals[name] = functools.partial(_load, connect, port, clients, seconds)
    rivals["in process, a loop"] = functools.partial(_loop, model, clients, 1, seconds)
    rivals["in process, 16 images a call"] = functools.partial(_loop, model, 1, 16, seconds)
    rates: dict[str, list[float]] = {name: [] for name in rivals}
    for repetition in range(settings.repeats + 1):
        for name, rate in rivals.items():
            value = rate()
            if repetition:
                rates[name].append(value)
    setting = f"gal_cnn, K = 20, {clients} client{'s' if clients > 1 else ''}"
    for name, values in rates.items():
        note = f"{clients} threads" if name.endswith("a loop") and clients > 1 else ""
        report.add(setting, name, values, "images/s", ours="process" not in name, note=note)
    report.print_ratios(setting)


def _load(connect: Any, port: int, clients: int, seconds: float) -> float:
    """Requests a second; none may be lost."""
    latencies, lost, took = load_test.load(connect, port, clients, seconds)
    if lost:
        raise RuntimeError(f"{lost} of {len(latencies)} requests were lost")
    return len(latencies) / took


def _loop(model: _Model, threads: int, images: int, seconds: float) -> float:
    """Images a second without a server."""
    counts = [0] * threads
    end = time.perf_counter() + seconds

    def ask(number: int) -> None:
        batch = [load_test.png(number * images + i) for i in range(images)]
        while time.perf_counter() < end:
            model.ask(batch)
            counts[number] += images

    start = time.perf_counter()
    workers = [threading.Thread(target=ask, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.perf_counter() - start)


def _breakdown(port: int, model: _Model, settings: Settings, report: Report) -> None:
    """Milliseconds of one request from one client: what each stage takes alone, and the rest."""
    from bgadl_tf.serving.server import json_request, json_response

    image = load_test.png(0)
    instance = {
        "image_bytes": {"b64": base64.b64encode(image).decode()}, "seed": load_test.SEED
    }  # fmt: skip
    body = json.dumps({"signature_name": load_test.SIGNATURE, "instances": [instance]}).encode()
    answer = model.ask([image])

    def convert() -> None:
        json_request.inputs(json_request.parse(body), model.signatures)
        json_response.predictions(answer)

    with load_test.rest(port, image) as ask, _status(port) as look:
        stages: dict[str, Callable[[], object]] = {
            "a whole request": ask,
            "HTTP: asking for the status instead": look,
            "run": lambda: model.ask([image]),
            "JSON": convert,
        }
        medians: dict[str, list[float]] = {name: [] for name in stages}
        for _ in range(settings.repeats):
            for name, stage in stages.items():
                medians[name].append(_milliseconds(stage, settings.pick(300, 5)))
    rows = zip(*medians.values(), strict=True)
    medians["the rest: threads and waiting"] = [whole - sum(parts) for whole, *parts in rows]
    for name, values in medians.items():
        report.add("a REST request, 1 client, of which", name, values, "ms", ours=True)


@contextlib.contextmanager
def _status(port: int) -> Iterator[Callable[[], object]]:
    """The smallest request there is, over a connection like the other's."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=load_test.ANSWERS_WITHIN)

    def look() -> object:
        connection.request("GET", f"/v1/models/{load_test.MODEL}")
        return connection.getresponse().read()

    yield look
    connection.close()


def _milliseconds(stage: Callable[[], object], times: int) -> float:
    stage()
    seconds = []
    for _ in itertools.repeat(None, times):
        start = time.perf_counter()
        stage()
        seconds.append(time.perf_counter() - start)
    return 1e3 * statistics.median(seconds)
