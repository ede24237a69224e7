"""Whether a written model would be served: it is loaded and asked as a model server does it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from bgadl_tf.core.errors import ExportError, plain
from bgadl_tf.export.warmup import Request


def verify(folder: Path, named: dict[str, Request]) -> None:
    """Load a model through TensorFlow's session loader, and run a request of every signature.

    ``tf.saved_model.load`` would not do: it forgives variables that this loader does not find.

    Raises:
        ExportError: It cannot be loaded, a signature fails, lacks rows or changes a variable.
    """
    tf1 = tf.compat.v1
    # On the CPU: another session would want the accelerator's memory that training still holds.
    config = tf1.ConfigProto(device_count={"GPU": 0})
    try:
        with _quiet(), tf.Graph().as_default(), tf1.Session(config=config) as session:
            model = tf1.saved_model.loader.load(session, [tf.saved_model.SERVING], str(folder))
            for name, request in named.items():
                definition = model.signature_def[name]
                if writes := _writes(model.graph_def, _nodes(definition.outputs)):
                    raise ExportError(f"signature {name!r} changes variables: {', '.join(writes)}")
                feed = {definition.inputs[key].name: value for key, value in request.items()}
                fetch = {key: info.name for key, info in definition.outputs.items()}
                for key, value in session.run(fetch, feed).items():
                    if value.shape[:1] != (1,):
                        raise ExportError(f"{key!r} of {name!r} has shape {value.shape} for 1 row")
    except (OSError, tf.errors.OpError, LookupError, ValueError) as error:
        raise ExportError(
            f"a model server could not serve the exported model: {plain(str(error))}"
        ) from error


def _nodes(tensors: Any) -> list[str]:
    return [info.name.partition(":")[0] for info in tensors.values()]


def _writes(graph: Any, outputs: Iterable[str]) -> list[str]:
    """Ops that assign variables among all that the output nodes depend on, in functions too."""
    top = {node.name: node for node in graph.node}
    functions = {function.signature.name: function for function in graph.library.function}
    todo = [top[name] for name in outputs]
    seen_nodes, seen_functions, found = set(outputs), set[str](), set[str]()
    while todo:
        node = todo.pop()
        if "Assign" in node.op or node.op.startswith(("ResourceApply", "ResourceScatter")):
            found.add(node.op)
        for name in _called(node):
            if name in functions and name not in seen_functions:
                seen_functions.add(name)
                todo += functions[name].node_def
        inputs = {source.lstrip("^").partition(":")[0] for source in node.input}
        # Names of nodes inside functions are not unique; all of a function's nodes are there.
        if top.get(node.name) is node:
            todo += [top[name] for name in inputs - seen_nodes]
            seen_nodes |= inputs
    return sorted(found)


def _called(node: Any) -> Iterator[str]:
    for value in node.attr.values():
        yield from (function.name for function in (value.func, *value.list.func))
    yield node.op


@contextmanager
def _quiet() -> Iterator[None]:
    """Without TensorFlow's advice not to use the loader that servers use."""
    logger: logging.Logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
