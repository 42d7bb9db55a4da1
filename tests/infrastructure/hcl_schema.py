"""What the providers know: arguments, blocks, types and computed attributes of each kind of resource."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.infrastructure.hcl_reading import ROOT, Resource

_FOLDER = ROOT / "tools" / "infrastructure"
META = frozenset({"count", "for_each", "provider", "depends_on", "lifecycle"})
LIFECYCLE = frozenset(
    {
        "create_before_destroy",
        "prevent_destroy",
        "ignore_changes",
        "replace_triggered_by",
        "precondition",
        "postcondition",
    }
)


@dataclass(frozen=True, slots=True)
class Schema:
    """Of one kind of resource: its arguments by name, and what only the provider knows."""

    arguments: dict[str, Any]
    computed: frozenset[str]


@cache
def _known() -> dict[str, Any]:
    merged: dict[str, Any] = {"resource": {}, "data": {}, "ephemeral": {}}
    for name in ("provider_aws.json", "provider_others.json"):
        found = json.loads(Path(_FOLDER / name).read_text(encoding="utf-8"))
        for mode, kinds in merged.items():
            kinds.update(found.get(mode, {}))
    return merged


def schema_of(resource: Resource) -> Schema | None:
    """Return the schema of a resource's kind; None if it is not known."""
    found = _known()[resource.mode].get(resource.type)
    return Schema(found["arguments"], frozenset(found["computed"])) if found else None


def provider_of(resource_type: str) -> str:
    """Return the provider of a kind of resource; terraform_data is Terraform's own."""
    return "" if resource_type == "terraform_data" else resource_type.split("_", 1)[0]
