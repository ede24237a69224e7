"""Names for things: one decorator makes a dataset, classifier, learner, … available everywhere."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from bgadl_tf.core.errors import UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """A table from names to things, filled by the modules of one package.

    The modules of ``package`` are imported at the first look-up, so adding a thing is adding
    one file with one ``@REGISTRY.register("name")``.

    Args:
        kind: What is registered, for messages, e.g. ``"classifier"``.
        package: Dotted name of the package whose modules register things; None for none.
    """

    def __init__(self, kind: str, package: str | None = None) -> None:
        self.kind = kind
        self._package = package
        self._items: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that makes ``name`` mean the decorated thing.

        Raises:
            ValueError: ``name`` is taken.
        """

        def add(item: T) -> T:
            if name in self._items:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._items[name] = item
            return item

        return add

    def get(self, name: str) -> T:
        """The thing called ``name``.

        Raises:
            UnknownNameError: Nothing is called so; the message lists what is.
        """
        self._discover()
        if name not in self._items:
            close = difflib.get_close_matches(name, self._items, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise UnknownNameError(
                f"unknown {self.kind} {name!r}{hint}; known: {', '.join(self.names())}"
            )
        return self._items[name]

    def names(self) -> tuple[str, ...]:
        """Every registered name, sorted."""
        self._discover()
        return tuple(sorted(self._items))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def _discover(self) -> None:
        if self._package is None:
            return
        package = importlib.import_module(self._package)
        for info in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{info.name}")
        self._package = None
