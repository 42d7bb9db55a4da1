"""The committed template as the tests read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.templates_yaml import Tagged, load

ROOT = Path(__file__).resolve().parents[2]


def template(name: str = "pipeline") -> dict[str, Any]:
    """Return a committed template; CloudFormation's short tags are Tagged values."""
    found = load((ROOT / "cloudformation" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def of_type(document: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of all resources of a type, by their logical names."""
    return {
        name: each.get("Properties", {})
        for name, each in document["Resources"].items()
        if each["Type"] == kind
    }


def ref(name: str) -> Tagged:
    """Return what stands for another resource or a parameter."""
    return Tagged("!Ref", name)


def arn_of(name: str) -> Tagged:
    """Return what stands for another resource's ARN."""
    return Tagged("!GetAtt", f"{name}.Arn")
