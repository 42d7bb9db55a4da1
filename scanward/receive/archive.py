"""Zip archives, read as a stream of members; nothing of an archive is trusted, and no name becomes a path.

The central directory is walked record by record (APPNOTE 4.3.12), so that a million entries cost no memory,
and each member is inflated in chunks against bounds. What is wrong with one member is raised by its
`chunks`, and the next member still comes; what is wrong with the whole archive is raised by `members`.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, NamedTuple

from scanward.errors import BadInput, Fault, TooLarge

_CHUNK: Final = 1 << 18
_END, _END64, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_RECORD, _LOCAL = b"PK\x01\x02", b"PK\x03\x04"
_END_FORM: Final = struct.Struct("<4s4H2LH")
_LOCATOR_FORM: Final = struct.Struct("<4sLQL")
_END64_FORM: Final = struct.Struct("<4sQ2H2L4Q")
_RECORD_FORM: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL_FORM: Final = struct.Struct("<4s5H3L2H")
_COMMENT_MAX: Final = 0xFFFF
_IN_EXTRA: Final = 0xFFFFFFFF
_ENCRYPTED, _UTF8 = 0x1 | 0x40, 0x800
_STORED, _DEFLATED = 0, 8
_UNIX: Final = 3


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of an archive: members, bytes of one and of all, inflation ratio beyond an allowance.

    The ratio holds for each member and for the archive as a whole: many small bombs are one.
    """

    members: int = 100_000
    member_bytes: int = 4 << 30
    total_bytes: int = 64 << 30
    ratio: int = 200
    ratio_allowance: int = 256 << 20


DEFAULT: Final = Bounds()


class _Entry(NamedTuple):
    name: str
    encrypted: bool
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    regular: bool


class _Meter:
    """Bytes inflated of all members so far, and how many an archive of this size may have."""

    def __init__(self, size: int, bounds: Bounds) -> None:
        self.total = 0
        self.bound = min(bounds.total_bytes, bounds.ratio_allowance + bounds.ratio * size)

    @property
    def passed(self) -> bool:
        return self.total > self.bound


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive. `name` is what its maker wrote: to be shown or judged, never opened."""

    name: str
    size: int
    _entry: _Entry
    _file: BinaryIO
    _bounds: Bounds
    _meter: _Meter

    def chunks(self) -> Iterator[bytes]:
        """Yield the member's bytes. Raises BadInput, with its fault, if it is broken, encrypted or a bomb."""
        _refuse_by_header(self._entry, self._bounds)
        crc = produced = 0
        for chunk in _unpacked(self._file, self._entry):
            if not produced and chunk.startswith(_LOCAL) and chunk[128:132] != b"DICM":
                raise _fault("zip-nested", "an archive inside an archive is not opened; send it by itself")
            crc = zlib.crc32(chunk, crc)
            produced += len(chunk)
            self._meter.total += len(chunk)
            _refuse_bomb(produced, self._entry, self._bounds)
            if self._meter.passed:
                raise _fault("zip-total", "the archive's members are larger together than the bound")
            yield chunk
        if produced != self._entry.size or crc != self._entry.crc:
            raise _fault(
                "zip-checksum", "the member's size or CRC-32 is not the one that the archive declares"
            )


def is_zip(head: bytes) -> bool:
    """Tell whether a file's first bytes are a zip archive's and not a DICOM preamble's."""
    return head.startswith((_LOCAL, _END)) and head[128:132] != b"DICM"


def members(file: BinaryIO, bounds: Bounds = DEFAULT) -> Iterator[Member]:
    """Yield each file of an archive in the order of its directory; folders are passed over.

    `file` must be seekable. Raises BadInput if the archive is broken as a whole, TooLarge beyond `bounds`.
    """
    size = file.seek(0, 2)
    start, end = _directory(file, size)
    meter, packed = _Meter(size, bounds), 0
    for number, entry in enumerate(_entries(file, start, end)):
        if number >= bounds.members:
            raise TooLarge(f"the archive has more than {bounds.members} members")
        packed += entry.packed
        if packed > size:
            raise _fault("zip-overlap", "the archive's members overlap")
        if not entry.name.endswith("/"):
            yield Member(entry.name, entry.size, entry, file, bounds, meter)
        if meter.passed:
            raise TooLarge(f"the archive's members are larger together than {meter.bound} bytes")


def _fault(rule: str, message: str) -> BadInput:
    return BadInput(message, faults=(Fault(rule, message),))


def _refuse_by_header(entry: _Entry, bounds: Bounds) -> None:
    if entry.encrypted:
        raise _fault("zip-encrypted", "the member is encrypted")
    if not entry.regular:
        raise _fault("zip-not-regular", "the member is a link or a device, not a file")
    if entry.method not in {_STORED, _DEFLATED}:
        raise _fault("zip-method", f"compression method {entry.method} is not read; use deflate or store")
    if entry.size > bounds.member_bytes:
        raise _fault("zip-member-size", f"the member is larger than {bounds.member_bytes} bytes")


