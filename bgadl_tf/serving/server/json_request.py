"""JSON requests: TensorFlow Serving's row and columnar forms of predict."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from bgadl_tf.serving.server import json_values
from bgadl_tf.serving.server.inference import DEFAULT_SIGNATURE
from bgadl_tf.serving.server.json_values import echo
from bgadl_tf.serving.server.savedmodel import Array
from bgadl_tf.serving.server.status import StatusError, invalid_argument


class Request(NamedTuple):
    """The body of a predict request.

    Attributes:
        signature_name: Empty for the default.
        content: All its keys.
    """

    signature_name: str
    content: dict[str, Any]

    @property
    def row(self) -> bool:
        """Whether it, and so its answer, is in row form, else columnar."""
        return "instances" in self.content


def parse(body: bytes) -> Request:
    """The request in a body.

    Raises:
        StatusError: It is not JSON, no object, or its ``signature_name`` is no string.
    """
    content = _load(body)
    if not isinstance(content, dict):
        raise _malformed(content, "Is not object")
    name = content.get("signature_name", "")
    if not isinstance(name, str):
        raise _malformed(
            content, "not formatted correctly. 'signature_name' key must be a string value."
        )
    return Request(name, content)


def inputs(request: Request, signatures: Mapping[str, Any]) -> dict[str, Array]:
    """Inputs by the names of the signature.

    Args:
        request: The request.
        signatures: Name -> ``SignatureDef``.

    Raises:
        StatusError: It does not fit its signature.
    """
    name, content = request.signature_name or DEFAULT_SIGNATURE, request.content
    if name not in signatures:
        raise invalid_argument(f'Serving signature name: "{name}" not found in signature def')
    infos = signatures[name].inputs
    if not infos:
        raise invalid_argument(f"Failed to get input map for signature: {name}")
    if "instances" in content and "inputs" in content:
        raise _malformed(
            content,
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ",
        )
    if "instances" in content:
        instances = content["instances"]
        if not isinstance(instances, list):
            raise _malformed(content, "Excepting 'instances' to be an list/array")
        if not instances:
            raise _malformed(content, "No values in 'instances' array")
        return _rows(instances, infos)
    if "inputs" in content:
        return _columns(content["inputs"], infos)
    raise invalid_argument("Missing 'inputs' or 'instances' key")


def _load(body: bytes) -> Any:
    try:
        text = body.decode("utf-8-sig")
        if not text.strip():
            raise _parse_error("The document is empty", 0)
        return json.loads(text, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise _parse_error("Invalid encoding in string.", error.start) from None
    except json.JSONDecodeError as error:
        reason = "Invalid value." if error.msg == "Expecting value" else error.msg
        raise _parse_error(reason, len(error.doc[: error.pos].encode())) from None
    except RecursionError:
        raise _parse_error("Terminate parsing due to lists nested too deeply.", 0) from None
    except _TooBigError as error:
        offset = body.find(str(error).encode())
        raise _parse_error("Number too big to be stored in double.", offset) from None
    except ValueError:  # an integer of thousands of digits
        raise _parse_error("Number too big to be stored in double.", 0) from None


class _TooBigError(Exception):
    """A number that no double holds."""


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _TooBigError(text)
    return value


def _parse_error(reason: str, offset: int) -> StatusError:
    return invalid_argument(f"JSON Parse error: {reason} at offset: {offset}")


def _rows(instances: list[Any], infos: Mapping[str, Any]) -> dict[str, Array]:
    named = _is_named(instances[0])
    if len(infos) > 1 and not isinstance(instances[0], dict):
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    uniform = not named or all(_is_named(one) and one.keys() == infos.keys() for one in instances)
    if uniform:
        columns = {name: [one[name] for one in instances] if named else instances for name in infos}
        try:
            return {
                name: json_values.tensor(column, infos[name].dtype)
                for name, column in columns.items()
            }
        except StatusError as error:
            failure = error
    _check_elements(instances, infos, named)
    raise failure


def _check_elements(instances: list[Any], infos: Mapping[str, Any], named: bool) -> None:
    """Find the first element that is not like the others, and say what is wrong with it.

    Raises:
        StatusError: There is one.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for position, element in enumerate(instances):
        if _is_named(element) != named:
            got = (
                "Expecting object but got list" if named else "Expecting value/list but got object"
            )
            raise invalid_argument(f"{got} at item {position} of input list")
        for name, value in element.items() if named else [(next(iter(infos)), element)]:
            try:
                _check_element(shapes, name, value, infos)
            except StatusError as error:
                key = f" key: {name}" if named else ""
                raise invalid_argument(
                    f"Failed to process element: {position}{key} of 'instances' list. Error: "
                    f"{error.code.name}: {error.message}"
                ) from None
        if named and element.keys() != infos.keys():
            raise invalid_argument(
                f"Failed to process element: {position} of 'instances' list. JSON object: "
                f"{echo(element)} keys must be equal to: {','.join(sorted(infos))}"
            )


def _check_element(
    shapes: dict[str, tuple[int, ...]], name: str, value: Any, infos: Mapping[str, Any]
) -> None:
    if name not in infos:
        raise invalid_argument(f"JSON object: does not have named input: {name}")
    shape = json_values.tensor(value, infos[name].dtype).shape
    first = shapes.setdefault(name, shape)
    if math.prod(shape) != math.prod(first):
        raise invalid_argument(
            f"Expecting tensor size: {math.prod(first)} but got: {math.prod(shape)}"
        )
    if shape != first:
        expected, got = (f"[{','.join(map(str, one))}]" for one in (first, shape))
        raise invalid_argument(f"Expecting shape {expected} but got: {got}")


def _columns(value: Any, infos: Mapping[str, Any]) -> dict[str, Array]:
    if not _is_named(value):
        if len(infos) > 1:
            raise invalid_argument(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        value = {next(iter(infos)): value}
    columns = {}
    for name, info in infos.items():
        if name not in value:
            raise invalid_argument(f"Missing named input: {name} in 'inputs' object.")
        columns[name] = json_values.tensor(value[name], info.dtype)
    return columns


def _is_named(value: Any) -> bool:
    """Whether a value is an object, and not base64 data."""
    return isinstance(value, dict) and not json_values.is_base64(value)


def _malformed(value: Any, complaint: str) -> StatusError:
    return invalid_argument(f"JSON Value: {echo(value)} {complaint}")
