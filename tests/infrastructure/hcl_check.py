"""Every fault of Terraform's files that shows without Terraform; `python -m tests.infrastructure.hcl_check`.

Read by HashiCorp's parser, held against the providers' schema, evaluated for every environment and switch.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from tests.infrastructure import hcl_arguments, hcl_graph, hcl_scope
from tests.infrastructure.hcl_functions import FUNCTIONS, LAZY, Wrong
from tests.infrastructure.hcl_plan import plan
from tests.infrastructure.hcl_reading import Block, Configuration, Module, read
from tests.infrastructure.hcl_references import texts, walk
from tests.infrastructure.hcl_schema import META, provider_of
from tests.infrastructure.hcl_types import is_type

_CALL_META = META - {"lifecycle"} | {"source", "version", "providers"}
_VARIABLE = frozenset({"default", "description", "ephemeral", "nullable", "sensitive", "type", "validation"})
_OUTPUT = frozenset({"depends_on", "description", "ephemeral", "precondition", "sensitive", "value"})
_UNUSED = "is used nowhere"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


_CHOICES = (
    {"enable_phase1": True},
    {"enable_pipeline": False, "enable_phase1": True},
    {"enable_phase1": True, "data_only": True, "delete_data": True},
)


def faults(configuration: Configuration) -> list[str]:
    """Return what is wrong, sorted; nothing twice."""
    found = set(configuration.faults)
    if "." not in configuration.modules:
        return sorted(found | {"there is no root module"})
    for module in configuration.modules.values():
        found |= {f"{module.path}: {each}" for each in _of_module(configuration, module)}
    found |= set(_values(configuration))
    found |= set(hcl_graph.circles(configuration))
    if all(each.endswith(_UNUSED) for each in found):
        found |= set(_planned(configuration))
    return sorted(found)


def _of_module(configuration: Configuration, module: Module) -> Iterator[str]:
    yield from _declared(configuration, module)
    yield from _calls(configuration, module)
    yield from _functions(configuration, module)
    yield from hcl_scope.faults(configuration, module)
    for resource in module.resources.values():
        yield from hcl_arguments.faults(configuration, module, resource)
    yield from _providers(configuration, module)


def _declared(configuration: Configuration, module: Module) -> Iterator[str]:
    for name, body in module.variables.items():
        yield from _unknown(f"variable {name}", body, _VARIABLE)
        if not body.get("description") or "type" not in body:
            yield f"variable {name} needs a type and a description"
        elif not is_type(configuration.trees.get(body["type"], {})):
            yield f"variable {name}: {body['type']} is no type"
        yield from _validated(name, body)
    for name, body in module.outputs.items():
        yield from _unknown(f"output {name}", body, _OUTPUT)
        if not body.get("description") or "value" not in body:
            yield f"output {name} needs a value and a description"
    for name in (*module.variables, *module.outputs, *module.locals, *module.calls):
        if not _NAME.fullmatch(name):
            yield f"the name {name} is not lower case with underscores"


def _validated(name: str, body: Block) -> Iterator[str]:
    for rule in body.get("validation", []):
        if {"condition", "error_message"} - rule.keys():
            yield f"variable {name}: a validation has a condition and an error_message"
        elif f"var.{name}" not in rule["condition"]:
            yield f"variable {name}: its validation does not look at it"


def _unknown(what: str, body: Block, known: frozenset[str]) -> Iterator[str]:
    for name in sorted(body.keys() - known):
        yield f"{what} knows no {name}"


def _calls(configuration: Configuration, module: Module) -> Iterator[str]:
    for name, body in module.calls.items():
        target = configuration.modules.get(module.called(name))
        if target is None:
            yield f"module {name}: there is no folder {module.called(name)}"
            continue
        for argument in sorted(body.keys() - _CALL_META - target.variables.keys()):
            yield f"module {name}: {target.path} has no variable {argument}"
        for variable, declared in target.variables.items():
            if "default" not in declared and variable not in body:
                yield f"module {name}: {target.path} requires {variable}"


def _functions(configuration: Configuration, module: Module) -> Iterator[str]:
    bodies: list[object] = [module.locals, module.outputs, module.calls, module.variables]
    bodies += [resource.body for resource in module.resources.values()]
    # A type is no value: map(string) calls nothing.
    types = {body.get("type") for body in module.variables.values()}
    for text in {each for body in bodies for each in texts(body)} - types:
        for tree in walk(configuration.trees.get(text, {})):
            if "call" in tree and tree["call"] not in FUNCTIONS.keys() | LAZY:
                yield f"the function {tree['call']} is not known"


def _providers(configuration: Configuration, module: Module) -> Iterator[str]:
    root = configuration.modules["."]
    required = {
        name for each in root.settings for block in each.get("required_providers", []) for name in block
    }
    used = {provider_of(resource.type) for resource in module.resources.values()} - {""}
    for name in sorted(used - required):
        yield f"the provider {name} is not in required_providers"
    if module.path != "." and module.providers:
        yield "a module that is called many times configures no provider"


def _values(configuration: Configuration) -> Iterator[str]:
    for name, given in configuration.values.items():
        for variable in sorted(given.keys() - configuration.modules["."].variables.keys()):
            yield f"{name}: there is no variable {variable}"


def _planned(configuration: Configuration) -> Iterator[str]:
    declared = configuration.modules["."].variables
    for file, given in configuration.values.items() or [("no file", {})]:
        for choice in _CHOICES:
            chosen: dict[str, Any] = {name: value for name, value in choice.items() if name in declared}
            try:
                made = plan(configuration, {**given, **chosen}, str(given.get("environment", "default")))
            except Wrong as error:
                yield f"{file} with {chosen}: {error}"
                continue
            for resource in made.resources:
                yield from hcl_arguments.misfits(resource)


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    configuration = read()
    wrong = faults(configuration)
    for each in wrong:
        sys.stdout.write(f"terraform/{each}\n")
    resources = sum(len(module.resources) for module in configuration.modules.values())
    if not wrong:
        sys.stdout.write(
            f"terraform: {len(configuration.modules)} modules, {resources} resources, no fault\n"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