def _refuse_bomb(produced: int, entry: _Entry, bounds: Bounds) -> None:
    if produced > entry.size:
        raise _fault("zip-checksum", "the member is larger than the archive declares")
    if produced > bounds.ratio_allowance and produced > bounds.ratio * entry.packed:
        raise _fault("zip-ratio", f"the member inflates more than {bounds.ratio} times")


def _directory(file: BinaryIO, size: int) -> tuple[int, int]:
    """Return where the central directory starts and ends (APPNOTE 4.3.16, with Zip64 4.3.14 and 4.3.15)."""
    tail_start = max(0, size - _COMMENT_MAX - _END_FORM.size)
    tail = _read(file, tail_start, size - tail_start)
    found = tail.rfind(_END)
    if found < 0 or len(tail) - found < _END_FORM.size:
        raise _fault("zip-broken", "the archive has no directory at its end: it is cut or not a zip archive")
    _, _, _, _, _, length, start, _ = _END_FORM.unpack_from(tail, found)
    end = tail_start + found
    if _IN_EXTRA in {length, start} or tail[found - _LOCATOR_FORM.size :][:4] == _LOCATOR64:
        start, length = _directory64(file, end - _LOCATOR_FORM.size)
        return start, start + length
    if start + length > end:
        raise _fault("zip-broken", "the archive's directory lies outside the archive")
    return start, start + length


def _directory64(file: BinaryIO, locator: int) -> tuple[int, int]:
    """Return start and length of a Zip64 archive's directory."""
    fields = _unpack(_LOCATOR_FORM, file, max(0, locator), _LOCATOR64)
    offset = int(fields[2])
    end = _unpack(_END64_FORM, file, offset, _END64)
    length, start = int(end[8]), int(end[9])
    if start + length > offset:
        raise _fault("zip-broken", "the archive's directory lies outside the archive")
    return start, length


def _entries(file: BinaryIO, position: int, end: int) -> Iterator[_Entry]:
    while position < end:
        record = _unpack(_RECORD_FORM, file, position, _RECORD)
        made_by, flags, method, crc = int(record[1]), int(record[3]), int(record[4]), int(record[7])
        name_length, extra_length, comment_length = int(record[10]), int(record[11]), int(record[12])
        position += _RECORD_FORM.size
        text = _read(file, position, name_length + extra_length)
        size, packed, offset = _sizes(text[name_length:], int(record[9]), int(record[8]), int(record[16]))
        mode = int(record[15]) >> 16 if made_by >> 8 == _UNIX else 0
        yield _Entry(
            name=text[:name_length].decode("utf-8" if flags & _UTF8 else "cp437", "replace"),
            encrypted=bool(flags & _ENCRYPTED),
            method=method,
            crc=crc,
            packed=packed,
            size=size,
            offset=offset,
            regular=stat.S_IFMT(mode) in {0, stat.S_IFREG, stat.S_IFDIR},
        )
        position += name_length + extra_length + comment_length


def _sizes(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Return size, packed size and offset; those that are all ones stand in the Zip64 field (4.5.3)."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == 1:
            wide = extra[position + 4 : position + 4 + length]
            values = iter(struct.unpack(f"<{len(wide) // 8}Q", wide[: len(wide) // 8 * 8]))
            size = next(values, size) if size == _IN_EXTRA else size
            packed = next(values, packed) if packed == _IN_EXTRA else packed
            offset = next(values, offset) if offset == _IN_EXTRA else offset
        position += 4 + length
    return size, packed, offset


def _unpacked(file: BinaryIO, entry: _Entry) -> Iterator[bytes]:
    """Yield a member's content in chunks of bounded size."""
    header = _unpack(_LOCAL_FORM, file, entry.offset, _LOCAL)
    start = entry.offset + _LOCAL_FORM.size + int(header[9]) + int(header[10])
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == _DEFLATED else None
    for offset in range(start, start + entry.packed, _CHUNK):
        chunk = _read(file, offset, min(_CHUNK, start + entry.packed - offset))
        if inflater is None:
            yield chunk
        else:
            yield from _inflated(inflater, chunk)
            if inflater.eof:
                return
    if inflater is not None:
        # A match that did not fit into the last chunk's bound is still inside.
        yield from filter(None, [inflater.flush()])


def _inflated(inflater: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    try:
        while chunk:
            content = inflater.decompress(chunk, _CHUNK)
            if content:
                yield content
            chunk = inflater.unconsumed_tail
    except zlib.error:
        raise _fault("zip-deflate", "the member's compressed bytes are broken") from None


def _read(file: BinaryIO, position: int, length: int) -> bytes:
    file.seek(position)
    chunk = file.read(length)
    if len(chunk) != length:
        raise _fault("zip-broken", "the archive ends in the middle of a member or of its directory")
    return chunk


def _unpack(form: struct.Struct, file: BinaryIO, position: int, signature: bytes) -> tuple[Any, ...]:
    fields = form.unpack(_read(file, position, form.size))
    if fields[0] != signature:
        raise _fault("zip-broken", "the archive's directory points to something else")
    return fields
