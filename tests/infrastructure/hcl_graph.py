"""Does anything wait for itself? Terraform orders whole resources and outputs, not their attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from tests.infrastructure.hcl_reading import Configuration, Module
from tests.infrastructure.hcl_references import Reference, iterators, references, texts

# A module by the names of the calls that lead to it, and what it is there: "var.x", "output.x", a resource …
Node: TypeAlias = tuple[tuple[str, ...], str]
Edges: TypeAlias = dict[Node, set[Node]]


def circles(configuration: Configuration) -> Iterator[str]:
    """Yield each circle that a walk over what waits for what comes upon."""
    edges: Edges = {}
    _module(configuration, configuration.modules["."], (), edges, set())
    done: set[Node] = set()
    for start in sorted(edges):
        yield from _walk(start, edges, done)


def _walk(start: Node, edges: Edges, done: set[Node]) -> Iterator[str]:
    path: list[Node] = []
    todo: list[tuple[Node, bool]] = [(start, False)]
    while todo:
        node, left = todo.pop()
        if left:
            path.pop()
            done.add(node)
        elif node in path:
            yield "a circle: " + " -> ".join(_named(each) for each in (*path[path.index(node) :], node))
        elif node not in done:
            path.append(node)
            todo.append((node, True))
            todo += [(each, False) for each in sorted(edges.get(node, ()))]


def _named(node: Node) -> str:
    return ".".join((*(f"module.{each}" for each in node[0]), node[1]))


def _module(
    configuration: Configuration, module: Module, path: tuple[str, ...], edges: Edges, outer: set[Node]
) -> None:
    def add(name: str, body: Any, bound: frozenset[str] = frozenset()) -> None:  # noqa: ANN401 - a block
        edges.setdefault((path, name), set()).update(
            outer | _needed(configuration, module, path, body, bound)
        )

    for name, value in module.locals.items():
        add(f"local.{name}", value)
    for name, body in module.outputs.items():
        add(f"output.{name}", body)
    for address, resource in module.resources.items():
        add(address, resource.body, iterators(resource.body))
    for name in module.variables:
        edges.setdefault((path, f"var.{name}"), set())
    for name, body in module.calls.items():
        target = configuration.modules.get(module.called(name))
        if target is None:
            continue
        inner = (*path, name)
        every = {key: body[key] for key in ("count", "for_each", "depends_on") if key in body}
        waits = _needed(configuration, module, path, every, frozenset()) | outer
        for variable in target.variables:
            edges.setdefault((inner, f"var.{variable}"), set()).update(
                _needed(configuration, module, path, body.get(variable), frozenset()) | waits
            )
        _module(configuration, target, inner, edges, waits)


def _needed(
    configuration: Configuration,
    module: Module,
    path: tuple[str, ...],
    body: Any,  # noqa: ANN401 - a block
    bound: frozenset[str],
) -> set[Node]:
    found: set[Node] = set()
    for text in texts(body):
        for each in references(configuration.trees.get(text, {}), bound):
            found |= _node(configuration, module, path, each)
    return found


def _node(
    configuration: Configuration, module: Module, path: tuple[str, ...], reference: Reference
) -> set[Node]:
    head, steps = reference.head, reference.steps
    if head in {"var", "local"}:
        return {(path, f"{head}.{steps[1]}")}
    if head == "module" and steps[1] in module.calls:
        target = configuration.modules.get(module.called(str(steps[1])))
        inner = (*path, str(steps[1]))
        names = [each for each in steps[2:] if isinstance(each, str)]
        outputs = names[:1] or (list(target.outputs) if target else [])
        return {(inner, f"output.{name}") for name in outputs}
    length = 3 if head in {"data", "ephemeral"} else 2
    address = ".".join(str(each) for each in steps[:length])
    return {(path, address)} if address in module.resources else set()
