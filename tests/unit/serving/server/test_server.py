"""The parts put together, as far as they go without a process of their own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.serving.server.flags import Flags
from bgadl_tf.serving.server.listening import in_url
from bgadl_tf.serving.server.server import Server


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def server(folder: Path, **flags: Any) -> Server:
    return Server(Flags(model_base_path=str(folder), **flags))


def test_ports_in_use_are_an_error(tmp_path: Path, taken: int) -> None:
    with pytest.raises(ConfigError, match=f"--rest_api_port: cannot listen on 127.0.0.1:{taken}: "):
        server(tmp_path, port=0, rest_api_port=taken).run()
    with pytest.raises(ConfigError, match=f"--port: cannot listen on 127.0.0.1:{taken}"):
        server(tmp_path, port=taken, file_system_poll_wait_seconds=0.0).run()


def test_addresses_that_cannot_be_listened_on(tmp_path: Path, taken: int) -> None:
    with pytest.raises(ConfigError, match=r"--rest_api_port: cannot listen on a\.\.b:"):
        server(tmp_path, port=0, rest_api_port=taken, host="a..b").run()
    with pytest.raises(ConfigError, match=r"cannot listen on \[2001:db8::1\]:1: "):
        server(tmp_path, port=0, rest_api_port=1, host="2001:db8::1").run()
    path = tmp_path / "no folder" / "socket"
    with pytest.raises(ConfigError, match="--grpc_socket_path: cannot listen on unix:"):
        server(tmp_path, port=0, grpc_socket_path=str(path)).run()


def test_urls_of_hosts() -> None:
    assert in_url("::1") == "[::1]"
    assert in_url("127.0.0.1") == "127.0.0.1"
    assert in_url("localhost") == "localhost"


def test_a_label_of_no_version_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "models.config").write_text(
        f"model_config_list {{ config {{ name: 'm' base_path: '{tmp_path}/m' "
        "version_labels { key: 'stable' value: 9 } } }"
    )
    flags = Flags(model_config_file=f"{tmp_path}/models.config")
    with pytest.raises(ConfigError, match="assign label to version 9 of model m"):
        Server(flags)
    Server(
        Flags(
            model_config_file=f"{tmp_path}/models.config",
            allow_version_labels_for_unavailable_models=True,
        )
    )
