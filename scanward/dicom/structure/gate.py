"""The gate: what an object must be before any recursive code or library sees it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from scanward.dicom.iods import is_image
from scanward.dicom.structure.bounds import DEFAULT, Bounds
from scanward.dicom.structure.coding import (
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    INSTANCE_UID,
    SERIES_UID,
    SOP_CLASS_UID,
    STUDY_UID,
    UNDEFINED,
    Coding,
    Element,
    tag_text,
)
from scanward.dicom.structure.findings import Findings, refuse
from scanward.dicom.structure.inflate import inflate
from scanward.dicom.structure.pixels import check_pixels
from scanward.dicom.structure.prologue import META_CLASS, META_INSTANCE, Prologue, check_promise, prologue
from scanward.dicom.structure.residue import Encapsulation
from scanward.dicom.structure.syntaxes import TransferSyntax
from scanward.dicom.structure.walk import Walk
from scanward.errors import Fault

MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*")
_UID_MILD = re.compile(r"[0-9]+(?:\.[0-9]+)*\.?")
_UID_LENGTH = 64
_OF_META = ((META_CLASS, "meta-class-differs"), (META_INSTANCE, "meta-instance-differs"))
_IDENTIFYING = (SOP_CLASS_UID, INSTANCE_UID, STUDY_UID, SERIES_UID)


@dataclass(frozen=True, slots=True)
class Structure:
    """What the gate learnt of a sound object.

    Offsets count in `dataset_view(view)`: the object itself, or the inflated data set where it is deflated.
    Pixel fields are None without top-level pixels; `pixel_offset` is the header, `pixel_value` to `pixel_end`
    everything behind it, delimiters included. `dataset_end` leaves out trailing zero bytes. `attributes` are
    the notable top-level elements by tag.
    """

    transfer_syntax: str
    sop_class_uid: str
    instance_uid: str
    study_uid: str
    series_uid: str
    explicit: bool
    little_endian: bool
    deflated: bool
    encapsulated: bool
    has_preamble: bool
    dataset_offset: int
    dataset_end: int
    pixel_tag: int | None
    pixel_offset: int | None
    pixel_value: int | None
    pixel_end: int | None
    size: int
    items: int
    prologue: Prologue = field(repr=False)
    warnings: tuple[Fault, ...] = ()
    inflated: memoryview | None = field(default=None, repr=False, compare=False)
    encapsulation: Encapsulation | None = field(default=None, repr=False, compare=False)
    attributes: Mapping[int, Element] = field(default_factory=dict, repr=False, compare=False)

    @property
    def pixels(self) -> Element | None:
        """Return the top-level element of pixels."""
        return None if self.pixel_tag is None else self.attributes.get(self.pixel_tag)

    @property
    def regular(self) -> bool:
        """Return whether the tokenizer takes it as it lies: little endian and not deflated."""
        return self.little_endian and not self.deflated

    @property
    def header_bytes(self) -> int:
        """Return the bytes of the data set without its pixels."""
        whole = self.dataset_end - self.dataset_offset
        if self.pixel_offset is None or self.pixel_end is None:
            return whole
        return whole - (self.pixel_end - self.pixel_offset)

    @property
    def is_directory(self) -> bool:
        """Return whether it is a DICOMDIR (PS3.10 8.6), which is read past and never copied."""
        return self.sop_class_uid == MEDIA_DIRECTORY

    @property
    def coding(self) -> Coding:
        """Return how its elements are coded."""
        return self.prologue.syntax.coding

    def dataset_view(self, view: memoryview) -> memoryview:
        """Return the bytes that the offsets count in."""
        return view if self.inflated is None else self.inflated


def check(view: memoryview, bounds: Bounds = DEFAULT) -> Structure:
    """Check one object to its last byte. Raises InvalidDicom with every fault that can be named."""
    head = prologue(view, bounds)
    findings = Findings(head.warnings)
    inflated = inflate(view, head.dataset_offset, bounds) if head.syntax.deflated else None
    body, start = (view, head.dataset_offset) if inflated is None else (inflated, 0)
    if inflated is not None:
        _check_inflated(inflated, head)
    regular = head.syntax.coding.little_endian and inflated is None
    own = bounds if regular else bounds.for_library()
    walk = Walk(body, own, findings, encapsulated=head.syntax.encapsulated)
    reached = walk.dataset(start, len(body), head.syntax.coding)
    uids = _check_uids(view, body, head, walk.notable, findings)
    if reached:
        _check_image(walk, uids[0], head.syntax)
    findings.raise_rejected()
    return _structure(view, head, walk, uids, inflated)


def _check_inflated(inflated: memoryview, head: Prologue) -> None:
    if not len(inflated):
        raise refuse("dataset-missing", head.dataset_offset)
    check_promise(inflated, 0, head.syntax.coding)


def check_sequence(  # noqa: PLR0913 - the place of a sequence in its object
    view: memoryview,
    tag: int,
    value: int,
    length: int,
    limit: int,
    *,
    explicit: bool,
    encapsulated: bool = False,
    bounds: Bounds = DEFAULT,
    findings: Findings | None = None,
) -> int:
    """Check one little endian sequence from `value` on; return the position behind it.

    `length` is the sequence's (0xFFFFFFFF: undefined), `limit` the end of its container. Warnings go into
    `findings`. Raises InvalidDicom.
    """
    findings = Findings() if findings is None else findings
    walk = Walk(view, bounds, findings, encapsulated=encapsulated)
    stop = value + length
    element = Element(tag, "SQ", value, value, stop, stop, length == UNDEFINED)
    walk.sequence(element, limit, EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE)
    findings.raise_rejected()
    return walk.position


def check_uid(text: str, tag: int, findings: Findings, offset: int | None = None) -> None:
    """Check an identifying UID's form (PS3.5 9.1); archives break it mildly, which is a warning."""
    if len(text) <= _UID_LENGTH and _UID.fullmatch(text):
        return
    mild = len(text) <= _UID_LENGTH and _UID_MILD.fullmatch(text)
    findings.add("uid-mild" if mild else "uid-form", offset, tag_text(tag))


