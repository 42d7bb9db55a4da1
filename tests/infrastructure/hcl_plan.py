"""What Terraform would plan: every module and resource with its values, evaluated without Terraform.

What only AWS knows is made of names where names decide it (ARNs), else a marker: «aws_kms_key.this arn».
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.infrastructure.hcl_computed import computed
from tests.infrastructure.hcl_functions import Wrong
from tests.infrastructure.hcl_reading import Block, Configuration, Module, Resource, Tree
from tests.infrastructure.hcl_schema import META, schema_of
from tests.infrastructure.hcl_types import converted
from tests.infrastructure.hcl_values import Scope, evaluate, items, truth


@dataclass(frozen=True, slots=True)
class Planned:
    """One instance of a resource: where it is, of what kind, and its arguments' values."""

    address: str
    resource: Resource
    values: Mapping[str, Any]
    lifecycle: Mapping[str, Any]


@dataclass(slots=True)
class Plan:
    """All instances, the root's outputs, and which preconditions did not hold."""

    resources: list[Planned] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Planned]:
        """Return the instances of one kind of resource."""
        return [each for each in self.resources if each.resource.type == kind]


class Lazy(Mapping[str, Any]):
    """Attributes that are evaluated when they are asked for, once."""

    def __init__(self, names: frozenset[str], get: Callable[[str], Any]) -> None:
        self._names, self._get, self._found = names, get, dict[str, Any]()

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - JSON of any shape
        if name not in self._names:
            raise KeyError(name)
        if name not in self._found:
            self._found[name] = self._get(name)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._names))

    def __len__(self) -> int:
        return len(self._names)


