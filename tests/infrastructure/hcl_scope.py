"""Does every reference of a module mean something, and is everything that it declares of use?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.infrastructure.hcl_reading import Block, Configuration, Module
from tests.infrastructure.hcl_references import Reference, iterators, references, texts
from tests.infrastructure.hcl_schema import schema_of

_PATHS = frozenset({"module", "root", "cwd"})


def faults(configuration: Configuration, module: Module) -> Iterator[str]:
    """Yield what is referred to in vain, and what is declared in vain."""
    used: set[tuple[str, str]] = set()
    for where, body, bound in _bodies(module):
        types = {body.get("type")} if where.startswith("variable ") else set()
        for text in texts(body):
            if text in types or text not in configuration.trees:
                continue
            for each in references(configuration.trees[text], bound):
                used.add((each.head, str(each.steps[1]) if len(each.steps) > 1 else ""))
                fault = _fault(configuration, module, each, body)
                if fault:
                    yield f"{where}: {fault}"
    for name in module.variables:
        if ("var", name) not in used:
            yield f"variable {name} is used nowhere"
    for name in module.locals:
        if ("local", name) not in used:
            yield f"local {name} is used nowhere"


def _bodies(module: Module) -> Iterator[tuple[str, Block, frozenset[str]]]:
    none: frozenset[str] = frozenset()
    for name, value in module.locals.items():
        yield f"local {name}", {"value": value}, none
    named: tuple[tuple[str, Mapping[str, Block]], ...] = (
        ("variable", module.variables),
        ("output", module.outputs),
        ("module", module.calls),
    )
    for kind, bodies in named:
        for name, body in bodies.items():
            yield f"{kind} {name}", body, none
    for resource in module.resources.values():
        yield resource.address, resource.body, iterators(resource.body)
    for name, providers in module.providers.items():
        for body in providers:
            yield f"provider {name}", body, none


def _fault(configuration: Configuration, module: Module, reference: Reference, body: Block) -> str:  # noqa: PLR0911
    head, steps = reference.head, reference.steps
    name = str(steps[1]) if len(steps) > 1 else ""
    if head == "var":
        return "" if name in module.variables else f"there is no variable {name}"
    if head == "local":
        return "" if name in module.locals else f"there is no local {name}"
    if head == "path":
        return "" if name in _PATHS else f"there is no path.{name}"
    if head == "terraform":
        return "" if name == "workspace" else f"there is no terraform.{name}"
    if head in {"each", "count"}:
        wanted = "for_each" if head == "each" else "count"
        return "" if wanted in body else f"{head} stands where there is no {wanted}"
    if head == "module":
        return _module(configuration, module, name, list(steps[2:]))
    return _resource(module, steps)


def _module(configuration: Configuration, module: Module, name: str, rest: list[Any]) -> str:
    if name not in module.calls:
        return f"there is no module {name}"
    fault, rest = _indexed(module.calls[name], f"module {name}", rest)
    if fault or not rest:
        return fault
    target = configuration.modules.get(module.called(name))
    if target is not None and rest[0] not in target.outputs:
        return f"module {name} has no output {rest[0]}"
    return ""


def _resource(module: Module, steps: tuple[Any, ...]) -> str:
    length = 3 if steps[0] in {"data", "ephemeral"} else 2
    address = ".".join(str(each) for each in steps[:length])
    if address not in module.resources:
        return f"there is no {address}"
    resource = module.resources[address]
    fault, rest = _indexed(resource.body, address, list(steps[length:]))
    schema = schema_of(resource)
    if fault or schema is None or not rest:
        return fault
    if rest[0] not in schema.arguments.keys() | schema.computed:
        return f"{address} has no attribute {rest[0]}"
    return ""


def _indexed(body: Block, what: str, rest: list[Any]) -> tuple[str, list[Any]]:
    """Take the index off; one that is needed and missing, or there without need, is a fault."""
    repeated = "count" in body or "for_each" in body
    if rest and isinstance(rest[0], dict):
        # A splat over a single one makes a list of it, which no module here means.
        return ("" if repeated else f"{what} is one and takes no index"), rest[1:]
    if repeated and rest:
        return f"{what} is many and needs an index", rest
    return "", rest
