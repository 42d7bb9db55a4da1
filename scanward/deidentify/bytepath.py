"""The byte path: de-identifies regular objects as they lie, with the gate's checks in the same pass.

One look-up by an element's first eight bytes tells its length and what is done with it; runs of kept elements are
copied as one slice; elements that change, and whole sequences, are remembered by their bytes for each subject; pixels
are a range of the source. Whatever is not plain raises Irregular, and the gate with the pydicom path decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from scanward.deidentify import pixels, subjects
from scanward.deidentify.bytepath_change import Change, Changer, Memory, is_worth_remembering
from scanward.deidentify.bytepath_header import CHARSET, MODALITY, Headers, Kind, tag_of
from scanward.deidentify.bytepath_meta import Meta, MetaReader, MetaWriter
from scanward.deidentify.bytepath_pixels import PixelGate
from scanward.deidentify.bytepath_pixels import Pixels as PixelPlace
from scanward.deidentify.bytepath_source import HEAD, LARGEST_HEAD, Irregular, Source, Window
from scanward.deidentify.bytepath_walk import Short, Walked, Walker
from scanward.deidentify.charset import charsets_of, values_at_any_price
from scanward.deidentify.keys import Keys
from scanward.deidentify.policy import Policy, vr_of
from scanward.deidentify.report import Cleaned, Identity
from scanward.deidentify.writer import Writer, marker_elements
from scanward.dicom.pieces import Piece, Span
from scanward.dicom.structure import Bounds, Findings, check_uid
from scanward.dicom.structure.coding import INSTANCE_UID, PIXELS, SERIES_UID, SOP_CLASS_UID, STUDY_UID
from scanward.errors import Fault, Quarantined

_MOST_KINDS = 64
_MOST_SUBJECTS = 256
_MOST_REMEMBERED = 4096
_MOST_VERDICTS = 4096
_SPAN = 64 << 10
_SMALLEST_ITEM = 8
_TAIL = 1 << 20


@dataclass(slots=True)
class _KindOfObject:
    """All that is remembered of objects of one SOP class and coding."""

    headers: Headers
    walker: Walker
    changer: Changer
    markers: tuple[bytes, bytes]
    memories: dict[tuple[bytes, ...], Memory]


class BytePath:
    """De-identifies under one policy and one set of keys. Holds bounded memories; for one process, one thread."""

    def __init__(self, policy: Policy, keys: Keys, bounds: Bounds) -> None:
        """Begin with nothing remembered."""
        self._policy = policy
        self._keys = keys
        self._bounds = bounds
        self._meta = MetaReader(bounds)
        self._meta_writer = MetaWriter()
        self._pixels = PixelGate(bounds)
        self._kinds: dict[tuple[str, bool], _KindOfObject] = {}
        self._verdicts: dict[tuple[str, tuple[bytes, ...]], Fault | None] = {}

    def clean(self, source: Source, *, gated: bool = False) -> Cleaned:
        """De-identify one object; `gated` says that the gate has passed it already.

        Raises Irregular for what is not plain, Quarantined for what cannot be cleaned safely.
        """
        if source.size > self._bounds.object_bytes:
            raise Irregular
        head = source.read(0, HEAD)
        meta = self._meta.read(head)
        kind = self._kind(meta)
        window, walked = self._walk(source, head, meta, kind.walker)
        if not gated and walked.end - meta.offset > _SMALLEST_ITEM * min(
            self._bounds.items, self._bounds.elements
        ):
            raise Irregular
        place = self._pixels.check(source, window, walked, meta.syntax, meta.sop_class_uid)
        tail_window, tail = self._tail(source, place, kind.walker)
        self._check_identity(window, walked, meta)
        self._check_risk(walked, meta, kind.headers)
        return self._written(kind, meta, (window, walked, place), (tail_window, tail))

    def _kind(self, meta: Meta) -> _KindOfObject:
        key = meta.sop_class_uid, meta.syntax.coding.explicit
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= _MOST_KINDS:
                self._kinds.clear()
            kind = self._kinds[key] = self._new_kind(*key)
        return kind

    def _new_kind(self, sop_class_uid: str, explicit: bool) -> _KindOfObject:  # noqa: FBT001 - the key's own fields
        headers = Headers(self._policy, sop_class_uid, (), explicit=explicit)
        written = marker_elements(Writer(explicit, little_endian=True), self._policy.markers)
        first = b"".join(raw for tag, raw in written if tag >> 16 == _FIRST_MARKERS)
        second = b"".join(raw for tag, raw in written if tag >> 16 != _FIRST_MARKERS)
        changer = Changer(self._policy, self._keys, headers)
        return _KindOfObject(headers, Walker(headers, self._bounds), changer, (first, second), {})

    # The gate's part

    @staticmethod
    def _walk(source: Source, head: bytes, meta: Meta, walker: Walker) -> tuple[Window, Walked]:
        """Walk the header in a window as large as it needs; the largest ones are read where they lie."""
        window: Window = head
        while True:
            walked = Walked()
            try:
                walker.walk(window, meta.offset, source.size, walked)
            except Short:
                size = 4 * len(window)
                window = source.read(0, size) if size <= LARGEST_HEAD else source.whole()
            else:
                return window, walked

    @staticmethod
    def _tail(source: Source, place: PixelPlace, walker: Walker) -> tuple[Window, Walked]:
        """Walk what stands behind the pixels."""
        tail = Walked(last=PIXELS)
        length = source.size - place.end
        if not length:
            return b"", tail
        if length > _TAIL:
            raise Irregular
        window = source.read(place.end, length)
        try:
            walker.walk(window, 0, length, tail)
        except Short:
            raise Irregular from None
        return window, tail

    @staticmethod
    def _check_identity(window: Window, walked: Walked, meta: Meta) -> None:
        """Check the identifying UIDs' form, and that file meta and data set name one object."""
        at = walked.at
        if INSTANCE_UID not in at or SOP_CLASS_UID not in at or not meta.sop_class_uid:
            raise Irregular
        findings = Findings()
        for tag in (SOP_CLASS_UID, INSTANCE_UID, STUDY_UID, SERIES_UID):
            start, stop = at.get(tag, (0, 0))
            text = bytes(window[start + 8 : stop]).decode("latin-1").rstrip("\0 ")
            if text:
                check_uid(text, tag, findings)
            elif tag in {SOP_CLASS_UID, INSTANCE_UID}:
                raise Irregular
            if tag == SOP_CLASS_UID and text != meta.sop_class_uid:
                raise Irregular
        start, stop = at[INSTANCE_UID]
        if len(findings) or window[start + 8 : stop] != meta.instance:
            raise Irregular

    def _check_risk(self, walked: Walked, meta: Meta, headers: Headers) -> None:
        key = meta.syntax.uid, tuple(walked.risk)
        try:
            fault = self._verdicts[key]
        except KeyError:
            if len(self._verdicts) >= _MOST_VERDICTS:
                self._verdicts.clear()
            fault = self._verdicts[key] = _risk(walked.risk, headers, meta.syntax.uid)
        if fault is not None:
            raise Quarantined(fault.message, faults=(fault,))

    # The policy's part

    def _written(
        self,
        kind: _KindOfObject,
        meta: Meta,
        body: tuple[Window, Walked, PixelPlace],
        behind: tuple[Window, Walked],
    ) -> Cleaned:
        window, walked, place = body
        memory = self._memory(kind, window, walked)
        changes: list[tuple[str, str]] = []
        chunks = self._changed(kind, memory, (window, walked, meta.offset), changes)
        tail_window, tail = behind
        tail_chunks = self._changed(kind, memory, (tail_window, tail, 0), changes) if tail.end else []
        series = self._before_and_after(kind, memory, window, walked, SERIES_UID)
        instance = self._before_and_after(kind, memory, window, walked, INSTANCE_UID)
        prologue = self._meta_writer.write(meta.sop_class_uid, instance[1], meta.syntax.uid)
        pieces = _joined(prologue, chunks)
        if place.end > place.start:
            pieces.append(Span(place.start, place.end - place.start))
        if tail_chunks:
            pieces += _joined(b"", tail_chunks)
        return Cleaned(
            pieces=tuple(pieces),
            changes=tuple(changes),
            original=Identity(*memory.original, series[0], instance[0]),
            replaced=Identity(*memory.replaced, series[1], instance[1]),
            sop_class_uid=meta.sop_class_uid,
            transfer_syntax=meta.syntax.uid,
            modality=self._before_and_after(kind, memory, window, walked, MODALITY)[0].partition("\\")[0],
            warnings=memory.subject.warnings,
        )

    def _memory(self, kind: _KindOfObject, window: Window, walked: Walked) -> Memory:
        """Return the memory of the object's subject: everything that says who it is, by its bytes, is the key."""
        start, stop = walked.at.get(CHARSET, (0, 0))
        key = (bytes(window[start:stop]), *walked.who)
        memory = kind.memories.get(key)
        if memory is None:
            if len(kind.memories) >= _MOST_SUBJECTS:
                kind.memories.clear()
            memory = kind.memories[key] = self._new_memory(kind, window, walked, key)
        return memory

    def _new_memory(
        self, kind: _KindOfObject, window: Window, walked: Walked, key: tuple[bytes, ...]
    ) -> Memory:
        charsets = charsets_of(key[0][8:] if key[0] else None)
        found = {
            (tag := tag_of(raw)): values_at_any_price(
                raw[kind.headers.value_of(raw) :], vr_of(tag, ""), charsets
            )
            for raw in key[1:]
        }
        memory = Memory(subjects.subject_of(found, self._keys), charsets, ("", "", ""), ("", "", ""))
        pairs = [self._before_and_after(kind, memory, window, walked, tag) for tag in _WHO]
        memory.original = pairs[0][0], pairs[1][0], pairs[2][0]
        memory.replaced = pairs[0][1], pairs[1][1], pairs[2][1]
        return memory

    def _before_and_after(
        self, kind: _KindOfObject, memory: Memory, window: Window, walked: Walked, tag: int
    ) -> tuple[str, str]:
        """Return the text of an identifying element as it was and as it is in the output."""
        place = walked.at.get(tag)
        if place is None:
            return "", ""
        raw = bytes(window[place[0] : place[1]])
        role = kind.headers.entries[raw[:8]][2]
        value = kind.headers.value_of(raw)
        old = "\\".join(values_at_any_price(raw[value:], vr_of(tag, ""), memory.charsets))
        if role is None:
            return old, old
        if role.kind is Kind.FIXED:
            return old, ""
        new, _ = memory.memo.get(raw) or kind.changer.change(memory, role, raw)
        if new is None:
            return old, old
        return old, "\\".join(values_at_any_price(new[value:], "LO", memory.charsets))

    @staticmethod
    def _changed(
        kind: _KindOfObject, memory: Memory, body: tuple[Window, Walked, int], changes: list[tuple[str, str]]
    ) -> list[bytes | Span]:
        """Return the data set in chunks, in order: runs of the window that stay, and new bytes between them."""
        window, walked, run = body
        memo, change = memory.memo, kind.changer.change
        creators: dict[int, str] = {}
        out: list[bytes | Span] = []
        runs = cast(_Ranges, window) if isinstance(window, bytes) else _Ranges(window)
        places = iter((*walked.cuts, 1 << 62, 1 << 62)[:3])
        cut, markers = next(places), iter(kind.markers)
        for start, end, role in walked.todo:
            while start >= cut:
                out += runs[run:cut], next(markers)
                run, cut = cut, next(places)
            if role.kind is Kind.FIXED:
                new = role.new
                if role.change is not None:
                    changes.append(role.change)
            elif role.kind is Kind.PRIVATE:
                new, noted = kind.changer.private(memory, role, bytes(window[start:end]), creators)
                changes += noted
            else:
                raw = window[start:end]
                known = memo.get(raw)
                if known is None:
                    known = _remember(memo, bytes(raw), change(memory, role, bytes(raw)))
                new, noted = known
                changes += noted
            if new is not None:
                out += runs[run:start], new
                run = end
        while cut < 1 << 62:
            out += runs[run:cut], next(markers)
            run, cut = cut, next(places)
        out.append(runs[run : walked.end])
        return out


_FIRST_MARKERS = 0x0012
_WHO = (subjects.PATIENT_ID, subjects.ISSUER, subjects.STUDY_UID)


def _remember(memo: dict[Window, Change], raw: bytes, change: Change) -> Change:
    if is_worth_remembering(raw):
        if len(memo) >= _MOST_REMEMBERED:
            memo.clear()
        memo[raw] = change
    return change


def _joined(prologue: bytes, chunks: list[bytes | Span]) -> list[Piece]:
    """Return chunks as few pieces."""
    pieces: list[Piece] = []
    waiting = [prologue]
    for chunk in chunks:
        if isinstance(chunk, Span):
            pieces += b"".join(waiting), chunk
            waiting = []
        else:
            waiting.append(chunk)
    pieces.append(b"".join(waiting))
    return pieces


def _risk(found: list[bytes], headers: Headers, transfer_syntax: str) -> Fault | None:
    """Return why an object must be quarantined, from the elements that the walk watched for it."""
    texts: dict[str, str] = {}
    for raw in found:
        tag, value = tag_of(raw), raw[headers.value_of(raw) :]
        if pixels.is_embedded_overlay(tag, int.from_bytes(value, "little")):
            texts[pixels.EMBEDDED_OVERLAY] = ""
        name = pixels.attributes().get(tag)
        if name is not None:
            is_number = vr_of(tag, "") == "US"
            text = str(int.from_bytes(value, "little")) if is_number else value.decode("latin-1")
            texts[name] = text.strip(" \0")
    return pixels.risk(texts, transfer_syntax)


class _Ranges:
    """A mapped source's kept runs: long ones stay ranges of it."""

    def __init__(self, window: Window) -> None:
        """Take the whole source."""
        self._window = window

    def __getitem__(self, where: slice) -> bytes | Span:
        """Return a run."""
        length = where.stop - where.start
        return Span(where.start, length) if length > _SPAN else bytes(self._window[where])
