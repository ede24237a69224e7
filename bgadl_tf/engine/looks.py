"""When two looks are the same, so that a traced function is used again."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Hashable
from typing import Any

from bgadl_tf.core.errors import ScoreError


def identity(look: Callable[..., Any]) -> Hashable:
    """What is equal for looks that do the same.

    Bound methods of equal objects and partial functions of equal arguments are the same; so are
    functions that the same line of a program made, as long as what they close over is equal. A
    function that is made anew in every round is so traced once.

    Raises:
        ScoreError: It closes over something that cannot be compared, such as an array.
    """
    key: Hashable = _key(look)
    try:
        hash(key)
    except TypeError:
        name = getattr(look, "__qualname__", repr(look))
        raise ScoreError(
            f"{name} holds a value that cannot be compared, so it would be traced anew in every "
            "round; make it a method of a frozen dataclass, or let it hold hashable values alone"
        ) from None
    return key


_CONSTANTS = (bool, int, float, str)


def _key(look: Any) -> Any:
    if isinstance(look, functools.partial):
        return "partial", _key(look.func), look.args, tuple(sorted(look.keywords.items()))
    if isinstance(look, types.MethodType):
        return "method", look.__func__, look.__self__
    if isinstance(look, types.FunctionType):
        # 1, 1.0 and True are equal, and a trace may still differ.
        values = [cell.cell_contents for cell in look.__closure__ or ()]
        cells = tuple((type(value), _key(value)) for value in values)
        defaults = tuple((look.__kwdefaults__ or {}).items())
        known = {name: look.__globals__.get(name) for name in look.__code__.co_names}
        numbers = tuple((n, type(v), v) for n, v in known.items() if isinstance(v, _CONSTANTS))
        return "function", look.__code__, cells, look.__defaults__, defaults, numbers
    return look
