"""Headers of one series differ in few elements: the rest is compared as it lies, and comes out as before.

A template belongs to one set of deciding elements, which all lie in its constant parts; what matches it is of
the same subject, and equal bytes mean equal elements, checked before. Those between are handled one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

from scanward.deidentify.bytepath_change import Changer
from scanward.deidentify.bytepath_header import Headers, Kind
from scanward.deidentify.bytepath_known import Known
from scanward.deidentify.bytepath_output import Chunk, Output
from scanward.deidentify.bytepath_source import HEAD, Window
from scanward.deidentify.bytepath_walk import Short, Walked, Walker
from scanward.dicom.structure.coding import INSTANCE_UID

_RECENT = 4
_TAG = 4

Reported = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """A constant part: its bytes, what becomes of them, what is reported; the tag behind it."""

    old: bytes
    new: bytes
    changes: tuple[Reported, ...]
    tag: int


@dataclass(frozen=True, slots=True)
class Template:
    """The header of a series. `following`: the tag behind it, empty at the data set's end."""

    known: Known
    syntax: str
    parts: tuple[Part, ...]
    following: bytes


@dataclass(frozen=True, slots=True)
class Match:
    """A header: whose it is, its instance UID's element, its output so far, and where it ends."""

    known: Known
    instance: bytes
    chunks: list[Chunk]
    changes: list[Reported]
    end: int


class Templates:
    """The latest templates of one kind of object, and the tags that are known to vary within a series."""

    def __init__(self, headers: Headers, walker: Walker, changer: Changer, output: Output) -> None:
        """Begin with none."""
        self._headers = headers
        self._walker = walker
        self._changer = changer
        self._output = output
        self._recent: list[Template] = []

    def forget(self) -> None:
        """Begin anew."""
        self._recent.clear()

    def match(self, head: bytes, offset: int, syntax: str, limit: int) -> Match | None:
        """Return the header that begins at `offset` if one of the latest templates fits it."""
        for index, template in enumerate(self._recent):
            if template.syntax != syntax:
                continue
            try:
                match = self._try(template, head, offset, limit)
            except Short:
                match = None
            if match is not None:
                if index:
                    self._recent.insert(0, self._recent.pop(index))
                return match
        return None

    def _try(self, template: Template, head: bytes, position: int, limit: int) -> Match | None:
        chunks: list[Chunk] = []
        changes: list[Reported] = []
        get, instance = self._headers.entries.get, b""
        for part in template.parts:
            end = position + len(part.old)
            if head[position:end] != part.old:
                return None
            chunks.append(part.new)
            changes += part.changes
            position = end
            if not part.tag:
                break
            entry = get(head[position : position + 8])
            if entry is None or entry[1] != part.tag or entry[3]:
                return None
            total, tag, role, _ = entry
            end = position + total if total > 0 else self._walker.long(head, position, limit, role)
            raw = head[position:end]
            if tag == INSTANCE_UID:
                instance = raw
            chunks.append(
                raw if role is None else self._output.element(template.known.memory, role, raw, changes)
            )
            position = end
        if position > min(limit, len(head)) or head[position : position + _TAG] != template.following:
            return None
        return Match(template.known, instance, chunks, changes, position)

    def learn(self, known: Known, syntax: str, window: Window, walked: Walked, offset: int) -> None:
        """Make a template of a header that was processed, now that it is known what varies."""
        if not isinstance(window, bytes) or len(window) > HEAD or self._has_private(walked):
            return
        header = window[offset : walked.end]
        if known.sample:
            self._headers.vary(self._differing(known.sample, header))
        known.sample = header
        if INSTANCE_UID not in self._headers.varying:
            return
        parts = tuple(self._parts(known, window, walked, offset))
        following = window[walked.end : walked.end + _TAG]
        self._recent = [one for one in self._recent if one.known is not known][: _RECENT - 1]
        self._recent.insert(0, Template(known, syntax, parts, following))

    @staticmethod
    def _has_private(walked: Walked) -> bool:
        return any(role.kind is Kind.PRIVATE for _, _, role in walked.todo)

    def _parts(self, known: Known, window: bytes, walked: Walked, start: int) -> list[Part]:
        parts, first, varying = [], 0, self._headers.varying
        slots = [
            index
            for index, (begin, end, role) in enumerate(walked.todo)
            if role.tag in varying and begin < end
        ]
        for index in [*slots, len(walked.todo)]:
            is_slot = index < len(walked.todo)
            end = walked.todo[index][0] if is_slot else walked.end
            changes: list[Reported] = []
            todo = walked.todo[first:index]
            chunks = self._output.chunks(known.memory, window, todo, (start, end), changes)
            new = b"".join(chunk for chunk in chunks if isinstance(chunk, bytes))
            tag = walked.todo[index][2].tag if is_slot else 0
            parts.append(Part(window[start:end], new, tuple(changes), tag))
            if is_slot:
                first, start = index + 1, walked.todo[index][1]
        return parts

    def _differing(self, before: bytes, now: bytes) -> set[int]:
        """Return the tags whose elements differ, as far as both headers have the same elements."""
        found: set[int] = set()
        places = zip(self._walker.elements(before), self._walker.elements(now), strict=False)
        for (tag, watch, raw), (other_tag, _, other) in places:
            if tag != other_tag:
                break
            if raw != other and not watch:
                found.add(tag)
        return found
