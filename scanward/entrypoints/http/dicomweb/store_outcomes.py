"""What became of each stored object, in the standard's codes (PS3.18 10.5.3, I.2.1, I.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from scanward.ports.catalog import Named, Receipt

# Failure reasons (PS3.18 Table I.2-2), and one of PS3.7 C.5.6 for what that table has no code for.
OUT_OF_RESOURCES: Final = 0xA700
NO_IDENTITY: Final = 0xA900
OTHER_STUDY: Final = 0xA901
NOT_UNDERSTOOD: Final = 0xC000
NOT_WHOLE: Final = 0xC001
OTHER_MEDIA_TYPE: Final = 0xC002
TRANSFER_SYNTAX: Final = 0xC122
SOP_CLASS: Final = 0x0122
DUPLICATE: Final = 0x0111
# Warning reasons of our own in the range of warnings (PS3.7 C.4): Table I.2-1 has none for a duplicate.
REPLACED: Final = 0xB100
OTHER_IS_CURRENT: Final = 0xB101

_BAD_SYNTAX, _CONFLICT = 400, 409
_OF_RULE: Final = {
    "dicomdir": (SOP_CLASS, _CONFLICT),
    "study-differs": (OTHER_STUDY, _CONFLICT),
    "uid-missing": (NO_IDENTITY, _CONFLICT),
    "duplicate-differs": (DUPLICATE, _CONFLICT),
    "transfer-syntax-unknown": (TRANSFER_SYNTAX, _CONFLICT),
    "transfer-syntax-unsupported": (TRANSFER_SYNTAX, _CONFLICT),
    "object-too-large": (OUT_OF_RESOURCES, 413),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One object's. failure, warning: a reason's code, 0 for none; status: what HTTP answers for it alone."""

    named: Named = field(default_factory=Named)
    failure: int = 0
    warning: int = 0
    status: int = 200


def outcome_of(receipt: Receipt) -> Outcome:
    """Return what a receipt says in the standard's codes."""
    if not receipt.error:
        warning = REPLACED if receipt.superseded else OTHER_IS_CURRENT if receipt.outdated else 0
        return Outcome(receipt.named, warning=warning)
    rules = [fault.rule for fault in receipt.faults if fault.severity == "reject"]
    # What is read past is told as a warning elsewhere; here it is not stored, hence a failure.
    rules = rules or [fault.rule for fault in receipt.faults]
    failure, status = next(
        (_OF_RULE[rule] for rule in rules if rule in _OF_RULE), (NOT_UNDERSTOOD, _BAD_SYNTAX)
    )
    return Outcome(receipt.named, failure, status=status)


def status_of(outcomes: Sequence[Outcome]) -> int:
    """Return the answer's status (PS3.18 Table 10.5.3-1); a mixture of reasons is a conflict."""
    failed = [one for one in outcomes if one.failure]
    if len(failed) < len(outcomes):
        return 202 if failed or any(one.warning for one in outcomes) else 200
    statuses = {one.status for one in failed}
    return statuses.pop() if len(statuses) == 1 else _CONFLICT
