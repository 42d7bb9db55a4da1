"""gzip bodies (RFC 9110 8.4.1.3), inflated chunk by chunk against a bound: a bomb costs what it weighs."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from scanward.errors import BadInput, Fault, TooLarge

_CHUNK: Final = 1 << 18
_GZIP: Final = 31
_RATIO: Final = 200
_ALLOWANCE: Final = 256 << 20


class Gunzip:
    """One body under way; it may have several members (RFC 1952 2.2)."""

    def __init__(self, ratio: int = _RATIO, allowance: int = _ALLOWANCE) -> None:
        """Bound what comes out: `allowance` bytes, and `ratio` for each that came in."""
        self._ratio, self._allowance = ratio, allowance
        self._member = zlib.decompressobj(_GZIP)
        self._begun = False
        self._taken = self._given = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what the next bytes inflate to, in chunks. Raises BadInput or TooLarge."""
        self._taken += len(chunk)
        while chunk:
            if self._member.eof:
                self._member, self._begun = zlib.decompressobj(_GZIP), False
            self._begun = True
            try:
                piece = self._member.decompress(chunk, _CHUNK)
            except zlib.error:
                raise _broken("the body is not what its Content-Encoding says: gzip") from None
            chunk = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            yield from self._counted(piece)
            while not chunk and len(piece) == _CHUNK and not self._member.eof:
                # The input is used up, but what it stands for may not all be out.
                piece = self._member.decompress(b"", _CHUNK)
                yield from self._counted(piece)

    def close(self) -> None:
        """Tell that the body has ended. Raises BadInput if its last member was cut."""
        if self._begun and not self._member.eof:
            raise _broken("the gzip body ends early")

    def _counted(self, piece: bytes) -> Iterator[bytes]:
        self._given += len(piece)
        if self._given > self._allowance + self._ratio * self._taken:
            raise TooLarge(f"the gzip body inflates beyond {self._ratio}:1")
        if piece:
            yield piece


def _broken(message: str) -> BadInput:
    return BadInput(message, faults=(Fault("gzip-broken", message, clause="RFC 1952"),))
