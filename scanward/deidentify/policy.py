"""The policy: what is done with an element, decided from where it stands and never from its value.

`Policy.decide` depends on path, VR, SOP class and private creator alone, so that engines may remember its
answers. Whatever depends on the value or the patient is done by `actions.replace`.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256

from scanward.deidentify import private, supplement, table
from scanward.deidentify import rule as rules
from scanward.deidentify.actions import is_textual
from scanward.deidentify.markers import MARKER_TAGS, Marker, markers
from scanward.deidentify.profile import Profile, tag_number
from scanward.deidentify.resolution import AGES, TEXTS, cleaned, kept, need_of, resolve, rule_of, scanned
from scanward.deidentify.rule import EMPTY, KEEP, RECURSE, REMOVE, Do, How, Rule
from scanward.deidentify.table import Row

_PATIENT_NAME = 0x00100010
_PATIENT_ID = 0x00100020
_PATIENT_AGE = 0x00101010
_PIXEL_GROUP = 0x7FE0
_FIRST_GROUP = 0x0008
# Curves and overlays go as whole groups: an overlay without its data would not be valid (PS3.3 C.9.2).
_GRAPHICS = frozenset({0x50, 0x60})
_SIGNATURES = 0xFFFAFFFA
_MEMO = 65536

_NAMES = {
    "removed": Rule(Do.REPLACE, How.NAME_REMOVED, "D", required=True),
    "empty": EMPTY,
    "pseudonym": Rule(Do.REPLACE, How.PATIENT_ID, "D", required=True),
}
_PRESERVED = Rule(Do.KEEP, How.NONE, "P")
_MARKER = Rule(Do.REMOVE, How.NONE, "M")


class Policy:
    """A profile compiled against Table E.1-1. Immutable but for its memory of answers."""

    def __init__(self, profile: Profile) -> None:
        """Compile the profile: overrides first, then preserved attributes on top."""
        self.profile = profile
        self.table = table.load()
        self._supplement = supplement.load()
        self._overrides = {tag_number(name): action for name, action in profile.overrides.items()}
        self._preserve = frozenset(profile.preserve)
        self._memo: dict[tuple[tuple[int, ...], str, str, str], Rule] = {}

    @cached_property
    def markers(self) -> tuple[Marker, ...]:
        """Return the elements that every output gets, in tag order.

        They replace what the input has of them.
        """
        return markers(self.profile, self.table.edition)

    @cached_property
    def hash(self) -> str:
        """Return 64 hex digits that change whenever the profile or one of the shipped tables does."""
        digest = sha256(self.profile.model_dump_json().encode())
        for entry in sorted(table.DATA.iterdir(), key=lambda entry: entry.name):
            if entry.is_file():
                digest.update(entry.name.encode() + b"\0" + entry.read_bytes())
        return digest.hexdigest()

    def decide(self, path: tuple[int, ...], vr: str, sop_class_uid: str, creator: str = "") -> Rule:
        """Return the rule for an element.

        path: the tags from the top level down to the element, without item indices; vr: as written in the
        object, "UN" for a known tag means that the element is decided, and must be written, with the VR of
        the dictionary (`vr_of`); creator: of the private block in the element's own item, or a creator
        element's own value.
        """
        key = (path, vr, sop_class_uid, creator)
        rule = self._memo.get(key)
        if rule is None:
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            rule = self._memo[key] = self._decide(path, vr, sop_class_uid, creator)
        return rule

    def _decide(self, path: tuple[int, ...], vr: str, sop_class_uid: str, creator: str) -> Rule:
        tag = path[-1]
        if is_structure(tag) or supplement.is_relic(tag):
            return REMOVE
        if tag in MARKER_TAGS:
            return _MARKER
        vr = _text_of_code(tag, vr_of(tag, vr))
        if tag in self._preserve:
            return RECURSE if vr == "SQ" else _PRESERVED
        if private.is_private(tag):
            return self._decide_private(tag, vr, creator)
        row = self.table.find(tag)
        if tag >> 24 in _GRAPHICS or (row is None and not self._fits(path, vr)):
            return REMOVE
        return self._decide_standard(path, vr, sop_class_uid, row)

    def _fits(self, path: tuple[int, ...], vr: str) -> bool:
        """Tell whether a tag without a row may be kept.

        It is known, stands where it belongs, and has a VR that its kind may have.
        """
        tag = path[-1]
        entry = supplement.known(tag)
        if entry is None or (tag >> 16 == _PIXEL_GROUP and len(path) > 1):
            return False
        return vr_is_sound(vr, entry.vrs)

    def _decide_standard(self, path: tuple[int, ...], vr: str, sop_class_uid: str, row: Row | None) -> Rule:
        need = need_of(sop_class_uid, path)
        special = self._special(path, vr)
        if special is not None:
            return special
        tag = path[-1]
        action = self._overrides.get(tag) or self._supplement.actions.get(tag)
        if action is None and row is None:
            return self._decide_unlisted(path, vr, sop_class_uid, need)
        if row is None:
            row = Row(f"{tag:08X}", "", action or "X", {})
        rule = rule_of(resolve(row, action, need, self.profile), row, vr, need, self.profile)
        entry = supplement.known(tag)
        if rule.do is Do.KEEP and entry is not None and not vr_is_sound(vr, entry.vrs):
            return REMOVE
        return rule

    def _special(self, path: tuple[int, ...], vr: str) -> Rule | None:
        """Return the rule of the attributes that a profile settles by name."""
        tag = path[-1]
        if tag == _PATIENT_NAME:
            return _NAMES[self.profile.patient_name] if vr == "PN" else EMPTY
        if tag == _PATIENT_ID:
            how = How.PATIENT_ID if len(path) == 1 else How.OTHER_ID
            return Rule(Do.REPLACE, how, "D", required=True) if vr in {"LO", "SH"} else EMPTY
        if tag == _PATIENT_AGE and vr == "AS":
            return AGES.get(self.profile.ages, REMOVE)
        return None

    def _decide_unlisted(self, path: tuple[int, ...], vr: str, sop_class_uid: str, need: str) -> Rule:
        """Decide what the table does not name.

        The standard keeps it, unless its kind carries people or dates.
        """
        tag = path[-1]
        if tag in self._supplement.structural:
            return rules.CHARSET if vr == "CS" else REMOVE
        if vr == "UI" and tag in self._supplement.class_uids | self._supplement.schemes:
            return rules.SCHEME_UID if tag in self._supplement.schemes else rules.CLASS_UID
        if tag in self._supplement.kept:
            return scanned(vr, need)
        inside = self._inside(path, sop_class_uid)
        if inside != "D" and self._is_free_text(tag, vr):
            return cleaned(need)
        entry = supplement.known(tag)
        retired = entry is not None and entry.retired
        if retired and vr in _OPAQUE and tag not in self._supplement.retired_opaque:
            return REMOVE
        return kept(vr, need, self.profile, retired=retired, inside=inside)

    def _is_free_text(self, tag: int, vr: str) -> bool:
        return self.profile.clean_descriptors and vr in TEXTS and supplement.is_free_text(tag, vr)

    def _inside(self, path: tuple[int, ...], sop_class_uid: str) -> str:
        """Return D or C if a sequence around the element is to be made a dummy or cleaned, else nothing."""
        letters = {self.decide(path[:depth], "SQ", sop_class_uid).action for depth in range(1, len(path))}
        return next((letter for letter in "DC" if letter in letters), "")

    def _decide_private(self, tag: int, vr: str, creator: str) -> Rule:
        if not self.profile.retain_safe_private or not private.is_safe(tag, vr, creator):
            return REMOVE
        if private.is_creator(tag):
            return KEEP
        return kept(vr, "3", self.profile, retired=False, inside="")


def is_structure(tag: int) -> bool:
    """Tell whether a tag has no business in a data set: group lengths, other groups' headers, signatures."""
    return (not tag & 0xFFFF and not tag >> 16 & 1) or tag >> 16 < _FIRST_GROUP or tag == _SIGNATURES


def vr_of(tag: int, vr: str) -> str:
    """Return the VR to decide and to write by.

    That of the object, for UN that of the dictionary if it has one.
    """
    if vr not in {"UN", ""}:
        return vr
    entry = supplement.known(tag)
    return entry.vrs[0] if entry else "UN"


def _text_of_code(tag: int, vr: str) -> str:
    """Return the dictionary's VR of a text that was written as CS, so that no text passes for a code."""
    entry = supplement.known(tag)
    if vr != "CS" or entry is None or "CS" in entry.vrs or entry.vrs[0] not in TEXTS:
        return vr
    return entry.vrs[0]


_OPAQUE = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_NUMBERS = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})


def vr_is_sound(vr: str, allowed: tuple[str, ...]) -> bool:
    """Tell whether an element's VR may stand in for the dictionary's.

    What is opaque or nested must be meant to be.
    """
    if vr in allowed:
        return True
    if "SQ" in allowed or vr == "SQ":
        return False
    if vr in _OPAQUE:
        return any(one in _OPAQUE for one in allowed)
    if vr in _NUMBERS:
        return any(one in _NUMBERS for one in allowed)
    return is_textual(vr)
