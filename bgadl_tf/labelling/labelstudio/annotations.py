"""What annotations come to: one answer an example, or a reason why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.class_names import index_of_name
from bgadl_tf.labelling.labelstudio.exports import Annotation

SOURCE = "labelstudio:"
"""What ledgers call whoever answers there begins so."""


class Answers(NamedTuple):
    """What was understood of annotations, and what was not.

    Fields:
        of: Class index by id, None where it was skipped, by source.
        problems: Why nothing is told of an example, a line each.
        annotated: Every id with an annotation, understood or not.
    """

    of: Mapping[str, Mapping[Id, Label | None]]
    problems: Sequence[str]
    annotated: frozenset[Id]


def understood(
    annotations: Iterable[Annotation], known: Mapping[Id, Id], class_names: Sequence[str]
) -> Answers:
    """One answer an example; where annotations are not of one mind, none.

    Of one annotator the latest annotation counts, and a class that one has chosen counts more than
    that another one has skipped.

    Args:
        annotations: In any order.
        known: Today's id by every name that an example ever had.
        class_names: Of the run.
    """
    problems: list[str] = []
    latest: dict[Id, dict[str, Annotation]] = {}
    for one in sorted(annotations, key=lambda annotation: annotation.order):
        if one.id is None:
            problems.append(f"{one.where} has no bgadl_id: it was not made by push")
        elif (id_ := known.get(one.id)) is None:
            problems.append(f"{one.where} is about {one.id!r}, which is no id of the run")
        else:
            latest.setdefault(id_, {})[one.annotator] = one
    of: dict[str, dict[Id, Label | None]] = {}
    for id_, by in latest.items():
        given = [one for one in by.values() if not one.skipped] or [*by.values()]
        labels: dict[Label | None, Annotation] = {}
        reasons = []
        for one in given:
            label, reason = _label(one, class_names)
            if reason:
                reasons.append(f"{one.where} ({id_!r}) {reason}")
            else:
                labels[label] = one
        if len(labels) > 1:
            said = " and ".join(f"{a.choices[0]!r} ({a.annotator})" for a in labels.values())
            where = " and ".join(dict.fromkeys(a.where for a in labels.values()))
            reasons.append(f"{where} ({id_!r}) is said to be {said}: let them agree")
        if reasons:
            problems += reasons
            continue
        ((label, one),) = labels.items()
        of.setdefault(f"{SOURCE}{one.annotator}", {})[id_] = label
    return Answers(of, [*dict.fromkeys(problems)], frozenset(latest))


def _label(annotation: Annotation, class_names: Sequence[str]) -> tuple[Label | None, str]:
    """What is chosen, and why it cannot be used if it cannot."""
    if annotation.skipped:
        return None, ""
    if not annotation.choices:
        return None, "has no choice"
    if len(annotation.choices) > 1:
        names = " and ".join(repr(choice) for choice in annotation.choices)
        return None, f"has {len(annotation.choices)} choices, {names}; expected one"
    try:
        index = index_of_name(annotation.choices[0], class_names)
    except ValueError as error:
        return None, f"has a choice that is not clear: {error}"
    if index is None:
        return None, f"has the choice {annotation.choices[0]!r}, which is no class of the run"
    return index, ""
