"""How an object is put together inside S3: which parts are copied, which are sent (S3's rules for parts).

Every part but the last holds 5 MiB to 5 GiB, there are at most 10,000, and only whole ranges are copied. New
bytes are shorter than that as a rule: pixels that follow them are read and sent in the same part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from scanward.dicom.pieces import Piece, Span
from scanward.errors import ScanwardError, TooLarge

LEAST = 5 << 20
MOST = 5 << 30
PARTS = 10_000
LARGEST = 5 << 40
_COPIED = 256 << 20  # a few of them are copied at once
_SENT = 16 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """One part; copied if it is a single range that was left as one, else sent from its pieces."""

    pieces: tuple[Piece, ...]
    copied: bool

    @property
    def size(self) -> int:
        """Return the part's bytes."""
        return sum(map(length_of, self.pieces))


def length_of(piece: Piece) -> int:
    """Return a piece's bytes."""
    return piece.length if isinstance(piece, Span) else len(piece)


def plan(pieces: Sequence[Piece], *, copied: bool = True) -> list[Part]:
    """Return the parts that make the object, in order. Raises TooLarge beyond what S3 holds.

    Without `copied` the source is not in S3: everything is sent.
    """
    size = sum(map(length_of, pieces))
    if size > LARGEST:
        raise TooLarge(f"The output of {size} bytes is larger than S3 holds.")
    planner = _Planner(max(LEAST, -(-size // (PARTS - 1000))), copies=copied)
    kept = [piece for piece in pieces if length_of(piece)]
    for index, piece in enumerate(kept):
        planner.take(piece, last=index == len(kept) - 1)
    planner.send()
    require_rules(planner.parts, size)
    return planner.parts


def require_rules(parts: Sequence[Part], size: int) -> None:
    """Raise if the parts break a rule of S3, which an emulator may not hold us to; a fault of ours."""
    sizes = [part.size for part in parts]
    sound = (
        0 < len(parts) <= PARTS
        and sum(sizes) == size
        and all(LEAST <= one <= MOST for one in sizes[:-1])
        and 0 < sizes[-1] <= MOST
        and all(len(part.pieces) == 1 and isinstance(part.pieces[0], Span) for part in parts if part.copied)
    )
    if not sound:
        raise ScanwardError("The parts of an output break a rule of S3; this is a fault of Scanward.")


@dataclass(slots=True)
class _Planner:
    """Collects what is to be sent until it is long enough, and copies all it can."""

    least: int
    copies: bool
    parts: list[Part] = field(default_factory=list)
    _waiting: list[Piece] = field(default_factory=list)
    _waiting_bytes: int = 0

    def take(self, piece: Piece, *, last: bool) -> None:
        """Plan one piece."""
        if not isinstance(piece, Span) or not self.copies:
            self._wait(piece)
            return
        missing = self.least - self._waiting_bytes if self._waiting_bytes else 0
        fills = min(max(missing, 0), piece.length)
        rest = piece.length - fills
        if rest and not last and rest < self.least:
            self._wait(piece)
            return
        if fills:
            self._wait(Span(piece.offset, fills))
        if rest:
            self.send()
            self._copy(Span(piece.offset + fills, rest))

    def send(self) -> None:
        """End the part under way, if there is one."""
        if self._waiting:
            self.parts.append(Part(tuple(self._waiting), copied=False))
        self._waiting, self._waiting_bytes = [], 0

    def _wait(self, piece: Piece) -> None:
        """Add to the part under way, which is never more than is easily held in memory."""
        most = max(_SENT, self.least)
        for one in _cut(piece, most):
            if self._waiting_bytes + length_of(one) > 2 * most and self._waiting_bytes >= self.least:
                self.send()
            self._waiting.append(one)
            self._waiting_bytes += length_of(one)

    def _copy(self, span: Span) -> None:
        count = max(1, span.length // max(_COPIED, self.least))
        for index in range(count):
            start, stop = span.length * index // count, span.length * (index + 1) // count
            self.parts.append(Part((Span(span.offset + start, stop - start),), copied=True))


def _cut(piece: Piece, most: int) -> Iterator[Piece]:
    for start in range(0, length_of(piece), most):
        length = min(most, length_of(piece) - start)
        if isinstance(piece, Span):
            yield Span(piece.offset + start, length)
        else:
            yield piece if length == len(piece) else piece[start : start + length]
