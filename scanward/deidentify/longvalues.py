"""Values too long to be read: they are replaced unseen, stay where nothing is asked, or the object is held.

Both engines ask here, so that neither copies such a value before it is decided.
"""

from __future__ import annotations

from scanward.deidentify.actions import binary_dummy, is_textual
from scanward.deidentify.keys import Keys, Subject
from scanward.deidentify.rule import Do, How, Rule
from scanward.deidentify.values import new_value
from scanward.errors import Fault, Quarantined

LONGEST_TEXT = 1 << 20
LARGEST_SEQUENCE = 64 << 20

_CREATOR = 128
_UNSEEN = frozenset({How.DUMMY, How.NAME_REMOVED, How.TIME_EMPTY})


def new_long_value(rule: Rule, vr: str, path: str, subject: Subject, keys: Keys) -> bytes | None:
    """Return the new value of one beyond LONGEST_TEXT, None where it stays as it is.

    Raises Quarantined where it would have to be read.
    """
    if rule.do is Do.EMPTY:
        return b""
    if rule.do is Do.KEEP and rule.how is How.NONE:
        return None
    if rule.do is Do.REPLACE and not is_textual(vr):
        return binary_dummy(vr)
    if rule.do is Do.REPLACE and rule.how in _UNSEEN and vr != "UI":
        return new_value(rule, vr, b"", (), subject, keys)
    raise too_long("text-too-long", f"A text is longer than the {LONGEST_TEXT} bytes that are read", path)


def too_long(rule: str, message: str, path: str) -> Quarantined:
    """Return the error for what is too long to be cleaned."""
    return Quarantined(message, faults=(Fault(rule, message, path, clause="PS3.15 E.1"),))


def creator_of(raw: bytes | memoryview) -> str:
    """Return a private creator's text; a longer one than any that is known is cut."""
    return bytes(raw[:_CREATOR]).decode("latin-1").strip(" \0")
