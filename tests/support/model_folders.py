"""Models that are folders alone, and a loader that only notes what it is asked for."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf.serving.server.configuration import ModelConfig
from bgadl_tf.serving.server.inference import Servable
from bgadl_tf.serving.server.manager import Manager
from bgadl_tf.serving.server.status import Code, StatusError
from bgadl_tf.serving.server.versions import Policy


class Loader:
    """Loads folders, as servables of one signature, named after the folder; those that hold a file
    ``broken`` fail.
    """

    def __init__(self) -> None:
        self.open: list[str] = []
        self.attempts: list[Path] = []
        self.before: Callable[[Path], None] = lambda _: None

    def __call__(self, name: str, number: int, path: Path) -> Servable:
        self.attempts.append(path)
        self.before(path)
        if (path / "broken").exists():
            raise OSError(f"{path}/broken is in the way")
        folder = "/".join(path.parts[-2:])
        self.open.append(folder)
        return Servable({folder: None}, None, lambda: self.open.remove(folder))  # type: ignore[arg-type]


def publish(base: Path, *names: object, broken: bool = False) -> None:
    for name in names:
        (base / str(name)).mkdir(parents=True)
        if broken:
            (base / str(name) / "broken").touch()


def config(base: Path, name: str = "m", policy: Policy | None = None, **labels: int) -> ModelConfig:
    return ModelConfig(name, base, policy or Policy(), labels)


def states(manager: Manager, name: str = "m") -> dict[int, str]:
    found = {}
    for version in manager.status(name).model_version_status:
        found[version.version] = version.State.Name(version.state)
    return found


def served_folder(manager: Manager, *spec: Any) -> str:
    with manager.acquired(*spec) as (_, servable):
        return next(iter(servable.signatures))


@contextlib.contextmanager
def refused(code: Code, match: str | None = None) -> Iterator[None]:
    with pytest.raises(StatusError, match=match) as caught:
        yield
    assert caught.value.code == code


@contextlib.contextmanager
def in_thread(work: Callable[[], object]) -> Iterator[threading.Thread]:
    """Run something beside the body; fails if it raised, or is not done soon after."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield thread
    thread.join(20)
    assert not thread.is_alive(), "stuck"
    assert not errors, errors
