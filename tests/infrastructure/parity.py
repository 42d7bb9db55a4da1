"""Terraform and CloudFormation as the same facts: what a resource is, by kind and name, in either of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

Facts: TypeAlias = dict[tuple[str, str], dict[str, Any]]


def differences(terraform: Facts, cloudformation: Facts) -> list[str]:
    """Return, one a line, what is in one only and what differs."""
    found = [f"{_named(key)} is in CloudFormation only" for key in cloudformation.keys() - terraform.keys()]
    found += [f"{_named(key)} is in Terraform only" for key in terraform.keys() - cloudformation.keys()]
    for key in terraform.keys() & cloudformation.keys():
        ours, theirs = terraform[key], cloudformation[key]
        for fact in sorted(ours.keys() | theirs.keys()):
            found += _different(f"{_named(key)}: {fact}", ours.get(fact), theirs.get(fact))
    return sorted(found)


def _named(key: tuple[str, str]) -> str:
    return f"{key[0]} {key[1]}"


def _different(what: str, ours: Any, theirs: Any) -> list[str]:  # noqa: ANN401 - JSON of any shape
    if ours == theirs:
        return []
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return [
            line
            for name in sorted(ours.keys() | theirs.keys())
            for line in _different(f"{what}.{name}", ours.get(name), theirs.get(name))
        ]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [
            line
            for at, (one, other) in enumerate(zip(ours, theirs, strict=True))
            for line in _different(f"{what}[{at}]", one, other)
        ]
    return [f"{what} is {_short(ours)} in Terraform, {_short(theirs)} in CloudFormation"]


def _short(value: Any) -> str:  # noqa: ANN401 - JSON of any shape
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}…"


def document(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return JSON text or a document as one document."""
    return json.loads(value) if isinstance(value, str) else value


def definition(text: str) -> Any:  # noqa: ANN401 - a state machine
    """Return a state machine without its comments, which the templates leave out."""
    return _without_comments(json.loads(text))


def _without_comments(node: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(node, dict):
        return {key: _without_comments(value) for key, value in node.items() if key != "Comment"}
    return [_without_comments(each) for each in node] if isinstance(node, list) else node


def number(value: Any) -> int | None:  # noqa: ANN401 - a number or its text
    """Return a number, however it is written; None stays."""
    return None if value is None else int(value)
