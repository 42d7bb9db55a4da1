"""HealthImaging's own service model, read from the server's side: requests in, answers out, all checked.

botocore ships the model that AWS's clients are made of. What a client sends is taken apart by it and must fit
it (required members, lengths, patterns, enumerations); what the server answers must fit it too, is written as
the protocol (rest-json) says, and is read back by botocore's own parser before it leaves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

SERVICE = "medical-imaging"
_POSIX = {r"\p{ASCII}": r"[\x00-\x7f]"}  # Java's classes that Python spells in another way


class Refusal(Exception):
    """An error of the model, such as ThrottlingException, with the sentence that goes with it."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the shape's name; its status stands in the model."""
        super().__init__(code)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Request:
    """One operation of the model and its members, as a client of botocore would name them."""

    operation: str
    members: dict[str, Any]


@cache
def model() -> ServiceModel:
    """Return the model that this botocore ships."""
    loader = botocore.session.Session().get_component("data_loader")
    return ServiceModel(loader.load_service_model(SERVICE, "service-2"), SERVICE)


def read(method: str, target: str, body: bytes) -> Request:
    """Find the operation of a request line and take its members apart. Raises Refusal."""
    parts = urlsplit(target)
    operation, in_path = _operation(method, parts.path)
    shape = operation.input_shape
    members: dict[str, Any] = {}
    if shape is not None:
        members = _members(shape, in_path, parse_qs(parts.query), _json(body))
        _check(members, shape, "ValidationException")
    return Request(operation.name, members)


def answer(operation_name: str, members: Mapping[str, Any]) -> bytes:
    """Write an answer's body, after it has been held against the model and read back by botocore."""
    operation = model().operation_model(operation_name)
    shape = operation.output_shape
    if shape is None:
        raise AssertionError(f"{operation_name} has no answer in the model.")
    _check(members, shape, "InternalServerException")
    body = json.dumps(_written(members, shape)).encode()
    parsed = create_parser("rest-json").parse({"body": body, "headers": {}, "status_code": 200}, shape)
    parsed.pop("ResponseMetadata")
    if set(parsed) != set(members):
        raise AssertionError(f"botocore reads {sorted(parsed)} where {sorted(members)} was written.")
    return body


def refusal(refused: Refusal) -> tuple[int, bytes]:
    """Return status and body of an error of the model."""
    # The stubs take the code for a number; the model knows it by name.
    shape = model().shape_for_error_code(refused.code)  # type: ignore[arg-type]
    status = int(shape.metadata["error"]["httpStatusCode"])
    return status, json.dumps({"message": refused.message}).encode()


def _operation(method: str, path: str) -> tuple[OperationModel, dict[str, str]]:
    for name in model().operation_names:
        operation = model().operation_model(name)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.http["requestUri"].partition("?")[0])
        found = re.fullmatch(pattern, path)
        if found and operation.http["method"] == method:
            return operation, {key: unquote(value) for key, value in found.groupdict().items()}
    raise Refusal("ValidationException", f"There is no operation {method} on that path.")


def _members(
    shape: Shape, in_path: Mapping[str, str], query: Mapping[str, list[str]], body: Mapping[str, Any]
) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, member in shape.members.items():  # type: ignore[attr-defined]  # a structure has members
        wire = member.serialization.get("name", name)
        place = member.serialization.get("location")
        if place == "uri" and wire in in_path:
            members[name] = in_path[wire]
        elif place == "querystring" and wire in query:
            value = query[wire][0]
            members[name] = int(value) if member.type_name == "integer" else value
        elif place is None and wire in body:
            members[name] = body[wire]
    return members


def _json(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        parsed = json.loads(body)
    except ValueError:
        raise Refusal("ValidationException", "The body is not JSON.") from None
    if not isinstance(parsed, dict):
        raise Refusal("ValidationException", "The body is no JSON object.")
    return parsed


def _check(members: Mapping[str, Any], shape: Shape, code: str) -> None:
    report = ParamValidator().validate(members, shape)
    faults = [report.generate_report()] if report.has_errors() else []
    faults += _unmatched(members, shape, "")
    if faults:
        raise Refusal(code, "\n".join(faults))


def _unmatched(value: Any, shape: Shape, path: str) -> list[str]:  # noqa: ANN401 - any member of the model
    """Return what breaks a pattern, an enumeration or an upper bound: botocore leaves them to the service."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        known = shape.members  # type: ignore[attr-defined]
        pairs = [(inner, known[name], f"{path}.{name}") for name, inner in value.items() if name in known]
    elif shape.type_name == "list" and isinstance(value, list):
        pairs = [(inner, shape.member, f"{path}[]") for inner in value]  # type: ignore[attr-defined]
    else:
        return [f"{path} {wrong}" for wrong in _wrong(value, shape)]
    return [fault for inner, member, name in pairs for fault in _unmatched(inner, member, name)]


def _wrong(value: Any, shape: Shape) -> list[str]:  # noqa: ANN401
    size = len(value) if isinstance(value, str) else value
    most, enum = shape.metadata.get("max"), shape.metadata.get("enum")
    pattern = str(shape.metadata.get("pattern", ".*"))
    for java, python in _POSIX.items():
        pattern = pattern.replace(java, python)
    return [
        sentence
        for sentence, broken in (
            (f"is more than {most}", most is not None and isinstance(size, int) and size > most),
            (f"is none of {enum}", enum and value not in enum),
            (
                f"does not match {pattern}",
                isinstance(value, str) and not re.fullmatch(pattern, value, re.DOTALL),
            ),
        )
        if broken
    ]


def _written(value: Any, shape: Shape) -> Any:  # noqa: ANN401
    if shape.type_name == "structure":
        members = shape.members  # type: ignore[attr-defined]
        return {
            members[name].serialization.get("name", name): _written(inner, members[name])
            for name, inner in value.items()
            if inner is not None
        }
    if shape.type_name == "list":
        return [_written(inner, shape.member) for inner in value]  # type: ignore[attr-defined]
    if shape.type_name == "timestamp" and isinstance(value, datetime):
        return value.timestamp()
    return value
