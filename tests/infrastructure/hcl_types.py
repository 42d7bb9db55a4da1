"""Terraform's type constraints: does a value fit, and what does it become?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.infrastructure.hcl_functions import Opaque, Wrong, kind_of, text_of
from tests.infrastructure.hcl_reading import Tree

_PRIMITIVES = frozenset({"string", "number", "bool", "any"})
_COLLECTIONS = frozenset({"list", "set", "map", "object", "tuple"})


def converted(value: Any, tree: Tree, where: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return a value as a variable of a type holds it. Raises Wrong where it does not fit."""
    if value is None or isinstance(value, Opaque):
        return value
    if "reference" in tree:
        return primitive(value, tree["reference"][0], where)
    name, arguments = tree["call"], tree["arguments"]
    if name in {"list", "set"}:
        return _list(value, arguments[0], where)
    if name == "map":
        return {key: converted(each, arguments[0], f"{where}.{key}") for key, each in _items(value, where)}
    if name == "object":
        return _object(value, arguments[0]["object"], where)
    raise Wrong(f"{where}: the type {name} is not known")


def primitive(value: Any, name: str, where: str) -> Any:  # noqa: ANN401 - as given
    """Return a value as string, number, bool or any."""
    if name == "any":
        return value
    if name == "string" and isinstance(value, str | bool | int | float):
        return text_of(value)
    if name == "bool" and (isinstance(value, bool) or value in ("true", "false")):
        return value in (True, "true")
    if name == "number" and not isinstance(value, bool):
        if isinstance(value, int | float):
            return value
        if isinstance(value, str) and (value.startswith("«") or value.lstrip("-").isdigit()):
            return value if value.startswith("«") else int(value)
    raise Wrong(f"{where} is a {kind_of(value)}, not a {name}")


def default_of(tree: Tree) -> Any:  # noqa: ANN401 - as written
    """Return the default of optional(type, default)."""
    arguments = tree["arguments"]
    if len(arguments) == 1:
        return None
    return _written(arguments[1])


def is_type(tree: Tree) -> bool:
    """Say whether a tree is a type constraint."""
    if "reference" in tree:
        return tree["reference"][0] in _PRIMITIVES and len(tree["reference"]) == 1
    if tree.get("call") == "optional":
        return is_type(tree["arguments"][0])
    if tree.get("call") == "object":
        return all(is_type(each) for _, each in tree["arguments"][0].get("object", ()))
    return tree.get("call") in _COLLECTIONS and all(is_type(each) for each in tree["arguments"])


def _written(tree: Tree) -> Any:  # noqa: ANN401 - as written
    if "literal" in tree:
        return tree["literal"]
    if "template" in tree:
        return "".join(str(each["literal"]) for each in tree["template"])
    if "tuple" in tree:
        return [_written(each) for each in tree["tuple"]]
    if "object" in tree:
        return {_written(key): _written(value) for key, value in tree["object"]}
    raise Wrong("a default is a literal")


def _list(value: Any, tree: Tree, where: str) -> list[Any]:  # noqa: ANN401 - as given
    if not isinstance(value, list):
        raise Wrong(f"{where} is a {kind_of(value)}, not a list")
    return [converted(each, tree, f"{where}[{at}]") for at, each in enumerate(value)]


def _items(value: Any, where: str) -> list[tuple[str, Any]]:  # noqa: ANN401 - as given
    if not isinstance(value, Mapping):
        raise Wrong(f"{where} is a {kind_of(value)}, not a map")
    return list(value.items())


def _object(value: Any, wanted: list[tuple[Tree, Tree]], where: str) -> dict[str, Any]:  # noqa: ANN401 - as given
    given = dict(_items(value, where))
    result: dict[str, Any] = {}
    for key, tree in wanted:
        name = str(_written(key))
        optional = tree.get("call") == "optional"
        if name in given and not (optional and given[name] is None):
            result[name] = converted(
                given[name], tree["arguments"][0] if optional else tree, f"{where}.{name}"
            )
        elif optional:
            result[name] = default_of(tree)
        else:
            raise Wrong(f"{where} has no {name}")
    return result
