"""The walk of the byte path: one pass over headers, with the gate's checks of lengths and order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from scanward.deidentify.bytepath_header import MARK, Entry, Headers, Role
from scanward.deidentify.bytepath_source import Irregular, Window
from scanward.deidentify.markers import LONGITUDINAL_MODIFIED, PATIENT_IDENTITY_REMOVED
from scanward.dicom.structure import check_sequence
from scanward.dicom.structure.bounds import Bounds
from scanward.dicom.structure.coding import BEFORE_DATASET, FIRST_DELIMITER, FLOAT_PIXELS, UNDEFINED
from scanward.dicom.structure.findings import Findings
from scanward.errors import InvalidDicom

# Before these tags something is inserted, or the walk ends.
_STOPS = (PATIENT_IDENTITY_REMOVED, LONGITUDINAL_MODIFIED, FLOAT_PIXELS)
_ITEM = b"\xfe\xff\x00\xe0"
_PREFIX = 64
_MOST_HELD = 2 << 20
_MOST_BYTES = 64 << 10
_COST_OF_ENTRY = 100
_SMALLEST_ITEM = 8
_SHORT_HEADER = 8
_FULL_HEADER = 12


def countable(bounds: Bounds) -> int:
    """Return how many bytes cannot hold more items or elements than the bounds allow."""
    return _SMALLEST_ITEM * min(bounds.items, bounds.elements)


class Short(Exception):
    """The walk needs more bytes than its window has."""


@dataclass(slots=True)
class Walked:
    """What one walk found. `todo`: start, end and role of elements that are not simply kept, in order.

    `marks`: bytes of the elements that decide about the whole object, in order; `passed`: how many places of
    markers; `end`: where the walk stopped; `last`: the last tag.
    """

    todo: list[tuple[int, int, Role]] = field(default_factory=list)
    marks: list[Window] = field(default_factory=list)
    passed: int = 0
    end: int = 0
    last: int = BEFORE_DATASET


class Walker:
    """Walks data sets of one kind; remembers the sequences that it has checked, by their bytes."""

    def __init__(self, headers: Headers, bounds: Bounds) -> None:
        """Begin with nothing remembered."""
        self._headers = headers
        self._bounds = bounds
        self._checked: dict[bytes, bool] = {}
        self._lengths: dict[bytes, int] = {}
        self._held = 0
        # Whether the gate has passed the object that is walked: then lengths can be believed.
        self.trusts = False
        self._countable = countable(bounds)

    def walk(self, window: Window, start: int, limit: int, walked: Walked) -> None:
        """Walk from `start` to the first tag of pixels, or to `limit`, the data set's end in the window.

        Raises Short if the window ends before, Irregular for whatever the gate might refuse or warn of.
        """
        get, do, mark, position, last = (
            self._headers.entries.get, walked.todo.append, walked.marks.append, start, walked.last,
        )  # fmt: skip
        stop = _STOPS[0] if last == BEFORE_DATASET else FIRST_DELIMITER
        while True:
            header = window[position : position + 8]
            entry = get(header)  # type: ignore[arg-type]  # a view hashes like its bytes
            if entry is None:
                if position == limit:
                    break
                entry = self._learn(header, position, limit)
            total, tag, role, watch = entry
            if not last < tag < stop:
                stop = self._pass(walked, tag, position, last)
                if tag >= stop:
                    break
            last = tag
            end = position + total if total > 0 else self.long(window, position, limit, role)
            if role is not None:
                do((position, end, role))
            if watch:
                mark(window[position : end if watch == MARK else position + _FULL_HEADER])
            position = end
        if position > len(window):
            raise Short
        if stop != FIRST_DELIMITER:
            self._pass(walked, FLOAT_PIXELS, position, last)
        walked.end, walked.last = position, last

    def _learn(self, header: Window, position: int, limit: int) -> Entry:
        if len(header) < _SHORT_HEADER and position + _SHORT_HEADER <= limit:
            raise Short
        return self._headers.learn(bytes(header))

    def _pass(self, walked: Walked, tag: int, position: int, last: int) -> int:
        """Insert the markers that stand below a tag that comes now; return the next tag to stop at."""
        if tag <= last:
            raise Irregular
        while walked.passed < len(_STOPS) - 1 and tag >= _STOPS[walked.passed]:
            walked.todo.append((position, position, self._headers.markers[walked.passed]))
            walked.passed += 1
        return _STOPS[walked.passed]

    def long(self, window: Window, position: int, limit: int, role: Role | None) -> int:
        """Return the end of an element with a 4-byte length; check sequences."""
        value = position + (12 if self._headers.explicit else 8)
        raw = window[value - 4 : value]
        length = int.from_bytes(raw, "little")
        if len(raw) < 4:  # noqa: PLR2004 - the length itself
            raise Short if value <= limit else Irregular
        if role is not None and role.vr == "SQ":
            return self._sequence(window, position, value, limit, length)
        if length & 1 or value + length > limit:
            raise Irregular
        if role is not None and role.vr == "UN" and window[value : value + 4] == _ITEM:
            raise Irregular
        return value + length

    def elements(self, header: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Yield tag, watch and bytes of the elements of a header that was walked before."""
        position = 0
        while position < len(header):
            entry = self._headers.entries.get(header[position : position + 8])
            if entry is None:
                return
            total, tag, role, watch = entry
            end = position + total if total > 0 else self.long(header, position, len(header), role)
            yield tag, watch, header[position:end]
            position = end

    def _sequence(self, window: Window, start: int, value: int, limit: int, length: int) -> int:
        """Return a sequence's end, after the gate's check or because the same bytes passed it before."""
        if length != UNDEFINED:
            end = value + length
            if length & 1 or end > limit:
                raise Irregular
            if self.trusts:
                return end
            if length > self._countable:
                raise Irregular
        else:
            # Another object's sequence may begin alike and be longer: a guess, and never a reason to read on.
            known = self._lengths.get(bytes(window[start : start + _PREFIX]))
            end = start + known if known and start + known <= len(window) else -1
        if end > 0 and self._checked.get(window[start:end]):  # type: ignore[arg-type]  # hashes like bytes
            return end
        if length != UNDEFINED and end > len(window):
            raise Short
        return self._check(window, start, value, limit, length)

    def _check(self, window: Window, start: int, value: int, limit: int, length: int) -> int:
        view, findings = memoryview(window), Findings()
        tag = int.from_bytes(window[start : start + 2], "little") << 16
        tag |= int.from_bytes(window[start + 2 : start + 4], "little")
        inside = min(limit, len(window))
        try:
            end = check_sequence(
                view, tag, value, length, inside,
                explicit=self._headers.explicit, bounds=self._bounds, findings=findings,
            )  # fmt: skip
        except InvalidDicom:
            raise Short if inside < limit else Irregular from None
        if len(findings):
            raise Irregular
        if end - start <= _MOST_BYTES:
            self._held += end - start + _COST_OF_ENTRY
            if self._held > _MOST_HELD:
                self._checked.clear()
                self._lengths.clear()
                self._held = end - start
            raw = bytes(window[start:end])
            self._checked[raw] = True
            if length == UNDEFINED:
                self._lengths[raw[:_PREFIX]] = end - start
        return end
