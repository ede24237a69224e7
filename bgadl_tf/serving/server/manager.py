"""The life of versions: found, loaded, served, unloaded.

A new version is loaded beside the old one, which goes only when the new one is available and its
last request has been answered. A version that cannot be loaded changes nothing for the others.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tensorflow_serving.apis import get_model_status_pb2

from bgadl_tf.serving.server import base_path, versions
from bgadl_tf.serving.server.configuration import ModelConfig
from bgadl_tf.serving.server.inference import Servable
from bgadl_tf.serving.server.lifecycle import Model, State, Version, not_found
from bgadl_tf.serving.server.status import Code, StatusError, invalid_argument, load_failure

_log = logging.getLogger(__name__)

Load = Callable[[str, int, Path], Servable]
"""Loads a version of a model, given its name, number and folder."""


class Manager:
    """Keeps the wanted versions of all models loaded.

    Args:
        load: Loads one.
        retries: Further attempts to load a version that failed.
        retry_seconds: Between them.
        allow_unavailable_labels: Let a new label name a version that is not available.
    """

    def __init__(
        self,
        load: Load,
        retries: int = 0,
        retry_seconds: float = 60.0,
        allow_unavailable_labels: bool = False,
    ) -> None:
        self._load, self._retries, self._retry_seconds = load, retries, retry_seconds
        self._allow_unavailable_labels = allow_unavailable_labels
        self._models: dict[str, Model] = {}
        self._changed = threading.Condition()  # guards everything that requests look at
        self._working = threading.Lock()  # one poll or reload at a time

    # What to serve

    def configure(self, configs: Sequence[ModelConfig]) -> None:
        """Serve these models and no others; returns when their versions are loaded, or failed.

        Raises:
            StatusError: A label names a version that is not available. What was served before is
                served still, and nothing else.
        """
        with self._working:
            for config in configs:
                self._check_labels(config, only_moved=True)
            before = {name: (model.config, model.wanted) for name, model in self._models.items()}
            for config in configs:
                with self._changed:
                    model = self._models.setdefault(config.name, Model(config))
                    model.config = config
                self._load_wanted(model)
            try:
                for config in configs:
                    self._check_labels(config, only_moved=self._allow_unavailable_labels)
            except StatusError:
                for name, (config, wanted) in before.items():
                    self._models[name].config, self._models[name].wanted = config, wanted
                self._unload_unwanted(keep={*before})
                raise
            with self._changed:
                for config in configs:
                    self._models[config.name].labels = dict(config.labels)
            self._unload_unwanted(keep={config.name for config in configs})

    def poll(self) -> None:
        """Look for new and vanished versions once."""
        with self._working:
            for model in self._models.values():
                self._load_wanted(model)
            self._unload_unwanted(keep={*self._models})

    def close(self, seconds: float = threading.TIMEOUT_MAX) -> bool:
        """Unload everything, each version when its last request has been answered.

        Args:
            seconds: Give up after so long.

        Returns:
            Whether all is unloaded.
        """
        until = time.monotonic() + seconds
        if not self._working.acquire(timeout=seconds):
            return False
        try:
            return all(
                self._unload(name, version, max(0.0, until - time.monotonic()))
                for name, model in self._models.items()
                for version in model.in_state(State.AVAILABLE)
            )
        finally:
            self._working.release()

    def _check_labels(self, config: ModelConfig, only_moved: bool) -> None:
        """Refuse labels, or those in use that move, of versions that are not here to stay."""
        model = self._models.get(config.name, Model(config))
        staying = {*model.available} - {version.number for version in model.unwanted}
        for label, number in config.labels.items():
            moves = model.labels.get(label, number) != number
            if (moves or not only_moved) and number not in staying:
                raise StatusError(
                    Code.FAILED_PRECONDITION,
                    f"Request to assign label to version {number} of model {config.name}, which is "
                    "not currently available for inference",
                )

    # Loading and unloading

    def _load_wanted(self, model: Model) -> None:
        name, config = model.config.name, model.config
        try:
            wanted = versions.wanted(config.base_path, config.policy)
        except OSError as error:
            # A volume may come back; what is loaded is served until then.
            why = base_path.explain(config.base_path, config.policy)
            self._explain(model, why or f"cannot look for versions: {error.strerror}")
            return
        model.empty_polls = 0 if wanted else model.empty_polls + 1
        model.wanted = {*wanted.values()}
        served = wanted or model.available
        self._explain(model, None if served else base_path.explain(config.base_path, config.policy))
        for version in model.versions.values():
            if version.path not in model.wanted:
                # Should it come again, it is another that deserves all its attempts.
                version.attempts, version.next_attempt = 0, 0.0
        for number, path in wanted.items():
            known = model.versions.get(path)
            if known is None or (known.state == State.END and known.error is None):
                known = Version(number, path)
                with self._changed:
                    model.versions.pop(path, None)
                    model.versions[path] = known
                self._attempt(name, known)
            elif known.is_due(self._retries):
                self._attempt(name, known)

    def _explain(self, model: Model, why: str | None) -> None:
        """Note why no version was found; said once, until it changes."""
        if why is not None and why != model.why_none:
            _log.warning("model %s: nothing to serve: %s", model.config.name, why)
        with self._changed:
            model.why_none = why

    def _attempt(self, name: str, version: Version) -> None:
        self._set(version, State.LOADING)
        version.attempts += 1
        start = time.monotonic()
        try:
            version.servable = self._load(name, version.number, version.path)
        except Exception as error:
            failure = load_failure(error, version.path)
            version.next_attempt = time.monotonic() + self._retry_seconds
            self._set(version, State.END, failure)
            _log.error("model %s, version %d: cannot be loaded: %s", name, version.number, failure)
        else:
            self._set(version, State.AVAILABLE)
            seconds = time.monotonic() - start
            _log.info("model %s, version %d: loaded in %.1f s", name, version.number, seconds)

    def _unload_unwanted(self, keep: set[str]) -> None:
        """Unload what is wanted no longer, and whole models but these."""
        for name, model in [*self._models.items()]:
            going = model.unwanted if name in keep else model.in_state(State.AVAILABLE)
            if name not in keep:
                with self._changed:
                    del self._models[name]
            for version in going:
                self._unload(name, version)

    def _unload(self, name: str, version: Version, seconds: float = threading.TIMEOUT_MAX) -> bool:
        with self._changed:
            version.state = State.UNLOADING
            if not self._changed.wait_for(lambda: version.requests == 0, seconds):
                return False
            servable, version.servable = version.servable, None
        assert servable is not None
        servable.close()
        self._set(version, State.END)
        _log.info("model %s, version %d: unloaded", name, version.number)
        return True

    def _set(self, version: Version, state: int, error: StatusError | None = None) -> None:
        with self._changed:
            version.state, version.error = state, error

    # Answering requests

    @contextlib.contextmanager
    def acquired(
        self, name: str, number: int | None = None, label: str | None = None
    ) -> Iterator[tuple[int, Servable]]:
        """A version's number and what it serves; it is not unloaded while this is open.

        Args:
            name: Of the model.
            number: Of the version; None for the largest that is available.
            label: Of the version, instead of its number.

        Raises:
            StatusError: There is no such version, or it is not available.
        """
        with self._changed:
            version = self._find(name, number, label)
            version.requests += 1
            servable = version.servable
            assert servable is not None
        try:
            yield version.number, servable
        finally:
            with self._changed:
                version.requests -= 1
                if not version.requests:
                    self._changed.notify_all()

    def _find(self, name: str, number: int | None, label: str | None) -> Version:
        if not name:
            raise invalid_argument("ModelSpec has no name specified.")
        model = self._models.get(name)
        if label is not None:
            number = self._number_of(name, label)
        available = model.available if model else {}
        if number is None:
            if not available:
                raise not_found(f"Servable not found for request: Latest({name})", model)
            return available[max(available)]
        if number not in available:
            raise not_found(f"Servable not found for request: Specific({name}, {number})", model)
        return available[number]

    def _number_of(self, name: str, label: str) -> int:
        model = self._models.get(name)
        if model is None or label not in model.labels:
            raise invalid_argument(f"Unrecognized servable version label: {label}")
        return model.labels[label]

    def status(
        self, name: str, number: int | None = None, label: str | None = None
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """State of a model's versions, the largest number first.

        Raises:
            StatusError: There is no such model or version.
        """
        with self._changed:
            if not name:
                raise invalid_argument("Missing model name in request.")
            if label is not None:
                number = self._number_of(name, label)
            model = self._models.get(name)
            known = model.known if model else {}
            if number is not None and number not in known:
                raise not_found(f"Could not find version {number} of model {name}", model)
            if not known:
                raise not_found(f"Could not find any versions of model {name}", model)
            response = get_model_status_pb2.GetModelStatusResponse()
            for version in sorted(known, reverse=True) if number is None else [number]:
                one = response.model_version_status.add(version=version, state=known[version].state)
                error = known[version].error
                one.status.error_code = error.code if error else Code.OK
                one.status.error_message = error.message if error else ""
            return response

    @property
    def requests(self) -> int:
        """How many are being answered."""
        with self._changed:
            models = self._models.values()
            return sum(version.requests for m in models for version in m.versions.values())

    def has(self, name: str) -> bool:
        """Whether there is a model of this name."""
        return name in self._models

    def available(self, name: str | None = None) -> bool:
        """Whether a model, or every model, has a version that is available."""
        with self._changed:
            models = self._models.items()
            return all(m.in_state(State.AVAILABLE) for n, m in models if name in (None, n))
