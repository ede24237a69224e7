"""One version of a model on a server: found out once, named in every request."""

from __future__ import annotations

import dataclasses
import functools
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Self, TypeVar

from bgadl_tf.core.errors import BusyError, ConfigError, NotServedError, ServerError
from bgadl_tf.core.types import Json
from bgadl_tf.serving.client.address import Address, parse_address
from bgadl_tf.serving.client.images import strings
from bgadl_tf.serving.client.missing import missing_signature
from bgadl_tf.serving.client.retry import Retry
from bgadl_tf.serving.client.transport import (
    AVAILABLE,
    COMING,
    Inputs,
    Names,
    Signature,
    Tensors,
    Transport,
    VersionStatus,
)

METADATA = "metadata"
"""Signature that answers with what the exporter wrote about the model."""

T = TypeVar("T")


class PinnedModel:
    """A model on a server that speaks TF-Serving's protocols.

    It sticks to one version for its life: it finds out at the first request which one is meant
    and names it in every request from then on. Make another to follow a newer version. Requests
    may be made from several threads.

    Its arguments are those of ``Client``.

    Raises:
        ConfigError: The address is none, or two settings contradict each other.
    """

    def __init__(
        self, address: str | Transport, model: str, version: int | None, label: str | None,
        timeout: float, retry: Retry | None, connections: int,
    ) -> None:  # fmt: skip
        if version is not None and label is not None:
            raise ConfigError("a version and a label are given; give one of them")
        if not model:
            raise ConfigError("the name of the model is empty")
        if timeout <= 0:
            raise ConfigError(f"timeout is {timeout:g} s; it must be positive")
        if isinstance(address, str):
            transport = _transport(parse_address(address), model, timeout, connections)
        else:
            transport = address
        self._transport = transport
        self.address, self.model = transport.address, transport.model
        self._wanted, self._label = version, label
        self._closing = threading.Event()
        self._retry = retry or Retry()
        if self._retry.sleep is time.sleep:
            # Closing ends the pauses of other threads.
            self._retry = dataclasses.replace(self._retry, sleep=self._closing.wait)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __str__(self) -> str:
        return f"model {self.model!r} at {self.address}"

    def close(self) -> None:
        """Closes connections; requests of other threads fail."""
        self._closing.set()
        self._transport.close()

    def status(self) -> tuple[VersionStatus, ...]:
        """Every version that the server knows of."""
        return self._retry.call(self._transport.status)

    @functools.cached_property
    def version(self) -> int:
        """The version that is asked.

        Raises:
            NotServedError: There is no such model, version or label.
        """
        return self._retry.call(self._resolve)

    @functools.cached_property
    def signatures(self) -> Mapping[str, Signature]:
        """What the model can be asked, by name."""
        version = self.version
        return self._call(lambda: self._transport.describe(version=version)).signatures

    @functools.cached_property
    def metadata(self) -> Json:
        """What the exporter wrote about the model; empty for a model that does not tell."""
        if METADATA not in self.signatures:
            return {}
        answer = self.predict(METADATA, {"keys": strings([""])})
        try:
            found = json.loads(answer["values"][0])
        except (KeyError, IndexError, ValueError) as error:
            raise ServerError(f"the metadata of {self} is not JSON: {answer}") from error
        return found if isinstance(found, dict) else {}

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Name of every class, or None where the model does not tell."""
        names = self.metadata.get("class_names")
        return tuple(map(str, names)) if isinstance(names, list) else None

    def signature(self, name: str) -> Signature:
        """One signature.

        Raises:
            ServerError: The model has none of this name; says what to do.
        """
        if name not in self.signatures:
            why = missing_signature(name, self.signatures)
            raise ServerError(f"{self}, version {self.version}, {why}")
        return self.signatures[name]

    def predict(self, signature: str, inputs: Inputs, outputs: Names = None) -> Tensors:
        """One request.

        Args:
            signature: Name of the signature.
            inputs: Arrays by name; strings as object arrays of ``bytes``.
            outputs: Names of the outputs that are wanted; None for all.

        Returns:
            Arrays by name, of the types that the signature names.

        Raises:
            NotServedError: The version is not served any more.
            RejectedError: The server calls the request invalid.
            BusyError: The server could not be reached, or had no time, for too long.
            ServerError: The model has no such signature, or anything else went wrong.
        """
        found = self._signature(signature, inputs, outputs or ())
        version = self.version
        return self._call(
            lambda: self._transport.predict(version, signature, found, inputs, outputs)
        )

    def _call(self, request: Callable[[], T]) -> T:
        """Retries, and tells a version that is coming back from one that is gone."""

        def attempt() -> T:
            try:
                return request()
            except NotServedError as error:
                statuses = self._transport.status()
                states = {status.version: status.state for status in statuses}
                # A server that was started again may load its models after it can be reached.
                if states.get(self.version, "") in {AVAILABLE, *COMING}:
                    raise BusyError(f"version {self.version} of {self} is loading") from error
                raise NotServedError(self._not_served(self.version, statuses)) from error

        return self._retry.call(attempt)

    def _resolve(self) -> int:
        if self._label is not None:
            # The status names no labels, but a description says whose it is.
            described = self._transport.describe(label=self._label)
            if described.version is None:
                raise ServerError(f"{self.address} does not say what label {self._label!r} means")
            return described.version
        try:
            statuses = self._transport.status()
        except NotServedError as error:
            raise NotServedError(f"{error}; is {self.model!r} the name it is served by?") from error
        wanted = [status for status in statuses if self._wanted in (None, status.version)]
        if available := [status.version for status in wanted if status.state == AVAILABLE]:
            return max(available)
        if coming := [status.version for status in wanted if status.state in COMING]:
            raise BusyError(f"version {max(coming)} of {self} is still loading")
        raise NotServedError(self._not_served(self._wanted, statuses))

    def _not_served(self, version: int | None, statuses: Sequence[VersionStatus]) -> str:
        which = (
            f"no version of {self} is" if version is None else f"version {version} of {self} is not"
        )
        others = ", ".join(str(s.version) for s in statuses if s.state == AVAILABLE) or "none"
        errors = "".join(f"; version {s.version}: {s.error}" for s in statuses if s.error)
        return f"{which} served (available: {others}){errors}"

    def _signature(
        self, name: str, inputs: Mapping[str, object], outputs: Sequence[str]
    ) -> Signature:
        signature = self.signature(name)
        for what, given, known in (
            ("takes", set(inputs), set(signature.inputs)),
            ("answers with", set(outputs) | set(signature.outputs), set(signature.outputs)),
        ):
            if given != known:
                raise ServerError(
                    f"signature {name!r} of {self} {what} {', '.join(sorted(known))}; expected "
                    f"{', '.join(sorted(given))}: is it the right model?"
                )
        return signature


def _transport(address: Address, model: str, timeout: float, connections: int) -> Transport:
    try:
        if address.rest:
            from bgadl_tf.serving.client.rest import RestTransport

            return RestTransport(address, model, timeout, connections)
        # Imports TensorFlow, which takes seconds.
        from bgadl_tf.serving.client.grpc_transport import GrpcTransport

        return GrpcTransport(address, model, timeout)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"asking {address} needs the module {error.name}, which is not installed: "
            "pip install 'bgadl_tf[serve]'"
        ) from error
