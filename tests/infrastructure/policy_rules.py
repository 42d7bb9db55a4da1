"""What least privilege means here, as code: `faults(name, document)` says what a policy does wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Statement: TypeAlias = Mapping[str, Any]
POLICIES = Path(__file__).resolve().parents[2] / "policies"
CONTROL = frozenset(
    {
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    }
)
"""Actions that AWS lets nobody narrow to a resource; none of them touches an object, a row or a message."""
_ACTION = re.compile(r"[a-z0-9-]+:[A-Z][A-Za-z0-9]+")
_WITHIN = re.compile(r"[^*?]*[/:]\*|[^*?]*/\*:\*|[^*?]+")
_USE_OF_KEYS = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncrypt", "kms:CreateGrant")


def documents() -> dict[str, dict[str, Any]]:
    """Return every policy by its name."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(POLICIES.glob("*.json"))
    }


def statements(document: Mapping[str, Any], effect: str = "Allow") -> list[Statement]:
    """Return a policy's statements of one effect."""
    return [each for each in document["Statement"] if each["Effect"] == effect]


def listed(value: Any) -> Sequence[Any]:  # noqa: ANN401 - IAM writes one or a list
    """Return what may be one or many as many."""
    return value if isinstance(value, list) else [value]


def faults(name: str, document: Mapping[str, Any]) -> list[str]:
    """Return what a policy does wrong, a sentence each."""
    found = [
        f"{name}: {inverted} says what is not meant"
        for each in document["Statement"]
        for inverted in ("NotAction", "NotResource", "NotPrincipal")
        if inverted in each
    ]
    for each in statements(document):
        found += [f"{name}/{each.get('Sid', '?')}: {fault}" for fault in _of_statement(each)]
    return found


def _of_statement(each: Statement) -> Iterator[str]:
    actions = listed(each.get("Action", []))
    yield from (f"{action} is not one action" for action in actions if not _ACTION.fullmatch(action))
    yield from _of_resources(each, actions)
    yield from _of_principal(each)
    if any(action.startswith(_USE_OF_KEYS) for action in actions) and not _narrows_a_key(each):
        yield "a key is used without kms:ViaService or kms:EncryptionContext"


def _of_resources(each: Statement, actions: Sequence[str]) -> Iterator[str]:
    for resource in listed(each.get("Resource", [])):
        if resource != "*":
            if isinstance(resource, str) and not _WITHIN.fullmatch(resource):
                yield f"{resource} is more than what is within one resource"
        elif "Principal" in each and all(action.startswith("kms:") for action in actions):
            continue  # in a key's own policy, * is the key
        elif not set(actions) <= CONTROL:
            yield "all resources are allowed"


def _of_principal(each: Statement) -> Iterator[str]:
    principal = each.get("Principal", {})
    if principal == "*" or "*" in listed(principal.get("AWS", [])):
        yield "everybody is allowed"
    elif "Service" in principal and "sts:AssumeRole" not in listed(each["Action"]):
        keys = _condition_keys(each)
        if not keys & {"aws:SourceAccount", "aws:SourceArn"} and not _narrows_a_key(each):
            yield "a service is not held to this account"


def _narrows_a_key(each: Statement) -> bool:
    keys = _condition_keys(each)
    return any(key == "kms:ViaService" or key.startswith("kms:EncryptionContext:") for key in keys) or (
        "Service" in each.get("Principal", {}) and "aws:SourceArn" in keys
    )


def _condition_keys(each: Statement) -> set[str]:
    return {key for operator in each.get("Condition", {}).values() for key in operator}
