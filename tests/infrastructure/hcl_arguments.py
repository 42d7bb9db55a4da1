"""Are a resource's arguments and blocks what the provider's schema has, and of its types?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.infrastructure.hcl_functions import Wrong, kind_of
from tests.infrastructure.hcl_plan import Planned
from tests.infrastructure.hcl_reading import Block, Configuration, Module, Resource
from tests.infrastructure.hcl_schema import LIFECYCLE, META, schema_of
from tests.infrastructure.hcl_types import primitive

_SIMPLE = frozenset({"string", "number", "bool"})


def faults(configuration: Configuration, module: Module, resource: Resource) -> Iterator[str]:  # noqa: ARG001
    """Yield unknown, missing and computed arguments, and blocks in the place of arguments."""
    schema = schema_of(resource)
    if schema is None:
        yield f"{resource.address}: the kind {resource.type} is not in the provider's schema"
        return
    for lifecycle in resource.body.get("lifecycle", []):
        for name in sorted(lifecycle.keys() - LIFECYCLE):
            yield f"{resource.address}: lifecycle knows no {name}"
        if not isinstance(lifecycle.get("prevent_destroy", True), bool):
            yield f"{resource.address}: prevent_destroy is true or false, not an expression"
    body = {name: value for name, value in resource.body.items() if name not in META}
    for name in sorted(body.keys() & schema.computed):
        yield f"{resource.address}: {name} is for the provider to say"
    known = {name: value for name, value in body.items() if name not in schema.computed}
    yield from _block(resource.address, known, schema.arguments)


def _block(where: str, body: Block, arguments: Mapping[str, Any]) -> Iterator[str]:
    dynamic = body.get("dynamic", {})
    given = {name: value for name, value in body.items() if name != "dynamic"}
    for name in sorted(given.keys() | dynamic.keys()):
        if name not in arguments:
            yield f"{where} knows no {name}"
    for name, wanted in arguments.items():
        if wanted.get("required") and name not in given and name not in dynamic:
            yield f"{where} needs {name}"
        if name in given:
            yield from _value(f"{where}.{name}", given[name], wanted)
        for block in dynamic.get(name, []):
            if not wanted.get("block"):
                yield f"{where}: {name} is an argument, and no dynamic block"
            elif {"for_each", "content"} - block.keys():
                yield f"{where}: dynamic {name} needs for_each and content"
            else:
                for content in block["content"]:
                    yield from _block(f"{where}.{name}", content, wanted["of"])


def _value(where: str, value: Any, wanted: Mapping[str, Any]) -> Iterator[str]:  # noqa: ANN401 - JSON
    is_block = isinstance(value, list) and all(isinstance(each, dict) for each in value) and value
    if wanted.get("block"):
        if not is_block:
            yield f"{where} is a block"
            return
        if wanted["type"] == "object" and len(value) > 1:
            yield f"{where} stands at most once"
        for each in value:
            yield from _block(where, each, wanted["of"])
    elif is_block and not (wanted["type"] == "list" and isinstance(wanted["of"], dict)):
        yield f"{where} is an argument, and no block"


def misfits(planned: Planned) -> Iterator[str]:
    """Yield evaluated arguments that are not of the schema's types."""
    schema = schema_of(planned.resource)
    if schema is not None:
        yield from _misfits(planned.address, planned.values, schema.arguments)


def _misfits(where: str, values: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        wanted = arguments.get(name)
        if wanted is None:
            continue
        if value is None:
            if wanted.get("required"):
                yield f"{where}.{name} is required, and null"
            continue
        yield from _misfit(f"{where}.{name}", value, wanted)


def _misfit(where: str, value: Any, wanted: Mapping[str, Any]) -> Iterator[str]:  # noqa: ANN401 - JSON
    shape = wanted["type"]
    try:
        if shape in _SIMPLE:
            primitive(value, shape, where)
        elif shape == "map":
            for key, each in _items(value, where):
                primitive(each, "string", f"{where}.{key}")
        elif shape == "list" and isinstance(wanted["of"], str):
            for each in _elements(value, where):
                primitive(each, wanted["of"], where)
        elif isinstance(wanted.get("of"), dict):
            for each in value if isinstance(value, list) else [value]:
                yield from _misfits(where, each, wanted["of"])
    except Wrong as error:
        yield str(error)


def _items(value: Any, where: str) -> list[tuple[str, Any]]:  # noqa: ANN401 - JSON
    if not isinstance(value, Mapping):
        raise Wrong(f"{where} is a {kind_of(value)}, not a map")
    return list(value.items())


def _elements(value: Any, where: str) -> list[Any]:  # noqa: ANN401 - JSON
    if not isinstance(value, list):
        raise Wrong(f"{where} is a {kind_of(value)}, not a list")
    return value
