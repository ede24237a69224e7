"""YAML without its traps: no key twice, no code, and errors that name file and line."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from bgadl_tf.core.errors import ConfigError

_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """Refuses what YAML would otherwise drop without a word, the first of two equal keys, and what
    has no end: a mapping or a list that holds itself.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._around: list[str | None] = []

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        anchor = getattr(event, "anchor", None)
        alias = isinstance(event, yaml.AliasEvent)
        if alias and anchor in self._around:
            raise yaml.MarkedYAMLError(
                problem=f"*{anchor} stands within &{anchor}, which would hold itself for ever; "
                "write out what is meant",
                problem_mark=event.start_mark,
            )
        self._around.append(anchor)
        node = super().compose_node(parent, index)
        self._around.pop()
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = set()
        for key_node, _ in node.value:
            # Merging adds the keys of another mapping that this one may overrule.
            if key_node.tag == _MERGE or not isinstance(key_node, yaml.ScalarNode):
                continue
            if key_node.value in keys:
                raise yaml.MarkedYAMLError(
                    problem=f"{key_node.value!r} stands there twice; give it once",
                    problem_mark=key_node.start_mark,
                )
            keys.add(key_node.value)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


def read(path: Path) -> object:
    """The content of a YAML file.

    Raises:
        ConfigError: It cannot be read, or is not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"there is no file {path}; give the path of a YAML file") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not text in UTF-8 (byte {error.start}); save it so") from None
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark is not None else ""
        reason = error.problem or error.context
        raise ConfigError(f"{path}{line} is no YAML that can be used: {reason}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is no YAML that can be used: {error}") from None


def line_of(path: Path, keys: Iterable[str]) -> int | None:
    """The line, from 1 on, on which the first of these keys stands.

    Args:
        path: A YAML file.
        keys: Paths of keys such as ``arms.bgadl.steps`` or ``claims.wins.pairs[0]``; ``*`` stands
            for anything. Of one that is not there, the line of the key under which it would be.

    Returns:
        None where none of them is there, or the file cannot be read any more.
    """
    try:
        top = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None
    lines: dict[str, int] = {}
    for key, line in _lines(top, ""):
        lines.setdefault(key, line)
    tried = list(keys)
    while tried:
        for key in tried:
            if found := [line for known, line in lines.items() if _fits(known, key)]:
                return found[0]
        tried = [above for key in tried if (above := re.sub(r"[.[]?[^.[]*$", "", key))]
    return None


def _fits(known: str, key: str) -> bool:
    return re.fullmatch(re.escape(key).replace(r"\*", ".*"), known) is not None


def _lines(node: yaml.Node | None, where: str) -> Iterator[tuple[str, int]]:
    """Path and line of every key, own ones before those that are merged in."""
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield f"{where}[{place}]", item.start_mark.line + 1
            yield from _lines(item, f"{where}[{place}]")
    if not isinstance(node, yaml.MappingNode):
        return
    merged: list[yaml.Node] = []
    for key, value in node.value:
        if key.tag == _MERGE:
            merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
        elif isinstance(key, yaml.ScalarNode):
            path = f"{where}.{key.value}" if where else key.value
            yield path, key.start_mark.line + 1
            yield from _lines(value, path)
    for mapping in merged:
        yield from _lines(mapping, where)
