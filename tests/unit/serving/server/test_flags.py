from __future__ import annotations

import dataclasses

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.serving.__main__ import BAD_INPUT, main
from bgadl_tf.serving.server.flags import WITHOUT_EFFECT, Flags, parse

BASE = ["--model_base_path=/m"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--port=1"], {"port": 1}),
        (["--port", "1", "--port=2"], {"port": 2}),
        (["--enable_batching"], {"enable_batching": True}),
        (["--enable_batching", "--port=3"], {"enable_batching": True, "port": 3}),
        (["--enable_batching=True"], {"enable_batching": True}),
        (["--enable_model_warmup=false"], {"enable_model_warmup": False}),
        (["--enable_model_warmup", "0"], {"enable_model_warmup": False}),
        (["--host=::1", "--model_name", "x"], {"host": "::1", "model_name": "x"}),
        (["--file_system_poll_wait_seconds=0.25"], {"file_system_poll_wait_seconds": 0.25}),
        (["--model_config_file_poll_wait_seconds=2"], {"model_config_file_poll_wait_seconds": 2}),
        (["--port=0", "--grpc_socket_path=/s"], {"port": 0, "grpc_socket_path": "/s"}),
        (["--port=0", "--rest_api_port=8501"], {"port": 0, "rest_api_port": 8501}),
        (["--load_retry_interval_micros=9000000000"], {"load_retry_interval_micros": 9 * 10**9}),
    ],
)
def test_forms(arguments: list[str], expected: dict[str, object]) -> None:
    flags = parse([*BASE, *arguments])
    assert flags == dataclasses.replace(Flags(model_base_path="/m"), **expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prot=1"], "unrecognized arguments: --prot=1"),
        (["--model_bas=/m"], "unrecognized arguments"),  # no abbreviations
        (["word"], "unrecognized arguments: word"),
        (["--port"], "expected one argument"),
        (["--port=x"], "--port: invalid int value: 'x'"),
        (["--port=70000"], "--port is 70000; expected 0 to 65535"),
        (["--port=-1"], "--port is -1"),
        (["--enable_batching=perhaps"], "'perhaps' is not true or false"),
        (["--port=0"], "nothing to listen on"),
        (["--rest_api_port=8500"], "--rest_api_port cannot be same as --port"),
        (["--model_config_file=/c"], "either --model_base_path"),
        (["--model_base_path="], "either --model_base_path"),
        (["--model_name="], "--model_name is empty"),
        (["--rest_api_num_threads=0"], "--rest_api_num_threads is 0; must be at least 1"),
        (["--rest_api_timeout_in_ms=99999999999"], "--rest_api_timeout_in_ms is 99999999999"),
        (["--file_system_poll_wait_seconds=inf"], "--file_system_poll_wait_seconds is inf"),
        (["--file_system_poll_wait_seconds=nan"], "--file_system_poll_wait_seconds is nan"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*BASE, *arguments]) == BAD_INPUT
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1


def test_flags_without_effect_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    flags = parse([*BASE, "--num_load_threads=4", "--prefer_tflite_model"])
    assert flags == Flags(model_base_path="/m")
    assert "without effect here: --num_load_threads, --prefer_tflite_model" in (
        capsys.readouterr().err
    )
    for name in WITHOUT_EFFECT:
        parse([*BASE, f"--{name}", "1"])
    assert not WITHOUT_EFFECT & {field.name for field in dataclasses.fields(Flags)}


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([flag])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert flag == "--version" or all(
        f"--{field.name}" in printed for field in dataclasses.fields(Flags)
    )


def test_a_wrong_type_raises() -> None:
    with pytest.raises(ConfigError):
        parse([*BASE, "--port=1.5"])
