"""Terraform's files as modules: what each declares, and the parsed tree of every expression."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parents[2]
TERRAFORM = ROOT / "terraform"
_READER = ROOT / "tools" / "infrastructure" / "hcl.mjs"
_KINDS = frozenset(
    {"terraform", "provider", "variable", "locals", "output", "module", "resource", "data", "ephemeral"}
)

# A block, an expression's tree and a value are JSON of many shapes; what reads them says what it expects.
Block: TypeAlias = dict[str, Any]
Tree: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource, data source or ephemeral resource, as a module declares it."""

    mode: str
    type: str
    name: str
    body: Block

    @property
    def address(self) -> str:
        """Return what other blocks call it."""
        prefix = "" if self.mode == "resource" else f"{self.mode}."
        return f"{prefix}{self.type}.{self.name}"


@dataclass(slots=True)
class Module:
    """What one folder declares."""

    path: str
    variables: dict[str, Block] = field(default_factory=dict)
    locals: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Block] = field(default_factory=dict)
    calls: dict[str, Block] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    settings: list[Block] = field(default_factory=list)
    providers: dict[str, list[Block]] = field(default_factory=dict)

    def called(self, name: str) -> str:
        """Return the folder that a module's source means."""
        path = PurePosixPath(self.path) / str(self.calls[name].get("source", ""))
        return os.path.normpath(path.as_posix())


@dataclass(slots=True)
class Configuration:
    """All modules under a folder by their path ("." is the root), its variable files, what is unreadable."""

    folder: Path
    modules: dict[str, Module] = field(default_factory=dict)
    values: dict[str, Block] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the parser made of the files under a folder."""

    files: dict[str, Block]
    trees: dict[str, Tree]
    faults: list[str]


def parse(folder: Path) -> Parsed:
    """Parse every .tf and .tfvars file under a folder."""
    ran = subprocess.run(
        ["node", _READER, folder],
        capture_output=True,
        timeout=120,
        check=True,
        env={**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"},
    )
    found = json.loads(ran.stdout)
    return Parsed(found["files"], found["expressions"], found["faults"])


def read(folder: Path = TERRAFORM) -> Configuration:
    """Parse a folder and sort it by modules."""
    return sorted_by_modules(folder, parse(folder))


def sorted_by_modules(folder: Path, parsed: Parsed) -> Configuration:
    """Sort parsed files by modules; paths in them are meant from the folder."""
    configuration = Configuration(folder, trees=parsed.trees, faults=list(parsed.faults))
    for name, blocks in parsed.files.items():
        path = PurePosixPath(name)
        if path.suffix == ".tfvars":
            configuration.values[name] = blocks
            continue
        module = configuration.modules.setdefault(path.parent.as_posix(), Module(path.parent.as_posix()))
        configuration.faults += _take(module, name, blocks)
    return configuration


def _take(module: Module, name: str, blocks: Block) -> Iterator[str]:
    for kind in sorted(blocks.keys() - _KINDS):
        yield f"{name}: a block of the kind {kind} is not known"
    module.settings += blocks.get("terraform", [])
    module.providers.update(blocks.get("provider", {}))
    for entries in blocks.get("locals", []):
        yield from _add(name, "local", module.locals, entries)
    named = {"variable": module.variables, "output": module.outputs, "module": module.calls}
    for kind, target in named.items():
        for label, bodies in blocks.get(kind, {}).items():
            for body in bodies:
                yield from _add(name, kind, target, {label: body})
    for mode in ("resource", "data", "ephemeral"):
        for kind, labels in blocks.get(mode, {}).items():
            for label, bodies in labels.items():
                for body in bodies:
                    one = Resource(mode, kind, label, body)
                    yield from _add(name, mode, module.resources, {one.address: one})


def _add(file: str, kind: str, target: dict[str, Any], entries: Mapping[str, Any]) -> Iterator[str]:
    for name, value in entries.items():
        if name in target:
            yield f"{file}: {kind} {name} is declared twice"
        target[name] = value
