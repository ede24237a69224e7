"""The command line: TensorFlow Serving's flags, and what this server adds to them."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from bgadl_tf import __version__
from bgadl_tf.core.errors import ConfigError

PROGRAM = "python -m bgadl_tf.serving"

WITHOUT_EFFECT = frozenset({
    "enable_profiler", "enable_signature_method_name_check", "flush_filesystem_caches",
    "grpc_channel_arguments", "mixed_precision", "num_load_threads", "num_unload_threads",
    "per_process_gpu_memory_fraction", "prefer_tflite_model",
    "remove_unused_fields_from_bundle_metagraph", "skip_initialize_tpu",
    "tensorflow_session_parallelism", "thread_pool_factory_config_file",
    "xla_cpu_compilation_enabled", "xla_gpu_compilation_enabled",
})  # fmt: skip
"""Flags of TensorFlow Serving that are accepted, so that command lines carry over, and ignored."""

_LONG = frozenset({
    "load_retry_interval_micros", "request_log_max_bytes", "rest_api_max_body_bytes",
})  # fmt: skip
"""Flags that may be beyond 32 bits."""

THREADS = 64
"""Requests at a time, of REST and of gRPC each. A merged batch holds no more than are being
answered, and a thread that waits for one costs little."""


def _flag(default: Any, help_: str) -> Any:
    return field(default=default, metadata={"help": help_})


@dataclass(frozen=True, kw_only=True)
class Flags:
    """One field a flag; ``metadata["help"]`` says what it does."""

    host: str = _flag(
        "127.0.0.1",
        "Address to bind; not a flag of TensorFlow Serving, which binds every address. There is "
        "no authentication: mind who can reach it.",
    )
    port: int = _flag(8500, "Port of gRPC; 0 for none.")
    grpc_socket_path: str = _flag("", "A UNIX socket for gRPC, beside the port.")
    grpc_max_threads: int = _flag(THREADS, "Requests gRPC answers at a time.")
    enable_grpc_healthcheck_service: bool = _flag(False, "Answer grpc.health.v1.Health.")
    rest_api_port: int = _flag(0, "Port of REST; 0 for none.")
    rest_api_num_threads: int = _flag(THREADS, "Requests REST runs at a time.")
    rest_api_timeout_in_ms: int = _flag(30_000, "A REST request that takes longer is given up.")
    rest_api_enable_cors_support: bool = _flag(False, "Let pages of other origins call REST.")
    rest_api_max_body_bytes: int = _flag(
        256 * 2**20,
        "Longest body, also unzipped; not a flag of TensorFlow Serving, which has none.",
    )
    model_name: str = _flag("default", "Name of the only model.")
    model_base_path: str = _flag(
        "", "Folder of the only model, with one numbered folder a version."
    )
    model_config_file: str = _flag("", "Models to serve, a text ModelServerConfig.")
    model_config_file_poll_wait_seconds: float = _flag(0.0, "Read it again so often; 0 never.")
    file_system_poll_wait_seconds: float = _flag(
        1.0, "Look for versions so often; 0 once, at start."
    )
    max_num_load_retries: int = _flag(5, "Further attempts to load a version that failed.")
    load_retry_interval_micros: int = _flag(60_000_000, "Time between them.")
    allow_version_labels_for_unavailable_models: bool = _flag(
        False, "Let a label name a version that is not loaded."
    )
    enable_model_warmup: bool = _flag(True, "Replay a version's warm-up requests as it is loaded.")
    num_request_iterations_for_warmup: int = _flag(1, "How often each of them is replayed.")
    saved_model_tags: str = _flag("serve", "Tags of the meta graph, separated by commas.")
    enable_batching: bool = _flag(False, "Merge requests that wait for the same signature.")
    batching_parameters_file: str = _flag("", "How to, a text BatchingParameters.")
    enable_per_model_batching_parameters: bool = _flag(
        False, "A version's own batching_params.pbtxt goes before the file above."
    )
    monitoring_config_file: str = _flag("", "A text MonitoringConfig; without it no metrics.")
    request_log_dir: str = _flag(
        "",
        "Keep the images of requests here, for 'bgadl harvest', and nothing about who asked; not a "
        "flag of TensorFlow Serving. They may be personal data.",
    )
    request_log_max_bytes: int = _flag(2**30, "Of all of them; the oldest go first.")
    enable_serialization_as_tensor_content: bool = _flag(
        False, "gRPC answers carry tensor_content and not typed values."
    )
    tensorflow_intra_op_parallelism: int = _flag(0, "Threads of one operation; 0 for all cores.")
    tensorflow_inter_op_parallelism: int = _flag(0, "Operations at a time; 0 for all cores.")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message} (see {PROGRAM} --help)")


def parse(argv: Sequence[str]) -> Flags:
    """Flags of a command line: ``--flag=value``, ``--flag value``, and ``--flag`` for true.

    Raises:
        ConfigError: An unknown flag, a value that is not of its type, or flags that exclude each
            other or serve nothing.
    """
    parser = _Parser(
        prog=PROGRAM,
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        description="Serves SavedModels with the REST and gRPC contract of TensorFlow Serving.",
        epilog=f"Accepted and ignored: {', '.join(sorted(WITHOUT_EFFECT))}.",
    )
    parser.add_argument("--version", action="version", version=f"bgadl_tf {__version__}")
    for flag in dataclasses.fields(Flags):
        kind = type(flag.default)
        boolean: dict[str, Any] = {}
        if kind is bool:
            boolean = {"nargs": "?", "const": True, "metavar": "BOOL"}
        parser.add_argument(
            f"--{flag.name}",
            type=_boolean if kind is bool else kind,
            default=flag.default,
            help=flag.metadata["help"],
            **boolean,
        )
    for name in WITHOUT_EFFECT:
        parser.add_argument(f"--{name}", nargs="?", const=True, help=argparse.SUPPRESS)
    values = vars(parser.parse_args(argv))
    if ignored := sorted(name for name in WITHOUT_EFFECT if values.pop(name) is not None):
        print(f"{PROGRAM}: without effect here: --{', --'.join(ignored)}", file=sys.stderr)
    flags = Flags(**values)
    _check(flags)
    return flags


def _check(flags: Flags) -> None:
    for name in ("port", "rest_api_port"):
        if not 0 <= getattr(flags, name) < 2**16:
            raise ConfigError(f"--{name} is {getattr(flags, name)}; expected 0 to 65535")
    for name in ("grpc_max_threads", "rest_api_num_threads", "rest_api_max_body_bytes",
                 "rest_api_timeout_in_ms", "num_request_iterations_for_warmup",
                 "request_log_max_bytes"):  # fmt: skip
        if getattr(flags, name) < 1:
            raise ConfigError(f"--{name} is {getattr(flags, name)}; must be at least 1")
    for name, value in vars(flags).items():
        if isinstance(value, int | float) and not abs(value) < 2**31 and name not in _LONG:
            raise ConfigError(f"--{name} is {value}; expected less than {2**31}")
    if not flags.model_name:
        raise ConfigError("--model_name is empty")
    if not (flags.port or flags.rest_api_port or flags.grpc_socket_path):
        raise ConfigError("nothing to listen on: give --rest_api_port or --port")
    if flags.port and flags.port == flags.rest_api_port:
        raise ConfigError("--rest_api_port cannot be same as --port")
    if bool(flags.model_base_path) == bool(flags.model_config_file):
        raise ConfigError(
            "give either --model_base_path, with --model_name, or --model_config_file"
        )


def _boolean(text: str) -> bool:
    if text.lower() in ("true", "1"):
        return True
    if text.lower() in ("false", "0"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is not true or false")
