"""Element headers of the byte path: eight bytes as they lie are the key to what is done with the element."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from scanward.deidentify import nested, subjects, supplement
from scanward.deidentify.actions import dummy
from scanward.deidentify.bytepath_source import Irregular
from scanward.deidentify.charset import pad
from scanward.deidentify.pixels import attributes as risk_attributes
from scanward.deidentify.policy import Policy, vr_of
from scanward.deidentify.report import path_text
from scanward.deidentify.rule import KEEP, Do, How, Rule
from scanward.deidentify.writer import Writer, marker_elements
from scanward.dicom.structure import coding

CHARSET = 0x00080005
MODALITY = 0x00080060
_OVERLAY_BITS = 0x60000102
_OVERLAY_MASK = 0xFF00FFFF
_LONG = -1
_FIRST_MARKERS = 0x0012
_SHORT_HEADER = 8


# What these make of a value depends on no subject.
_OF_NO_SUBJECT = frozenset({
    How.UID, How.DATE_YEAR, How.DATETIME_YEAR, How.TIME_KEEP, How.OFFSET_KEEP, How.AGE_CAP, How.NAME_REMOVED,
})  # fmt: skip


class Kind(IntEnum):
    """What a role asks for: FIXED its `new`, VALUE the replacer, PRIVATE the creator first.

    CONSTANT is as FIXED, but reported only where the old value was another; UNSURE is kept.
    """

    FIXED = 0
    VALUE = 1
    SEQUENCE = 2
    PRIVATE = 3
    UNSURE = 4
    CONSTANT = 5


# Why the walk hands an element's bytes on, whatever is done with it: it decides about the whole object (of
# opaque values and sequences the header does).
MARK, MARK_HEADER = 1, 2


@dataclass(frozen=True, slots=True)
class Role:
    """What is done with an element: `new` replaces it where that does not depend on the value.

    is_scan: kept unless an identifier is found in it; is_common: its replacement depends on no subject.
    """

    tag: int
    vr: str
    kind: Kind
    rule: Rule
    is_long: bool
    path: str
    new: bytes | None = None
    change: tuple[str, str] | None = None
    is_scan: bool = False
    is_common: bool = False

    @property
    def value(self) -> int:
        """Return where the value begins, counted from the element's start."""
        return 12 if self.is_long else 8

    @property
    def constant(self) -> bytes:
        """Return the new value without padding."""
        return (self.new or b"")[self.value :].rstrip(b" \0")


@dataclass(slots=True)
class Room:
    """How many more headers may be remembered, by all that share it; made anew between objects."""

    left: int = 1 << 15


# Length of the whole element (-1: a 4-byte length follows), tag, role (None: kept), why it is handed on.
Entry = tuple[int, int, Role | None, int]