class Instance:
    """One instance of a module: a scope, with the values that its caller gave."""

    def __init__(
        self, configuration: Configuration, module: Module, address: str, given: Lazy, workspace: str
    ) -> None:
        self.configuration, self.module, self.address = configuration, module, address
        self.given, self.workspace = given, workspace
        self._found: dict[tuple[str, str], Any] = {}
        self._under_way: list[tuple[str, str]] = []

    def binding(self, names: Mapping[str, Any]) -> Scope:
        """Return this scope with more names bound."""
        return _Bound(self, names)

    def resolve(self, steps: list[Any]) -> tuple[Any, list[Any]]:
        """Return a variable, a local, a module or a resource, and the steps left."""
        head, name = steps[0], steps[1] if len(steps) > 1 else ""
        if head in {"var", "local", "module"}:
            return self.named(head, name), steps[2:]
        if head == "path":
            return self._path(name), steps[2:]
        if head == "terraform":
            return self.workspace, steps[2:]
        length = 3 if head in {"data", "ephemeral"} else 2
        return self.named("resource", ".".join(steps[:length])), steps[length:]

    def named(self, kind: str, name: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """Return one declared thing's value, evaluated once. Raises Wrong."""
        key = (kind, name)
        if key in self._found:
            return self._found[key]
        if key in self._under_way:
            raise Wrong(f"{self.address}{kind} {name} needs itself")
        self._under_way.append(key)
        makers = {
            "var": self._variable,
            "local": self._local,
            "module": self._module,
            "resource": self._resource,
        }
        try:
            self._found[key] = makers[kind](name)
        finally:
            self._under_way.pop()
        return self._found[key]

    def _path(self, name: str) -> str:
        folder = self.configuration.folder
        return str(folder if name == "root" else folder / self.module.path)

    def _variable(self, name: str) -> Any:  # noqa: ANN401 - JSON of any shape
        if name not in self.module.variables:
            raise Wrong(f"{self.address}there is no variable {name}")
        declared = self.module.variables[name]
        where = f"{self.address}var.{name}"
        if name in self.given:
            value = self.given[name]
        elif "default" in declared:
            value = self.value(declared["default"], self)
        else:
            raise Wrong(f"{where} is required")
        return converted(value, self.tree(declared.get("type", "${any}")), where)

    def _local(self, name: str) -> Any:  # noqa: ANN401 - JSON of any shape
        if name not in self.module.locals:
            raise Wrong(f"{self.address}there is no local {name}")
        return self.value(self.module.locals[name], self)

    def _module(self, name: str) -> Any:  # noqa: ANN401 - one, a list or a map of instances
        if name not in self.module.calls:
            raise Wrong(f"{self.address}there is no module {name}")
        body = self.module.calls[name]
        path = self.module.called(name)
        if path not in self.configuration.modules:
            raise Wrong(f"{self.address}module {name}: there is no folder {path}")
        target = self.configuration.modules[path]

        def make(index: str, scope: Scope) -> Lazy:
            names = frozenset(body.keys() - META - {"source", "version", "providers"})
            given = Lazy(names, lambda each: self.value(body[each], scope))
            inner = Instance(
                self.configuration, target, f"{self.address}module.{name}{index}.", given, self.workspace
            )
            outputs = Lazy(
                frozenset(target.outputs), lambda each: inner.value(target.outputs[each]["value"], inner)
            )
            outputs.instance = inner  # type: ignore[attr-defined]  # the plan goes on inside
            return outputs

        return self.repeated(body, make)

    def _resource(self, address: str) -> Any:  # noqa: ANN401 - one, a list or a map of instances
        if address not in self.module.resources:
            raise Wrong(f"{self.address}there is no {address}")
        resource = self.module.resources[address]
        schema = schema_of(resource)
        if schema is None:
            raise Wrong(f"{self.address}{address}: the kind {resource.type} is not known")

        def make(index: str, scope: Scope) -> Lazy:
            where = f"{self.address}{address}{index}"

            def attribute(name: str) -> Any:  # noqa: ANN401 - JSON of any shape
                if name in resource.body:
                    return self.value(resource.body[name], scope)
                return computed(resource, name, attributes, where)

            names = frozenset(schema.arguments) | schema.computed | frozenset(resource.body)
            attributes = Lazy(names, attribute)
            attributes.where, attributes.scope = where, scope  # type: ignore[attr-defined]  # as above
            return attributes

        return self.repeated(resource.body, make)

    def repeated(self, body: Block, make: Callable[[str, Scope], Lazy]) -> Any:  # noqa: ANN401 - as count says
        """Return one instance, a list by count, or a map by for_each."""
        if "count" in body:
            number = self.value(body["count"], self)
            if not isinstance(number, int):
                raise Wrong(f"{self.address}count is {number!r}")
            return [make(f"[{at}]", self.binding({"count": {"index": at}})) for at in range(number)]
        if "for_each" in body:
            pairs = items(self.value(body["for_each"], self))
            # A set's elements are their own keys.
            named = {each if isinstance(key, int) else key: each for key, each in pairs}
            for key in named:
                if "«" in key:
                    raise Wrong(f"{self.address}for_each: {key} is not known before it is applied")
            return {
                key: make(f'["{key}"]', self.binding({"each": {"key": key, "value": each}}))
                for key, each in named.items()
            }
        return make("", self)

    def tree(self, text: str) -> Tree:
        """Return the parsed tree of a text with an expression."""
        return self.configuration.trees[text]

    def value(self, written: Any, scope: Scope) -> Any:  # noqa: ANN401 - JSON of any shape
        """Return what a written argument is."""
        if isinstance(written, str):
            found = self.configuration.trees.get(written)
            return evaluate(found, scope) if found else written
        if isinstance(written, list):
            return [self.value(each, scope) for each in written]
        if isinstance(written, dict):
            return self.expanded(written, scope)
        return written

    def expanded(self, body: Block, scope: Scope) -> dict[str, Any]:
        """Return a block's values with its dynamic blocks written out."""
        result = {
            name: self.value(value, scope) for name, value in body.items() if name not in META | {"dynamic"}
        }
        for name, blocks in body.get("dynamic", {}).items():
            for block in blocks:
                iterator = str(block.get("iterator", name)).removeprefix("${").removesuffix("}")
                for key, each in items(self.value(block["for_each"], scope)):
                    inner = scope.binding({iterator: {"key": key, "value": each}})
                    result.setdefault(name, []).append(self.expanded(block["content"][0], inner))
        return result

    def plan(self, into: Plan) -> None:
        """Add every resource of this module, and of those that it calls."""
        for name, declared in self.module.variables.items():
            value = self.named("var", name)
            for rule in declared.get("validation", []) if value is not None else []:
                if not truth(self.value(rule["condition"], self)):
                    raise Wrong(f"{self.address}var.{name}: {self.value(rule['error_message'], self)}")
        for name in self.module.locals:
            self.named("local", name)
        for address, resource in self.module.resources.items():
            for one in _each(self.named("resource", address)):
                into.resources.append(
                    Planned(
                        one.where,
                        resource,
                        self.expanded(resource.body, one.scope),
                        resource.body.get("lifecycle", [{}])[0],
                    )
                )
                into.failed += self._failed(resource, one)
        for name in self.module.calls:
            for one in _each(self.named("module", name)):
                one.instance.plan(into)
                for output in one:
                    one[output]

    def _failed(self, resource: Resource, one: Any) -> Iterator[str]:  # noqa: ANN401 - a Lazy with a scope
        for rule in resource.body.get("lifecycle", [{}])[0].get("precondition", []):
            if not truth(self.value(rule["condition"], one.scope)):
                yield f"{one.where}: {self.value(rule['error_message'], one.scope)}"


class _Bound:
    def __init__(self, outer: Scope, names: Mapping[str, Any]) -> None:
        self._outer, self._names = outer, names

    def resolve(self, steps: list[Any]) -> tuple[Any, list[Any]]:
        if steps[0] in self._names:
            return self._names[steps[0]], steps[1:]
        return self._outer.resolve(steps)

    def binding(self, names: Mapping[str, Any]) -> Scope:
        return _Bound(self, names)


def _each(found: Any) -> list[Any]:  # noqa: ANN401 - one, a list or a map of instances
    if isinstance(found, list):
        return found
    return [found] if isinstance(found, Lazy) else list(found.values())


def plan(
    configuration: Configuration, variables: Mapping[str, Any] | None = None, workspace: str = "default"
) -> Plan:
    """Evaluate the root module with the given values of its variables. Raises Wrong."""
    given = dict(variables or {})
    unknown = given.keys() - configuration.modules["."].variables.keys()
    if unknown:
        raise Wrong(f"there is no variable {', '.join(sorted(unknown))}")
    root = Instance(
        configuration, configuration.modules["."], "", Lazy(frozenset(given), given.__getitem__), workspace
    )
    made = Plan()
    root.plan(made)
    made.outputs = {name: root.value(body["value"], root) for name, body in root.module.outputs.items()}
    return made


def variables_of(configuration: Configuration, environment: str) -> dict[str, Any]:
    """Return what an environment's terraform.tfvars says."""
    name = Path("environments", environment, "terraform.tfvars").as_posix()
    return dict(configuration.values[name])
