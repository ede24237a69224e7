"""What an answer means: the index of a class."""

from __future__ import annotations

from collections.abc import Sequence

from bgadl_tf.core.errors import PoolError
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.class_names import index_of


def class_index(id_: Id, label: object, names: Sequence[str]) -> Label | None:
    """Class index of an answer; None where it declines.

    Args:
        id_: What it is about, for messages.
        label: Index or name of a class, or None.
        names: Of the classes.

    Raises:
        PoolError: It is no class.
    """
    if label is None:
        return None
    if isinstance(label, str):
        try:
            index = index_of(label, names)
        except ValueError as error:
            raise PoolError(f"label of {id_!r} is {label!r}: {error}") from None
        if index is not None:
            return index
    whole = hasattr(label, "__index__") and not isinstance(label, bool)
    if whole and 0 <= label.__index__() < len(names):  # type: ignore[attr-defined]
        return int(label.__index__())  # type: ignore[attr-defined]
    raise PoolError(
        f"label of {id_!r} is {label!r}; expected 0 to {len(names) - 1}, the name of a class, "
        "or None; add_class() makes a new one known"
    )
