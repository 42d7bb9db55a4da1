"""Inflates a deflated data set within bounds, before anything of it is read (PS3.5 A.5)."""

from __future__ import annotations

import mmap
import tempfile
import zlib
from struct import Struct
from typing import IO

from scanward.dicom.structure.bounds import Bounds
from scanward.dicom.structure.findings import refuse

_CHUNK = 1 << 18
_TRAILER = Struct("<II")
_IN_MEMORY = 16 << 20
_FREE_RATIO = 1 << 20  # short data sets may deflate better than the ratio allows


def inflate(view: memoryview, offset: int, bounds: Bounds) -> memoryview:
    """Return the inflated bytes behind `offset`; large ones lie in an unnamed temporary file, mapped.

    Raises InvalidDicom when the stream is broken, cut, beyond bounds, or followed by more than padding.
    """
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
        end, made, checksum = _inflate_into(spool, view, offset, bounds)
        # Some writers keep gzip's trailer, which only says checksum and length of what came before.
        trailer = _TRAILER.pack(checksum, made)
        rest = bytes(view[end : end + len(trailer) + 2])
        if len(rest) > len(trailer) + 1 or rest.rstrip(b"\0") not in {b"", trailer.rstrip(b"\0")}:
            raise refuse("trailing-bytes", end, what="the deflated data set")
        if made <= _IN_MEMORY:
            spool.seek(0)
            return memoryview(spool.read())
        spool.flush()
        return memoryview(mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ))


def _inflate_into(spool: IO[bytes], view: memoryview, offset: int, bounds: Bounds) -> tuple[int, int, int]:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    taken, made, checksum = offset, 0, 0
    while not stream.eof:
        chunk = stream.unconsumed_tail or bytes(view[taken : taken + _CHUNK])
        if not stream.unconsumed_tail:
            taken += len(chunk)
        try:
            inflated = stream.decompress(chunk, _CHUNK)
        except zlib.error:
            raise refuse("deflate-broken", offset) from None
        if not chunk and not inflated and not stream.eof:
            raise refuse("deflate-truncated", len(view))
        made += len(inflated)
        used = taken - offset - len(stream.unconsumed_tail)
        _check_bounds(made, used, bounds)
        spool.write(inflated)
        checksum = zlib.crc32(inflated, checksum)
    return taken - len(stream.unused_data), made, checksum


def _check_bounds(made: int, used: int, bounds: Bounds) -> None:
    if made > bounds.inflated_bytes:
        raise refuse("inflate-bound", bound=f"{bounds.inflated_bytes} bytes")
    if made > _FREE_RATIO and made > used * bounds.inflate_ratio:
        raise refuse("inflate-bound", bound=f"{bounds.inflate_ratio}:1")
