"""Which acquisition goes with which learner, for every kind of examples."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, create, wraps
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Shape
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.models.classifiers.base import CLASSIFIERS


class Kind(NamedTuple):
    """A kind of examples, by one of them.

    Attributes:
        shape: Of an example.
        classifier: A small one of such examples.
    """

    shape: Shape
    classifier: str


KINDS: Mapping[str, Kind] = MappingProxyType({
    "Square images of 8 to 96 pixels a side": Kind((8, 8, 1), "lenet"),
    "Other images of 8 to 96 pixels a side": Kind((8, 12, 1), "lenet"),
    "Larger images": Kind((100, 100, 1), "lenet"),
    "Vectors, as features of a frozen backbone": Kind((16,), "mlp"),
})  # fmt: skip


def learner_of(name: str, kind: Kind, dropout: float | None = None, **options: Any) -> Learner:
    """A learner with narrow networks; compiled.

    Args:
        name: Registered.
        kind: Of examples.
        dropout: 0 for a classifier whose passes all agree; None for its own.
        **options: Of the learner, where it has them.

    Raises:
        ConfigError: It cannot learn from such examples.
    """
    learner_type = LEARNERS.get(name)
    fields = {*learner_type.options_type.__dataclass_fields__}
    small: dict[str, Any] = {"width": 0.1, "latent_dim": 5, "pretext_steps": 1, **options}
    chosen = {option: value for option, value in small.items() if option in fields}
    classifier = CLASSIFIERS.get(kind.classifier)(kind.shape, 3, dropout)
    learner = learner_type.create(classifier, learner_type.options_type(**chosen))
    learner.compile()
    return learner


def needs() -> dict[str, tuple[type, ...]]:
    """What every acquisition needs; one that wraps another needs what that one does."""
    return {name: create(name).needs for name in ACQUISITIONS if not wraps(name)}


def needed_abilities() -> list[type]:
    """Every ability that some acquisition needs, by name."""
    return sorted(
        {need for own in needs().values() for need in own}, key=lambda need: need.__name__
    )


def groups(kind: Kind) -> dict[tuple[type, ...], list[str]]:
    """Learners of a kind of examples, by which of the needed abilities they have."""
    found = dict[tuple[type, ...], list[str]]()
    for name in sorted(LEARNERS):
        with contextlib.suppress(ConfigError):
            found.setdefault(_abilities(learner_of(name, kind)), []).append(name)
    return found


def _abilities(learner: Learner) -> tuple[type, ...]:
    """Which of the needed ones it has."""
    return tuple(ability for ability in needed_abilities() if isinstance(learner, ability))


def markdown() -> str:
    """A page with a table for every kind of examples."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    abilities = {ability.__name__: _summary(ability) for ability in needed_abilities()}
    yield "# Which acquisition goes with which learner"
    yield ""
    yield "Made by `python scripts/pairs.py > scripts/pairs.md`; a test compares. A cell names the"
    yield "abilities that are lacking. What wraps another acquisition goes with what that one goes"
    yield "with, as `diverse:bald` with what `bald` does."
    yield ""
    yield from _table(("", "wraps", "but not"), _of_wrappers())
    yield ""
    yield from _table(("ability", "a learner that has it"), abilities.items())
    for title, kind in KINDS.items():
        yield ""
        yield f"## {title}"
        yield ""
        yield from _of_kind(kind)


def _of_wrappers() -> Iterator[tuple[str, str, str]]:
    """What each wrapper wraps and what it refuses, of what wraps nothing itself."""
    inner = [name for name in sorted(ACQUISITIONS) if not wraps(name)]
    for name in sorted({*ACQUISITIONS} - {*inner}):
        taken = [other for other in inner if _exists(f"{name}:{other}")]
        yield f"`{name}`", _named(taken), _named([other for other in inner if other not in taken])


def _exists(name: str) -> bool:
    try:
        create(name)
    except ConfigError:
        return False
    return True


def _of_kind(kind: Kind) -> Iterator[str]:
    with_dropout = groups(kind)
    cannot = sorted({*LEARNERS} - {name for names in with_dropout.values() for name in names})
    columns = [(abilities, _named(names)) for abilities, names in with_dropout.items()]
    without_dropout = learner_of("plain", kind, 0.0)
    columns.append((_abilities(without_dropout), "a classifier without dropout"))
    rows = (
        (f"`{name}`", *(_cell(own, abilities) for abilities, _ in columns))
        for name, own in needs().items()
    )
    yield from _table(("", *(title for _, title in columns)), rows)
    if cannot:
        yield ""
        yield f"Not for such examples: {_named(cannot)}."


def _cell(needed: Sequence[type], abilities: Sequence[type]) -> str:
    return ", ".join(need.__name__ for need in needed if need not in abilities) or "yes"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _named(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _summary(ability: type) -> str:
    text = (ability.__doc__ or "").strip().partition(".\n")[0].partition(". ")[0]
    return " ".join(text.rstrip(".").split())
