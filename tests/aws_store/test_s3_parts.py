from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanward.adapters.aws.crc64 import crc64, crc64_base64
from scanward.adapters.aws.s3_copy import algorithm_for
from scanward.adapters.aws.s3_parts import LEAST, MOST, PARTS, Part, length_of, plan, require_rules
from scanward.dicom.pieces import Piece, Span
from scanward.errors import ScanwardError, TooLarge

pytestmark = pytest.mark.unit

MIB = 1 << 20
BORDERS = [LEAST - 1, LEAST, LEAST + 1, 2 * LEAST - 1, 2 * LEAST, 2 * LEAST + 1, MOST - 1, MOST, MOST + 1]
LENGTHS = st.one_of(st.integers(0, 3 * MIB), st.sampled_from(BORDERS), st.integers(1, 20 << 30))


def _laid(lengths: list[tuple[bool, int]]) -> list[Piece]:
    """Return pieces; spans follow one another in the source with gaps, so that a mistaken offset shows."""
    pieces: list[Piece] = []
    at = 7
    for is_span, length in lengths:
        if is_span:
            pieces.append(Span(at, length))
            at += length + 3
        else:
            pieces.append(bytes([len(pieces) % 251]) * min(length, 70_000))
    return pieces


def _simplified(pieces: list[Piece]) -> list[Piece]:
    """Return the same object with what is side by side joined."""
    out: list[Piece] = []
    for piece in pieces:
        last = out[-1] if out else b""
        if not length_of(piece):
            continue
        if isinstance(piece, bytes) and isinstance(last, bytes) and out:
            out[-1] = last + piece
        elif isinstance(piece, Span) and isinstance(last, Span) and last.offset + last.length == piece.offset:
            out[-1] = Span(last.offset, last.length + piece.length)
        else:
            out.append(piece)
    return out


@given(st.lists(st.tuples(st.booleans(), LENGTHS), min_size=1, max_size=40))
def test_any_pieces_become_parts_that_s3_takes_and_that_make_the_same_object(
    lengths: list[tuple[bool, int]],
) -> None:
    pieces = _laid(lengths)
    size = sum(map(length_of, pieces))
    if not size:
        return
    parts = plan(pieces)
    assert all(LEAST <= part.size <= MOST for part in parts[:-1])
    assert 0 < parts[-1].size <= MOST
    assert len(parts) <= PARTS
    assert _simplified([piece for part in parts for piece in part.pieces]) == _simplified(pieces)
    assert all(part.size <= max(48 * MIB, 3 * size // 1000) for part in parts if not part.copied)


def test_of_a_native_object_only_the_header_and_five_megabytes_are_sent() -> None:
    pieces: list[Piece] = [b"h" * 5000, Span(9000, 3_900_000_000)]
    sent = [part for part in plan(pieces) if not part.copied]
    assert [part.size for part in sent] == [LEAST]
    assert sum(part.size for part in plan(pieces)) == 3_900_005_000


def test_small_changes_between_large_frames_are_sent_with_their_neighbours() -> None:
    pieces: list[Piece] = [b"h" * 5000]
    at = 9000
    for _ in range(100):
        pieces += [Span(at, 20 * MIB), b"c" * 16]
        at += 20 * MIB + 16
    parts = plan(pieces)
    sent = sum(part.size for part in parts if not part.copied)
    assert sent <= 101 * (LEAST + 1000)
    assert len(parts) == 201


def test_many_pieces_without_end_stay_within_ten_thousand_parts() -> None:
    pieces: list[Piece] = []
    for number in range(30_000):
        pieces += [Span(number * 12 * MIB, 11 * MIB), b"c"]
    assert len(plan(pieces)) <= PARTS


def test_what_s3_cannot_hold_is_too_large() -> None:
    with pytest.raises(TooLarge):
        plan([Span(0, (5 << 40) + 1)])


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [Part((Span(0, LEAST - 1),), copied=True), Part((b"end",), copied=False)],
        [Part((Span(0, MOST + 1),), copied=True)],
        [Part((Span(0, LEAST), b"x"), copied=True)],
        [Part((b"",), copied=False)],
    ],
)
def test_parts_that_break_a_rule_are_refused_by_ourselves(parts: list[Part]) -> None:
    with pytest.raises(ScanwardError, match="fault of Scanward"):
        require_rules(parts, sum(part.size for part in parts))


def test_crc_64_is_that_of_the_standard_and_goes_on_from_any_place() -> None:
    assert crc64(b"123456789") == 0xAE8B14860A799888
    assert crc64(b"") == 0
    body = bytes(range(256)) * 5
    for place in (0, 1, 7, 8, 9, 1000, len(body)):
        assert crc64(body[place:], crc64(body[:place])) == crc64(body)
    assert crc64_base64(b"123456789") == "rosUhgp5mIg="


def test_the_checksum_of_the_whole_is_crc_64_where_little_is_sent() -> None:
    assert algorithm_for(plan([b"head", Span(0, 3_900_000_000)])) == "CRC64NVME"
    assert algorithm_for(plan([Span(0, 200 * MIB)], copied=False)) == "CRC32"


def test_of_a_source_outside_of_s3_everything_is_sent_in_parts_that_fit_in_memory() -> None:
    parts = plan([b"head", Span(0, 3_900_000_000), b"tail"], copied=False)
    assert not any(part.copied for part in parts)
    assert max(part.size for part in parts) <= 48 * MIB
