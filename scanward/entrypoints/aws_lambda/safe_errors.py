"""What a function's error may tell: its class, our own sentence, and faults; short enough for a state.

Lambda writes an error's message and frames to the function's log and hands them to the state machine as
Cause, so that nothing may stand in them that was not written by us.
"""

from __future__ import annotations

import json
from typing import Final

from scanward.errors import Fault, JsonValue, ScanwardError
from scanward.store.ending import unexpected

__all__ = ["briefly", "parted", "safe"]

_MOST_FAULTS: Final = 20
_LONGEST: Final = 1_000
_LONGEST_PART: Final = 300
_MORE: Final = "faults-more"


def safe(error: Exception) -> ScanwardError:
    """Return a fresh error without cause, context and frames; of a surprise only its type and place."""
    known = error if isinstance(error, ScanwardError) else unexpected(error)
    kind = type(known)
    return kind(known.message, faults=known.faults)


def parted(error: ScanwardError) -> ScanwardError:
    """Return the error as a state gets it: a line of words, then `faults` as a line of JSON.

    The state machine's Cause is the first line.
    """
    words = _cut(" ".join(error.message.split()), _LONGEST)
    if not error.faults:
        return type(error)(words)
    faults = json.dumps({"faults": briefly(error.faults)}, separators=(",", ":"))
    return type(error)(f"{words}\n{faults}", faults=error.faults)


def briefly(faults: tuple[Fault, ...]) -> list[JsonValue]:
    """Return at most 20 faults as JSON, and how many more there are: a state holds 256 KiB in all."""
    told: list[JsonValue] = [_brief(fault).as_json() for fault in faults[:_MOST_FAULTS]]
    more = len(faults) - _MOST_FAULTS
    if more > 0:
        told.append(Fault(_MORE, f"and {more} more", severity="warn").as_json())
    return told


def _brief(fault: Fault) -> Fault:
    return Fault(
        fault.rule,
        _cut(fault.message, _LONGEST_PART),
        _cut(fault.path, _LONGEST_PART),
        fault.offset,
        fault.clause,
        fault.severity,
    )


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
