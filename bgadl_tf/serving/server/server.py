"""All parts of the server, from start to SIGTERM."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import uvicorn

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.serving.server import configuration, rpc
from bgadl_tf.serving.server.flags import Flags
from bgadl_tf.serving.server.listening import in_url, listen
from bgadl_tf.serving.server.loader import make_loader
from bgadl_tf.serving.server.manager import Manager
from bgadl_tf.serving.server.metrics import Metrics
from bgadl_tf.serving.server.models import Models
from bgadl_tf.serving.server.request_log import RequestLog
from bgadl_tf.serving.server.rest import Limits, Rest
from bgadl_tf.serving.server.status import StatusError

BACKLOG = 2048
LAST_SECONDS = 5.0
"""For what still runs after the time that requests have to finish."""

_log = logging.getLogger(__name__)


class Server:
    """All parts, put together.

    Args:
        settings: Of the command line.

    Attributes:
        models: What it serves.
        rest: The REST application; None where there is no REST port.

    Raises:
        ConfigError: A file that a flag names is missing or malformed, or a label names a version
            that is not available.
    """

    def __init__(self, settings: Flags) -> None:
        self._flags = settings
        metrics = Metrics()
        configs = configuration.read_models(settings)
        metrics_path = configuration.read_metrics_path(settings)
        manager = Manager(
            make_loader(settings, metrics),
            retries=settings.max_num_load_retries,
            retry_seconds=settings.load_retry_interval_micros / 1e6,
            allow_unavailable_labels=settings.allow_version_labels_for_unavailable_models,
        )
        self._request_log = (
            RequestLog(Path(settings.request_log_dir), settings.request_log_max_bytes)
            if settings.request_log_dir
            else None
        )
        self.models = Models(manager, metrics, self._request_log)
        self.rest: Rest | None = None
        if settings.rest_api_port:
            limits = Limits(
                body_bytes=settings.rest_api_max_body_bytes,
                seconds=settings.rest_api_timeout_in_ms / 1000,
                threads=settings.rest_api_num_threads,
            )
            self.rest = Rest(
                self.models, limits, metrics_path, settings.rest_api_enable_cors_support
            )
        try:
            manager.configure(configs)
        except StatusError as error:
            raise ConfigError(str(error)) from None

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then answer what has been asked and end.

        Raises:
            ConfigError: A port cannot be had.
        """
        stopping = threading.Event()
        with self._grpc(), self._polling(stopping), self._http(stopping):
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stopping.set())
            self._announce()
            stopping.wait()
        if self._request_log is not None:
            self._request_log.close()
        if not self.models.manager.close(LAST_SECONDS):
            # Its threads cannot be ended otherwise, and would keep the process for ever.
            unanswered = self.models.manager.requests
            _log.error("gave up on %d requests, or on a load, that do not end", unanswered)
            logging.shutdown()
            os._exit(1 if unanswered else 0)
        if self.rest is not None:
            self.rest.close()

    @contextlib.contextmanager
    def _http(self, stopping: threading.Event) -> Iterator[None]:
        """REST, in a thread: uvicorn's signal handlers would end the process before gRPC has."""
        if self.rest is None:
            yield
            return
        config = uvicorn.Config(
            self.rest.app,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=self._grace,
        )
        server = uvicorn.Server(config)
        # uvicorn itself would end the process where the port is in use.
        with _listen(self._flags.host, self._flags.rest_api_port) as listening:

            def serve() -> None:
                try:
                    server.run([listening])
                finally:
                    stopping.set()

            thread = threading.Thread(target=serve, name="REST")
            thread.start()
            try:
                yield
            finally:
                server.should_exit = True
                thread.join()

    @property
    def _grace(self) -> int:
        """Seconds that requests in flight have to finish."""
        return max(1, self._flags.rest_api_timeout_in_ms // 1000)

    @contextlib.contextmanager
    def _grpc(self) -> Iterator[None]:
        settings = self._flags
        addresses = [f"{in_url(settings.host)}:{settings.port}"] if settings.port else []
        if settings.grpc_socket_path:
            addresses.append(f"unix:{settings.grpc_socket_path}")
        if not addresses:
            yield
            return
        server = rpc.make_server(
            self.models,
            settings.grpc_max_threads,
            settings.enable_serialization_as_tensor_content,
            settings.enable_grpc_healthcheck_service,
        )
        for address in addresses:
            _bind(server, address)
        server.start()
        try:
            yield
        finally:
            server.stop(self._grace).wait()

    @contextlib.contextmanager
    def _polling(self, stopping: threading.Event) -> Iterator[None]:
        """Look for new versions, and for a new configuration, in a thread."""
        settings, manager = self._flags, self.models.manager
        reread = settings.model_config_file_poll_wait_seconds if settings.model_config_file else 0

        def repeat(seconds: float, work: str) -> None:
            while not stopping.wait(seconds):
                try:
                    if work == "poll":
                        manager.poll()
                    else:
                        manager.configure(configuration.read_models(settings))
                except Exception as error:
                    # Nothing that happens on disk may end the server.
                    _log.error("%s: %s", work, error)

        threads = [
            threading.Thread(target=repeat, args=(seconds, work), name=work, daemon=True)
            for seconds, work in (
                (settings.file_system_poll_wait_seconds, "poll"),
                (reread, "reread the configuration"),
            )
            if seconds > 0
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stopping.set()
            for thread in threads:
                thread.join(LAST_SECONDS)

    def _announce(self) -> None:
        settings = self._flags
        if settings.port:
            _log.info("gRPC at %s:%d", in_url(settings.host), settings.port)
        if settings.grpc_socket_path:
            _log.info("gRPC at unix:%s", settings.grpc_socket_path)
        if settings.rest_api_port:
            _log.info("REST at http://%s:%d", in_url(settings.host), settings.rest_api_port)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return listen(host, port, BACKLOG)
    except ConfigError as error:
        where = f"{in_url(host)}:{port}"
        raise ConfigError(f"--rest_api_port: cannot listen on {where}: {error}") from None


def _bind(server: grpc.Server, address: str) -> None:
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError:
        bound = 0
    if not bound:
        flag = "--grpc_socket_path" if address.startswith("unix:") else "--port"
        raise ConfigError(f"{flag}: cannot listen on {address}; is it in use?")
