"""What an expression's value is, within a scope that knows its references."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from tests.infrastructure.hcl_functions import FUNCTIONS, Opaque, Wrong, kind_of, text_of
from tests.infrastructure.hcl_reading import Tree

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "modulo": operator.mod,
    "equal": operator.eq,
    "notEqual": operator.ne,
    "greaterThan": operator.gt,
    "greaterThanOrEqual": operator.ge,
    "lessThan": operator.lt,
    "lessThanOrEqual": operator.le,
}


class Scope(Protocol):
    """Where an expression stands: its module, and the names that blocks around it bind."""

    def resolve(self, steps: list[Any]) -> tuple[Any, list[Any]]:
        """Return the value of the longest beginning that is known, and the steps left."""

    def binding(self, names: Mapping[str, Any]) -> Scope:
        """Return this scope with more names bound."""


def evaluate(tree: Tree, scope: Scope) -> Any:  # noqa: ANN401, C901, PLR0911 - one line a kind of tree
    """Return a tree's value. Raises Wrong."""
    if "literal" in tree:
        return tree["literal"]
    if "template" in tree:
        parts = [evaluate(each, scope) for each in tree["template"]]
        return parts[0] if tree.get("wrapped") else "".join(text_of(each) for each in parts)
    if "reference" in tree:
        value, left = scope.resolve(tree["reference"])
        return walked(value, left)
    if "from" in tree:
        return walked(evaluate(tree["from"], scope), tree["steps"])
    if "index" in tree:
        collection, key = (evaluate(each, scope) for each in tree["index"])
        return walked(collection, [{"at": key}])
    if "call" in tree:
        return _call(tree, scope)
    if "conditional" in tree:
        condition, yes, no = tree["conditional"]
        return evaluate(yes if truth(evaluate(condition, scope)) else no, scope)
    if "operator" in tree:
        return _operate(tree, scope)
    if "tuple" in tree:
        return [evaluate(each, scope) for each in tree["tuple"]]
    if "object" in tree:
        return {text_of(evaluate(key, scope)): evaluate(value, scope) for key, value in tree["object"]}
    if "for" in tree:
        return _for(tree, scope)
    if "splat" in tree:
        return _splat(tree, scope)
    raise Wrong(f"an expression of {sorted(tree)} is not understood")


def walked(value: Any, steps: list[Any]) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return what stands at the end of attributes and indexes. Raises Wrong."""
    for step in steps:
        name = step["at"] if isinstance(step, dict) else step
        if isinstance(value, Opaque):
            value = f"{value.marker[:-1]} {name}»"
        elif isinstance(value, list) and isinstance(name, int):
            if not -1 < name < len(value):
                raise Wrong(f"index {name} of {len(value)}")
            value = value[name]
        elif isinstance(value, Mapping) and name in value:
            value = value[name]
        else:
            raise Wrong(f"a {kind_of(value)} has no {name}")
    return value


def truth(value: Any) -> bool:  # noqa: ANN401 - must be a bool
    """Return a condition's value. Raises Wrong if it is none."""
    if not isinstance(value, bool):
        raise Wrong(f"a condition is a bool, not a {kind_of(value)}")
    return value


def items(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - JSON of any shape
    """Yield keys and values of what a for goes over."""
    if isinstance(value, Mapping):
        yield from sorted(value.items())
    elif isinstance(value, list):
        yield from enumerate(value)
    else:
        raise Wrong(f"for goes over a list or a map, not over a {kind_of(value)}")


def _call(tree: Tree, scope: Scope) -> Any:  # noqa: ANN401 - as the function has it
    name = tree["call"]
    if name in {"can", "try"}:
        return _tried(name, tree["arguments"], scope)
    if name not in FUNCTIONS:
        raise Wrong(f"the function {name} is not known")
    arguments = [evaluate(each, scope) for each in tree["arguments"]]
    if tree["spread"]:
        arguments = [*arguments[:-1], *arguments[-1]]
    try:
        return FUNCTIONS[name](*arguments)
    except (TypeError, AttributeError, ValueError) as error:
        raise Wrong(f"{name}(): {error}") from None


def _tried(name: str, trees: list[Tree], scope: Scope) -> Any:  # noqa: ANN401 - as the function has it
    for each in trees:
        try:
            value = evaluate(each, scope)
        except Wrong:
            continue
        return True if name == "can" else value
    if name == "can":
        return False
    raise Wrong("try() has nothing left to try")


def _operate(tree: Tree, scope: Scope) -> Any:  # noqa: ANN401 - number or bool
    name, operands = tree["operator"], tree["operands"]
    if name in {"logicalAnd", "logicalOr"}:
        # Terraform looks at both sides, whatever the first is.
        left, right = (truth(evaluate(each, scope)) for each in operands)
        return (left and right) if name == "logicalAnd" else (left or right)
    values = [evaluate(each, scope) for each in operands]
    if name == "logicalNot":
        return not truth(values[0])
    if name == "negate":
        return -values[0]
    if name not in {"equal", "notEqual"} and any(isinstance(each, bool | str) for each in values):
        raise Wrong(f"{name} of {' and '.join(kind_of(each) for each in values)}")
    return _BINARY[name](*values)


def _for(tree: Tree, scope: Scope) -> Any:  # noqa: ANN401 - list or map
    collection, *rest = tree["for"]
    condition = rest.pop() if tree["filtered"] else None
    pairs: list[tuple[Any, Any]] = []
    for key, value in items(evaluate(collection, scope)):
        names = {tree["value"]: value, **({tree["key"]: key} if tree["key"] else {})}
        inner = scope.binding(names)
        if condition is None or truth(evaluate(condition, inner)):
            results = [evaluate(each, inner) for each in rest]
            pairs.append((results[0], results[-1]))
    if not tree["mapping"]:
        return [value for _, value in pairs]
    mapped = {text_of(key): value for key, value in pairs}
    if len(mapped) != len(pairs):
        raise Wrong("two elements of a for have the same key")
    return mapped


def _splat(tree: Tree, scope: Scope) -> list[Any]:
    value = evaluate(tree["splat"], scope)
    if value is None:
        return []
    listed = value if isinstance(value, list) else [value]
    return [walked(each, tree["steps"]) for each in listed]
