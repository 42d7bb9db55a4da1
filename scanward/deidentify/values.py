"""One element's value from bytes to bytes under a rule: reads, replaces, writes.

What cannot be read does not stay.
"""

from __future__ import annotations

from scanward.deidentify import charset
from scanward.deidentify.actions import binary_dummy, dummy, is_textual, replace
from scanward.deidentify.charset import Charsets
from scanward.deidentify.keys import Keys, Subject
from scanward.deidentify.rule import Do, How, Rule
from scanward.deidentify.text import is_odd_charset, is_odd_number, is_odd_uid


def new_value(rule: Rule, vr: str, raw: bytes, charsets: Charsets, subject: Subject, keys: Keys) -> bytes:
    """Return the value of an element that is kept or replaced, padded to even length.

    For Do.KEEP the same bytes unless an identifier is found in them. For Do.REPLACE the replacer's result.
    """
    if rule.do is Do.KEEP:
        return _kept(rule, vr, raw, charsets, subject, keys)
    if not is_textual(vr):
        return binary_dummy(vr)
    values = charset.values_at_any_price(raw, vr, charsets)
    return _encoded(rule, vr, replace(rule, vr, values, subject, keys), charsets)


def _kept(rule: Rule, vr: str, raw: bytes, charsets: Charsets, subject: Subject, keys: Keys) -> bytes:
    if rule.how is How.NONE or not must_look(rule, raw, subject):
        return charset.pad(raw, vr)
    values = charset.values_of(raw, vr, charsets)
    if values is None:
        return _encoded(rule, vr, (), charsets)
    new = replace(rule, vr, values, subject, keys)
    return charset.pad(raw, vr) if new == values else _encoded(rule, vr, new, charsets)


def must_look(rule: Rule, raw: bytes, subject: Subject) -> bool:
    """Tell quickly whether a kept value has to be decoded and read."""
    if rule.how is How.SCAN_NUMBER:
        return is_odd_number(raw) or subject.identifiers.suspicious_number(raw)
    if rule.how in {How.SCAN_UID, How.SCAN_SCHEME}:
        return is_odd_uid(raw, is_scheme=rule.how is How.SCAN_SCHEME)
    if rule.how is How.SCAN_CHARSET:
        return is_odd_charset(raw)
    return subject.identifiers.suspicious(raw)


def _encoded(rule: Rule, vr: str, values: tuple[str, ...], charsets: Charsets) -> bytes:
    encoded = charset.encode("\\".join(values), vr, charsets)
    if not encoded and rule.required and vr != "UI":
        encoded = dummy(vr).encode("ascii")
    return charset.pad(encoded or b"", vr)
