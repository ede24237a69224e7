"""The label config of a project: which classes its page offers, and where it takes images from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from bgadl_tf.core.errors import DataError

KEYS = "1234567890"
"""Hotkeys of the first ten classes, where the classes are no digits themselves."""


@dataclass(frozen=True)
class LabelConfig:
    """What a label config says.

    Attributes:
        control: Name of its choices.
        image: Name of its image.
        field: Of a task's data, that holds the image.
        choices: That it offers, in order.
        text: All of it, as XML.
    """

    control: str
    image: str
    field: str
    choices: tuple[str, ...]
    text: str

    @classmethod
    def of(cls, text: str) -> LabelConfig:
        """Read one.

        Raises:
            DataError: It is not one image with one set of choices, of which one is chosen.
        """
        root = _parsed(text)
        images = {tag.get("name", ""): tag for tag in root.iter("Image")}
        controls = [tag for tag in root.iter("Choices") if tag.get("toName", "") in images]
        if len(controls) != 1:
            raise DataError(
                f"its labelling interface has {len(controls)} <Choices> about an <Image>; "
                "expected one"
            )
        control = controls[0]
        image = control.get("toName", "")
        if control.get("choice", "single") not in ("single", "single-radio"):
            raise DataError(
                f'its <Choices> allow {control.get("choice")!r}; expected choice="single", since '
                "an image is of one class"
            )
        value = images[image].get("value", "")
        if not value.startswith("$") or not value[1:].isidentifier():
            raise DataError(
                f"its <Image> shows {value!r}; expected one field of a task, such as $image"
            )
        choices = tuple(tag.get("value", "") for tag in control.iter("Choice"))
        return cls(control.get("name", ""), image, value[1:], choices, text)

    def missing(self, classes: Sequence[str]) -> tuple[str, ...]:
        """Classes that it is to offer, too, since they became known later.

        Raises:
            DataError: It offers something else.
        """
        extra = [name for name in self.choices if name not in classes]
        if extra:
            raise DataError(
                f"it offers {_quoted(extra)}, no class of the run, whose classes are "
                f"{_quoted(classes)}; take them out there, or make them known: bgadl train … "
                "--new-class NAME"
            )
        known = len(self.choices)
        if not known or {*self.choices} != {*classes[:known]}:
            lacking = [name for name in classes if name not in self.choices]
            raise DataError(
                f"it offers {_quoted(self.choices) or 'nothing'}, and lacks {_quoted(lacking)}; "
                "add them there, or let --project new make one"
            )
        return tuple(classes[known:])

    def with_choices(self, names: Sequence[str], classes: Sequence[str]) -> LabelConfig:
        """One that offers these, too.

        Args:
            names: Of the choices to add.
            classes: All that it offers then.
        """
        root = _parsed(self.text)
        control = next(tag for tag in root.iter("Choices") if tag.get("name") == self.control)
        for name in names:
            used = {tag.get("hotkey") for tag in control.iter("Choice")}
            key = _hotkey(classes.index(name), classes)
            _add_choice(control, name, None if key in used else key)
        return LabelConfig.of(ElementTree.tostring(root, encoding="unicode"))


def made_for(classes: Sequence[str]) -> LabelConfig:
    """The label config of a new project."""
    root = ElementTree.Element("View")
    ElementTree.SubElement(root, "Image", {"name": "image", "value": "$image", "zoom": "true"})
    control = ElementTree.SubElement(
        root,
        "Choices",
        {"name": "label", "toName": "image", "choice": "single", "required": "true"},
    )
    for number, name in enumerate(classes):
        _add_choice(control, name, _hotkey(number, classes))
    return LabelConfig.of(ElementTree.tostring(root, encoding="unicode"))


def _add_choice(control: ElementTree.Element, name: str, hotkey: str | None) -> None:
    keys = {} if hotkey is None else {"hotkey": hotkey}
    ElementTree.SubElement(control, "Choice", {"value": name, **keys})


def _hotkey(number: int, classes: Sequence[str]) -> str | None:
    if number >= len(KEYS):
        return None
    digits = all(len(name) == 1 and name in KEYS for name in classes[: len(KEYS)])
    return classes[number] if digits else KEYS[number]


def _parsed(text: str) -> ElementTree.Element:
    builder = ElementTree.TreeBuilder(insert_comments=True)
    try:
        return ElementTree.fromstring(text, ElementTree.XMLParser(target=builder))
    except ElementTree.ParseError as error:
        raise DataError(f"its labelling interface is not XML: {error}") from error


def _quoted(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:20])
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown
