"""The byte path: de-identifies regular objects as they lie, with the gate's checks in the same pass.

One look-up by an element's first eight bytes tells its length and what is done with it; runs of kept elements
are copied as one slice; elements that change, and whole sequences, are remembered by their bytes a subject;
pixels are a range of the source. What is not plain raises Irregular: gate and pydicom path decide then.
"""

from __future__ import annotations

from dataclasses import dataclass

from scanward.deidentify.bytepath_change import Changer
from scanward.deidentify.bytepath_header import Headers, Room
from scanward.deidentify.bytepath_known import Knowledge, Known
from scanward.deidentify.bytepath_meta import Meta, MetaReader, MetaWriter
from scanward.deidentify.bytepath_output import Chunk, Output, joined
from scanward.deidentify.bytepath_pixels import PixelGate
from scanward.deidentify.bytepath_pixels import Pixels as PixelPlace
from scanward.deidentify.bytepath_source import HEAD, Irregular, Source, Window
from scanward.deidentify.bytepath_template import Match, Templates
from scanward.deidentify.bytepath_walk import Short, Walked, Walker, countable
from scanward.deidentify.encapsulated import CHANGE, overwritten
from scanward.deidentify.keys import Keys
from scanward.deidentify.policy import Policy
from scanward.deidentify.report import Cleaned, Identity
from scanward.dicom.pieces import Span
from scanward.dicom.structure import Bounds, Findings, check_uid
from scanward.dicom.structure.coding import INSTANCE_UID, PIXELS
from scanward.errors import Fault, Quarantined

_MOST_KINDS = 64
_MOST_HELD = 8 << 20
_TAIL = 1 << 20


@dataclass(slots=True)
class _KindOfObject:
    """All that is remembered of objects of one SOP class and coding."""

    headers: Headers
    walker: Walker
    changer: Changer
    output: Output
    knowledge: Knowledge
    templates: Templates


_Tail = tuple[bytes, Walked]


class BytePath:
    """De-identifies under one policy and one set of keys. Memories are bounded; for one thread at a time."""

    def __init__(self, policy: Policy, keys: Keys, bounds: Bounds) -> None:
        """Begin with nothing remembered."""
        self._policy = policy
        self._keys = keys
        self._bounds = bounds
        self._meta = MetaReader(bounds)
        self._meta_writer = MetaWriter()
        self._pixels = PixelGate(bounds)
        self._kinds: dict[tuple[str, bool], _KindOfObject] = {}
        self._room = Room()
        self._countable = countable(bounds)

    def clean(self, source: Source, *, gated: bool = False) -> Cleaned:
        """De-identify one object; `gated` says that the gate has passed it already.

        Raises Irregular for what is not plain, Quarantined for what cannot be cleaned safely.
        """
        self._bound_memories()
        if source.size > self._bounds.object_bytes:
            raise Irregular
        head = source.read(0, HEAD)
        meta = self._meta.read(head)
        kind = self._kind(meta)
        match = kind.templates.match(head, meta.offset, meta.syntax.uid, source.size)
        if match is not None and match.end - meta.offset <= self._countable:
            return self._finished(source, kind, meta, match, head)
        kind.walker.trusts = gated
        window, walked = self._walk(source, head, meta, kind.walker)
        if walked.end - meta.offset > self._countable and not gated:
            raise Irregular
        known = kind.knowledge.get(walked.marks, meta.syntax.uid)
        found = Match(known, _instance(window, walked), [], [], walked.end)
        place, behind = self._gated(source, kind, meta, found, window)
        if known.fault is not None:
            raise Quarantined(known.fault.message, faults=(known.fault,))
        span = meta.offset, walked.end
        found.chunks.extend(kind.output.chunks(known.memory, window, walked.todo, span, found.changes))
        if not gated:
            kind.templates.learn(known, meta.syntax.uid, window, walked, meta.offset)
        return self._written(kind, meta, found, (window, place, behind))

    def _finished(
        self, source: Source, kind: _KindOfObject, meta: Meta, match: Match, head: bytes
    ) -> Cleaned:
        """Go on with an object whose header matched a template."""
        place, behind = self._gated(source, kind, meta, match, head)
        return self._written(kind, meta, match, (head, place, behind))

    def _gated(
        self, source: Source, kind: _KindOfObject, meta: Meta, found: Match, window: Window
    ) -> tuple[PixelPlace, _Tail | None]:
        """Check what follows a header: pixels and the rest, and that the file meta names the object."""
        header = bytes(window[found.end : found.end + 12])
        place = self._pixels.check(source, header, found.end, found.known, meta)
        behind = None if place.end == source.size else self._tail(source, place, kind.walker)
        _check_instance(found.instance, meta)
        return place, behind

    def _kind(self, meta: Meta) -> _KindOfObject:
        key = meta.sop_class_uid, meta.syntax.coding.explicit
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = self._new_kind(meta)
        return kind

    def _new_kind(self, meta: Meta) -> _KindOfObject:
        explicit = meta.syntax.coding.explicit
        headers = Headers(self._policy, meta.sop_class_uid, (), self._room, explicit=explicit)
        changer = Changer(self._policy, self._keys, headers)
        walker, output = Walker(headers, self._bounds), Output(changer, headers)
        knowledge = Knowledge(self._keys, headers, changer)
        templates = Templates(headers, walker, changer, output)
        return _KindOfObject(headers, walker, changer, output, knowledge, templates)

    def _bound_memories(self) -> None:
        """Forget what has become too much: between objects, never while one is under way."""
        kinds = self._kinds
        if self._room.left <= 0 or len(kinds) > _MOST_KINDS:
            kinds.clear()
            self._room = Room()
        held = sum([kind.changer.held for kind in kinds.values()])
        if held > _MOST_HELD or any(kind.knowledge.is_full for kind in kinds.values()):
            for kind in kinds.values():
                kind.knowledge.forget()
                kind.templates.forget()

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
                if len(window) >= source.size:
                    raise Irregular from None
                size = 4 * len(window)
                window = source.read(0, size) if size <= source.head_limit else source.window()
            else:
                return window, walked

    @staticmethod
    def _tail(source: Source, place: PixelPlace, walker: Walker) -> _Tail:
        """Walk what stands behind the pixels."""
        tail = Walked(last=PIXELS)
        length = source.size - place.end
        if length > _TAIL:
            raise Irregular
        window = source.read(place.end, length)
        try:
            walker.walk(window, 0, length, tail)
        except Short:
            raise Irregular from None
        return window, tail

    # The policy's part

    def _written(
        self, kind: _KindOfObject, meta: Meta, found: Match, rest: tuple[Window, PixelPlace, _Tail | None]
    ) -> Cleaned:
        window, place, behind = rest
        known, changes = found.known, found.changes
        uid = kind.output.instance(known.memory, found.instance)
        prologue = self._meta_writer.write(meta.sop_class_uid, uid[1], meta.syntax.uid)
        pieces = joined(prologue, found.chunks, window)
        spoken: tuple[Fault, ...] = ()
        if place.end > place.start:
            written, spoken = overwritten(Span(place.start, place.end - place.start), place.residues())
            pieces += written
            changes += [CHANGE] * len(spoken)
        if behind is not None:
            pieces += joined(b"", self._changed_tail(kind, known, behind, changes), behind[0])
        return Cleaned(
            pieces=tuple(pieces),
            changes=tuple(changes),
            original=Identity(known.patient[0], known.issuer[0], known.study[0], known.series[0], uid[0]),
            replaced=Identity(known.patient[1], known.issuer[1], known.study[1], known.series[1], uid[1]),
            sop_class_uid=meta.sop_class_uid,
            transfer_syntax=meta.syntax.uid,
            modality=known.modality,
            warnings=known.memory.subject.warnings + spoken,
        )

    @staticmethod
    def _changed_tail(
        kind: _KindOfObject, known: Known, behind: _Tail, changes: list[tuple[str, str]]
    ) -> list[Chunk]:
        window, tail = behind
        return kind.output.chunks(known.memory, window, tail.todo, (0, tail.end), changes)


def _instance(window: Window, walked: Walked) -> bytes:
    """Return the instance UID's element."""
    place = next(((start, end) for start, end, role in walked.todo if role.tag == INSTANCE_UID), (0, 0))
    return bytes(window[slice(*place)])


def _check_instance(raw: bytes, meta: Meta) -> None:
    """Check that file meta and data set name one object, by a well-formed UID."""
    if not raw or raw[8:] != meta.instance:
        raise Irregular
    findings = Findings()
    check_uid(meta.instance.decode("latin-1").rstrip("\0 "), INSTANCE_UID, findings)
    if len(findings):
        raise Irregular
