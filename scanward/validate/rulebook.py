"""The rules: what each says, where the standard says it, how hard a site takes it (`data/rules.csv`)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, cast

from scanward.errors import Misconfigured, Severity

__all__ = ["Rule", "rows", "rules", "severities_of"]

_TABLES: Final = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its stable name, the clause it is taken from, its default severity, and what must hold."""

    name: str
    clause: str
    severity: Severity
    sentence: str


def rows(table: str) -> list[dict[str, str]]:
    """Return the rows of a checked-in table."""
    with (_TABLES / table).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Rule]:
    """Return every rule by name."""
    return MappingProxyType(
        {
            row["rule"]: Rule(row["rule"], row["clause"], cast("Severity", row["severity"]), row["sentence"])
            for row in rows("rules.csv")
        }
    )


def severities_of(overrides: Mapping[str, Severity]) -> Mapping[str, Severity]:
    """Return each rule's severity at a site. Raises Misconfigured for a rule or severity that is none."""
    return _severities(tuple(sorted(overrides.items())))


@lru_cache(maxsize=16)
def _severities(overrides: tuple[tuple[str, Severity], ...]) -> Mapping[str, Severity]:
    known = rules()
    unknown = [name for name, _ in overrides if name not in known]
    if unknown:
        raise Misconfigured(
            f"The setting `rules` (SCANWARD_RULES) names {', '.join(unknown)}; "
            f"the rules are {', '.join(known)}"
        )
    wrong = [name for name, severity in overrides if severity not in {"reject", "warn"}]
    if wrong:
        raise Misconfigured(
            f"The setting `rules` (SCANWARD_RULES) must say reject or warn of {', '.join(wrong)}"
        )
    return MappingProxyType({name: rule.severity for name, rule in known.items()} | dict(overrides))