def _check_uids(
    view: memoryview, body: memoryview, head: Prologue, notable: Mapping[int, Element], findings: Findings
) -> tuple[str, str, str, str]:
    """Check the identifying UIDs; those of the file meta stand in for missing ones of the data set."""
    found = [_uid(body, notable.get(tag), tag, findings) for tag in _IDENTIFYING]
    for index, (meta_tag, rule) in enumerate(_OF_META):
        in_meta = _uid(view, head.meta.get(meta_tag), meta_tag, findings)
        if in_meta and found[index] and in_meta != found[index]:
            findings.add(rule, None, tag_text(meta_tag))
        found[index] = found[index] or in_meta
    return found[0], found[1], found[2], found[3]


def _uid(view: memoryview, element: Element | None, tag: int, findings: Findings) -> str:
    if element is None or element.value == element.stop:
        return ""
    raw = bytes(view[element.value : min(element.stop, element.value + 2 * _UID_LENGTH)])
    text = raw.decode("latin-1").rstrip("\0 ")
    if text:
        check_uid(text, tag, findings, element.start)
    return text


def _check_image(walk: Walk, sop_class_uid: str, syntax: TransferSyntax) -> None:
    if walk.pixels is not None:
        check_pixels(walk.view, walk.pixels, walk.notable, syntax, walk.fragments, walk.findings)
    elif is_image(sop_class_uid):
        walk.findings.add("pixels-missing", None, "(7FE0,0010)")


def _structure(
    view: memoryview, head: Prologue, walk: Walk, uids: tuple[str, str, str, str], inflated: memoryview | None
) -> Structure:
    coding, pixels = head.syntax.coding, walk.pixels
    return Structure(
        transfer_syntax=head.syntax.uid,
        sop_class_uid=uids[0],
        instance_uid=uids[1],
        study_uid=uids[2],
        series_uid=uids[3],
        explicit=coding.explicit,
        little_endian=coding.little_endian,
        deflated=head.syntax.deflated,
        encapsulated=head.syntax.encapsulated,
        has_preamble=head.has_preamble,
        dataset_offset=head.dataset_offset if inflated is None else 0,
        dataset_end=walk.dataset_end,
        pixel_tag=pixels.tag if pixels else None,
        pixel_offset=pixels.start if pixels else None,
        pixel_value=pixels.value if pixels else None,
        pixel_end=pixels.end if pixels else None,
        size=len(view),
        items=walk.items,
        prologue=head,
        warnings=walk.findings.warnings,
        inflated=inflated,
        encapsulation=_encapsulation(walk, head.syntax),
        attributes=walk.notable,
    )


def _encapsulation(walk: Walk, syntax: TransferSyntax) -> Encapsulation | None:
    if walk.pixels is None or walk.fragments is None:
        return None
    return Encapsulation(walk.pixels, walk.fragments.ranges, walk.notable, syntax)
