"""What the deciding elements of an object say, worked out once: subject, pixel risk, identity, pixels.

The key is the bytes of all of them, in order; so nothing of one patient is ever given to another's object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scanward.deidentify import nested, pixels, subjects
from scanward.deidentify.bytepath_change import Changer, Memory
from scanward.deidentify.bytepath_header import CHARSET, MODALITY, Headers, Kind, tag_of
from scanward.deidentify.bytepath_source import Irregular, Window
from scanward.deidentify.charset import Charsets, charsets_of, values_at_any_price
from scanward.deidentify.keys import Keys, Subject
from scanward.deidentify.policy import vr_of
from scanward.dicom.structure import Findings, check_uid
from scanward.dicom.structure.coding import NOTABLE, SERIES_UID, SOP_CLASS_UID, STUDY_UID, Element
from scanward.errors import Fault, Quarantined

Marks = tuple[bytes, ...]

_SUBJECT_TAGS = subjects.TAGS | nested.SEQUENCES | {CHARSET}
_MOST_KNOWN = 512
_MOST_SUBJECTS = 256
_LARGEST = 4096


@dataclass(slots=True)
class Known:
    """What one set of deciding elements says.

    patient, issuer, study, series: before and after; attributes: the deciding elements' places in `joined`,
    their bytes; lengths: of native pixels that agree with them, by the pixels' header;
    sample: the latest object's header.
    """

    memory: Memory
    fault: Fault | None
    modality: str
    patient: tuple[str, str]
    issuer: tuple[str, str]
    study: tuple[str, str]
    series: tuple[str, str]
    attributes: Mapping[int, Element]
    joined: bytes
    lengths: dict[bytes, int] = field(default_factory=dict)
    sample: bytes = b""


class Knowledge:
    """What is known of objects of one kind; each object adds one set of marks and one subject at most."""

    def __init__(self, keys: Keys, headers: Headers, changer: Changer) -> None:
        """Begin with nothing."""
        self._keys = keys
        self._headers = headers
        self._changer = changer
        self._known: dict[tuple[str, Sequence[Window]], Known] = {}
        self._memories: dict[Marks, Memory] = {}

    @property
    def is_full(self) -> bool:
        """Return whether it is time to forget, before the next object."""
        return len(self._memories) >= _MOST_SUBJECTS or len(self._known) >= _MOST_KNOWN

    def forget(self) -> None:
        """Begin anew."""
        self._known.clear()
        self._memories.clear()
        self._changer.forget()

    def get(self, marks: list[Window], transfer_syntax: str) -> Known:
        """Return what the marks say. Raises Irregular if the gate might name an identifying UID."""
        known = self._known.get((transfer_syntax, tuple(marks)))
        if known is None:
            if any(len(raw) > _LARGEST for raw in marks):
                raise Irregular
            kept = tuple(bytes(raw) for raw in marks)
            known = self._known[transfer_syntax, kept] = self._learn(kept, transfer_syntax)
        return known

    def _learn(self, marks: Marks, transfer_syntax: str) -> Known:
        by_tag = {tag_of(raw): raw for raw in marks}
        self._check(by_tag)
        memory = self._memory(tuple(raw for tag, raw in by_tag.items() if tag in _SUBJECT_TAGS))
        pair = {
            tag: self.before_and_after(memory, tag, by_tag.get(tag))
            for tag in (subjects.PATIENT_ID, subjects.ISSUER, STUDY_UID, SERIES_UID, MODALITY)
        }
        return Known(
            memory=memory,
            fault=self._risk(by_tag, transfer_syntax),
            modality=pair[MODALITY][0].partition("\\")[0],
            patient=pair[subjects.PATIENT_ID],
            issuer=pair[subjects.ISSUER],
            study=pair[STUDY_UID],
            series=pair[SERIES_UID],
            attributes=self._attributes(marks),
            joined=b"".join(marks),
        )

    def before_and_after(self, memory: Memory, tag: int, raw: bytes | None) -> tuple[str, str]:
        """Return the text of an identifying element as it was, and as it is in the output."""
        if raw is None:
            return "", ""
        value = self._headers.value_of(raw)
        old = self._text(memory, vr_of(tag, ""), raw[value:])
        role = self._headers.learn(raw[:8])[2]
        if role is None:
            return old, self._text(memory, "LO", raw[value:])
        if role.kind is Kind.FIXED:
            return old, ""
        new = self._changer.remembered(memory, role, raw)[0]
        return old, self._text(memory, "LO", (raw if new is None else new)[value:])

    @staticmethod
    def _text(memory: Memory, vr: str, value: bytes) -> str:
        return "\\".join(values_at_any_price(value, vr, memory.charsets))

    def _check(self, by_tag: Mapping[int, bytes]) -> None:
        """Check the form of the identifying UIDs, as the gate does."""
        findings = Findings()
        for tag in (SOP_CLASS_UID, STUDY_UID, SERIES_UID):
            text = by_tag.get(tag, b"")[8:].decode("latin-1").rstrip("\0 ")
            if text:
                check_uid(text, tag, findings)
        if len(findings) or by_tag.get(SOP_CLASS_UID, b"")[8:].decode("latin-1").rstrip("\0 ") != (
            self._headers.sop_class_uid
        ):
            raise Irregular

    def _memory(self, who: Marks) -> Memory:
        """Return a subject's memory; character set and every value that names the subject are the key."""
        memory = self._memories.get(who)
        if memory is None:
            found = {tag_of(raw): raw for raw in who}
            charset = found.pop(CHARSET, None)
            charsets = charsets_of(None if charset is None else charset[self._headers.value_of(charset) :])
            memory = self._memories[who] = Memory(
                self._subject(self._values(found, charsets)), charsets, self._changer.common(charsets)
            )
        return memory

    def _values(self, found: Mapping[int, bytes], charsets: Charsets) -> dict[int, tuple[str, ...]]:
        """Return the values that name the subject, those inside sequences too."""
        explicit, value_of = self._headers.explicit, self._headers.value_of
        sequences = [raw for tag, raw in found.items() if tag in nested.SEQUENCES]
        values = {
            tag: values_at_any_price(raw[value_of(raw) :], vr_of(tag, ""), charsets)
            for tag, raw in found.items()
            if tag not in nested.SEQUENCES
        }
        inside = [one for raw in sequences for one in nested.in_bytes(raw, charsets, explicit=explicit)]
        return nested.with_nested(values, inside)

    def _subject(self, values: Mapping[int, tuple[str, ...]]) -> Subject:
        """Return the subject. Raises Irregular for one that cannot be cleaned, for the gate comes first."""
        try:
            return subjects.subject_of(values, self._keys, self._headers.policy.profile)
        except Quarantined:
            raise Irregular from None

    def _risk(self, by_tag: Mapping[int, bytes], transfer_syntax: str) -> Fault | None:
        """Return why an object must be quarantined; of opaque values only the presence counts."""
        texts: dict[str, str] = {}
        for tag, raw in by_tag.items():
            value = raw[self._headers.value_of(raw) :]
            if pixels.is_embedded_overlay(tag, int.from_bytes(value, "little")):
                texts[pixels.EMBEDDED_OVERLAY] = ""
            name = pixels.attributes().get(tag)
            if name is not None:
                is_number = vr_of(tag, "") == "US"
                text = str(int.from_bytes(value, "little")) if is_number else value.decode("latin-1")
                texts[name] = text.strip(" \0")
        return pixels.risk(texts, transfer_syntax)

    def _attributes(self, marks: Marks) -> dict[int, Element]:
        attributes, at = {}, 0
        for raw in marks:
            tag = tag_of(raw)
            if tag in NOTABLE:
                value = at + self._headers.value_of(raw)
                # Of a marked header the value is missing; its length is what the gate asks for.
                stop = value + self._headers.length_of(raw)
                vr = raw[4:6].decode("ascii") if self._headers.explicit else ""
                attributes[tag] = Element(tag, vr, at, value, stop, stop, undefined=False)
            at += len(raw)
        return attributes
