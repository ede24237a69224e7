"""Predict: named inputs of a signature to its named outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from bgadl_tf.serving.server.data_types import spelled
from bgadl_tf.serving.server.savedmodel import Array, Runner
from bgadl_tf.serving.server.status import Code, StatusError, invalid_argument

DEFAULT_SIGNATURE = "serving_default"
PREDICT, CLASSIFY, REGRESS = (
    f"tensorflow/serving/{method}" for method in ("predict", "classify", "regress")
)


@dataclass(frozen=True)
class Servable:
    """A version in memory.

    Attributes:
        signatures: Name -> ``SignatureDef``.
        runner: Runs its graph.
        close: Frees it, when it answers no request any more.
    """

    signatures: Mapping[str, Any]
    runner: Runner
    close: Callable[[], None]


def predict(
    servable: Servable,
    signature_name: str,
    inputs: Mapping[str, Array],
    output_filter: Sequence[str] = (),
    timeout_ms: int = 0,
) -> dict[str, Array]:
    """Outputs of a signature.

    Args:
        servable: The version.
        signature_name: Of the signature; empty for the default.
        inputs: By the signature's names; those with a default value may be missing.
        output_filter: Names of outputs to compute; empty for all.
        timeout_ms: Give up after so long; 0 never.

    Raises:
        StatusError: The request does not fit the signature.
        tf.errors.OpError: What the graph raised.
    """
    signature_name = signature_name or DEFAULT_SIGNATURE
    signature = servable.signatures.get(signature_name)
    if signature is None:
        raise StatusError(
            Code.FAILED_PRECONDITION, f'Serving signature key "{signature_name}" not found.'
        )
    if signature.method_name not in (PREDICT, CLASSIFY, REGRESS):
        raise StatusError(
            Code.INTERNAL,
            f"Expected prediction signature method_name to be one of {{{PREDICT}, {CLASSIFY}, "
            f"{REGRESS}}}. Was: {signature.method_name}",
        )
    aliases = _outputs(signature, output_filter)
    values = servable.runner.run(
        _feeds(signature, inputs), [signature.outputs[alias].name for alias in aliases], timeout_ms
    )
    return dict(zip(aliases, values, strict=True))


def _feeds(signature: Any, inputs: Mapping[str, Array]) -> dict[str, Array]:
    missing = sorted(set(signature.inputs) - set(inputs) - set(signature.defaults))
    extra = sorted(set(inputs) - set(signature.inputs))
    if missing or extra:
        raise invalid_argument(
            f"input size does not match signature: {len(inputs)}!={len(signature.inputs)} "
            f"len({{{','.join(sorted(inputs))}}}) != len({{{','.join(sorted(signature.inputs))}}})."
            f" Sent extra: {{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}."
        )
    feeds = {}
    for position, (alias, info) in enumerate(sorted(signature.inputs.items())):
        value = inputs[alias] if alias in inputs else tf.make_ndarray(signature.defaults[alias])
        expected = tf.as_dtype(info.dtype)
        if value.dtype != expected.as_numpy_dtype:
            raise invalid_argument(
                f"Expects arg[{position}] to be {spelled(expected)} but {spelled(value.dtype)} is "
                f"provided (input {alias!r})"
            )
        feeds[info.name] = value
    return feeds


def _outputs(signature: Any, output_filter: Sequence[str]) -> list[str]:
    for position, alias in enumerate(output_filter):
        if alias not in signature.outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in "
                f"the set {{{','.join(sorted(signature.outputs))}}}."
            )
        if alias in output_filter[:position]:
            raise invalid_argument(f"duplicate output tensor alias: {alias}")
    return [*(output_filter or sorted(signature.outputs))]