class Headers:
    """Headers seen at one place (a path of tags) of one kind of object.

    None is forgotten while an object is under way.
    """

    def __init__(
        self, policy: Policy, sop_class_uid: str, path: tuple[int, ...], room: Room, *, explicit: bool
    ) -> None:
        """Begin with none."""
        self.entries: dict[bytes, Entry] = {}
        self.room = room
        self.path = path
        self.explicit = explicit
        self.writer = Writer(explicit=explicit, little_endian=True)
        self.policy = policy
        self.markers = self._markers()
        self.varying: set[int] = set()
        # Elements that the walk lists even where they are kept.
        self._listed = {coding.INSTANCE_UID}
        self.sop_class_uid = sop_class_uid

    def learn(self, header: bytes) -> Entry:
        """Check a header, decide about its element, remember both while there is room.

        Raises Irregular for what is not plain.
        """
        if len(header) < 8:  # noqa: PLR2004 - tag, VR and length, or tag and a long length
            raise Irregular
        tag = tag_of(header)
        if not coding.BEFORE_DATASET < tag < coding.FIRST_DELIMITER:
            raise Irregular
        total, vr, is_long = self._explicit(tag, header) if self.explicit else self._implicit(tag, header)
        if tag == CHARSET and vr != "CS":
            raise Irregular
        role = self._role(tag, vr, total=total, is_long=is_long)
        if role is None and tag in self._listed:
            role = _kept(tag, vr, is_long=is_long)
        entry = (total, tag, role, 0 if self.path else watch_of(tag, vr))
        if self.room.left > 0:
            self.room.left -= 1
            self.entries[header] = entry
        return entry

    def _explicit(self, tag: int, header: bytes) -> tuple[int, str, bool]:
        kind = coding.KINDS.get(header[4:6], coding.ILLEGAL)
        length = int.from_bytes(header[6:8], "little")
        if kind == coding.ILLEGAL or (kind and length) or length & 1:
            raise Irregular
        vr = header[4:6].decode("ascii")
        if vr == "UN" and vr_of(tag, vr) != "UN":
            raise Irregular
        return (_LONG, vr, True) if kind else (8 + length, vr, False)

    def _implicit(self, tag: int, header: bytes) -> tuple[int, str, bool]:
        """The gate's reading of the tag decides where the element ends, the policy's what is done with it."""
        length = int.from_bytes(header[4:8], "little")
        vr = vr_of(tag, "")
        if (vr == "SQ") != (coding.vr_of(tag) == "SQ"):
            raise Irregular
        if vr == "SQ":
            return _LONG, vr, False
        if length & 1:
            raise Irregular
        return (_LONG, vr, False) if coding.vr_of(tag) == "UN" else (8 + length, vr, False)

    def _markers(self) -> tuple[Role, Role]:
        """Return what is inserted at the two places of markers, as roles without an element."""
        written = marker_elements(self.writer, self.policy.markers)
        first, second = (
            b"".join(raw for tag, raw in written if (tag >> 16 == _FIRST_MARKERS) is is_first)
            for is_first in (True, False)
        )
        inserted = Role(0, "", Kind.FIXED, KEEP, is_long=False, path="", new=first)
        return inserted, replace(inserted, new=second)

    def value_of(self, raw: bytes) -> int:
        """Return where the value begins in an element's bytes."""
        return 12 if self.explicit and coding.KINDS[raw[4:6]] else _SHORT_HEADER

    def length_of(self, raw: bytes) -> int:
        """Return the length that an element's header says its value has."""
        value = self.value_of(raw)
        start = 6 if self.explicit and value == _SHORT_HEADER else value - 4
        return int.from_bytes(raw[start:value], "little")

    def _role(self, tag: int, vr: str, *, total: int, is_long: bool) -> Role | None:
        if tag & 0x10000 and self.policy.profile.retain_safe_private:
            return Role(tag, vr, Kind.PRIVATE, KEEP, is_long, path_text((tag,)))
        return self.role_of(tag, vr, "", total=total, is_long=is_long)

    def vary(self, tags: set[int]) -> None:
        """Take note of tags whose elements vary within a series: the walk lists them from now on."""
        self.varying |= tags
        self._listed |= tags
        for header, (total, tag, role, watch) in self.entries.items():
            if role is None and tag in tags:
                vr = header[4:6].decode("ascii") if self.explicit else ""
                self.entries[header] = total, tag, _kept(tag, vr, is_long=total < 0 and self.explicit), watch

    def role_of(self, tag: int, vr: str, creator: str, *, total: int, is_long: bool) -> Role | None:
        """Return an element's role; `creator` is its private block's, `total` its length with the header."""
        rule = self.policy.decide((*self.path, tag), vr, self.sop_class_uid, creator)
        path = path_text((tag,))
        change = (path, rule.action) if rule.action != "M" else None
        if rule.do is Do.REMOVE:
            return Role(tag, vr, Kind.FIXED, rule, is_long, path, b"", change)
        if vr == "SQ":
            return Role(tag, vr, Kind.SEQUENCE, rule, is_long, path)
        if rule.do is Do.EMPTY and total > 0:
            empty = self.writer.element(tag, vr, b"")
            return Role(
                tag, vr, Kind.FIXED, rule, is_long, path, empty, change if total > _SHORT_HEADER else None
            )
        if rule.do is Do.KEEP and (rule == KEEP or not self._is_read(tag, vr)):
            return Role(tag, vr, Kind.UNSURE, rule, is_long, path) if total < 0 and vr == "UN" else None
        if rule.how is How.TIME_EMPTY and vr == "TM":
            value = pad(dummy(vr).encode(), vr) if rule.required else b""
            new = self.writer.element(tag, vr, value)
            return Role(tag, vr, Kind.CONSTANT, rule, is_long, path, new, change)
        is_scan = rule.do is Do.KEEP and rule.action != "P"
        return Role(
            tag, vr, Kind.VALUE, rule, is_long, path, is_scan=is_scan, is_common=rule.how in _OF_NO_SUBJECT
        )

    def _is_read(self, tag: int, vr: str) -> bool:
        """Tell whether a kept value is read for identifiers: its VR is written, or there is but one."""
        if self.explicit:
            return vr != "UN"
        entry = supplement.known(tag)
        return entry is not None and len(entry.vrs) == 1


def _kept(tag: int, vr: str, *, is_long: bool) -> Role:
    return Role(tag, vr, Kind.UNSURE, KEEP, is_long, path_text((tag,)))


def tag_of(raw: bytes) -> int:
    """Return the tag of an element's bytes, little endian."""
    return int.from_bytes(raw[:2], "little") << 16 | int.from_bytes(raw[2:4], "little")


def watch_of(tag: int, vr: str) -> int:
    """Return whether an element decides about the whole object: subject, pixels, pixel risk, identity."""
    if tag in nested.SEQUENCES:
        if vr != "SQ":
            raise Irregular
        return MARK
    if tag not in _DECIDING and tag not in risk_attributes() and tag & _OVERLAY_MASK != _OVERLAY_BITS:
        return 0
    if vr not in _OPAQUE:
        return MARK
    if vr_of(tag, "") not in _OPAQUE:
        raise Irregular
    return MARK_HEADER


_OPAQUE = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UN"})
_DECIDING = subjects.TAGS | (coding.NOTABLE - coding.PIXEL_TAGS - {coding.INSTANCE_UID}) | {CHARSET, MODALITY}
