"""CloudFormation's YAML: its short tags (`!Sub`, `!GetAtt` …) read as values and written as they stood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import yaml

Node: TypeAlias = "str | int | float | bool | list[Node] | dict[str, Node] | Tagged | None"


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value under a short tag: `!Ref Name` is Tagged("!Ref", "Name")."""

    tag: str
    value: Node


class Line(dict[str, "Node"]):
    """A mapping that is written on one line: a statement of a policy, so that a template stays small."""


class _Loader(yaml.SafeLoader):
    pass


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's own signature
        return True


def _read_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Tagged:
    if isinstance(node, yaml.ScalarNode):
        return Tagged("!" + suffix, str(loader.construct_scalar(node)))
    if isinstance(node, yaml.SequenceNode):
        return Tagged("!" + suffix, loader.construct_sequence(node, deep=True))
    if isinstance(node, yaml.MappingNode):
        return Tagged("!" + suffix, {str(k): v for k, v in loader.construct_mapping(node, deep=True).items()})
    raise TypeError(node)


def _write_tag(dumper: yaml.SafeDumper, tagged: Tagged) -> yaml.Node:
    if isinstance(tagged.value, str):
        return dumper.represent_scalar(tagged.tag, tagged.value)
    if isinstance(tagged.value, list):
        return dumper.represent_sequence(tagged.tag, tagged.value, flow_style=True)
    if isinstance(tagged.value, Mapping):
        return dumper.represent_mapping(tagged.tag, tagged.value)
    raise TypeError(tagged)


def _write_line(dumper: yaml.SafeDumper, line: Line) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", line, flow_style=True)


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text or text.startswith("{") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Loader.add_multi_constructor("!", _read_tag)
_Dumper.add_representer(Tagged, _write_tag)
_Dumper.add_representer(Line, _write_line)
_Dumper.add_representer(str, _write_text)


def load(text: str) -> Node:
    """Read a document with CloudFormation's tags. Raises yaml.YAMLError."""
    loaded: Node = yaml.load(text, _Loader)  # noqa: S506 - a subclass of the safe loader
    return loaded


def dump(document: Node) -> str:
    """Write a document with CloudFormation's tags, keys in their order."""
    # Collections of scalars stand on one line each: a level of indentation costs bytes in every line.
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=100_000, default_flow_style=None)
