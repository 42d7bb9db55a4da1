from __future__ import annotations

from struct import Struct
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanward.dicom.pieces import Piece, Span
from scanward.dicom.ranged import AT_ONCE, MOST_BYTES, RangedView, joined, unpack_at, unpacker
from scanward.errors import TooLarge

pytestmark = pytest.mark.unit

BODY = bytes(range(256)) * 600


def _read(offset: int, length: int) -> bytes:
    return BODY[offset : offset + length]


VIEW = RangedView(_read, 0, len(BODY))
PLACE = st.one_of(st.none(), st.integers(-len(BODY) - 5, len(BODY) + 5))


@given(PLACE, PLACE)
def test_every_slice_is_that_of_a_memoryview(start: int | None, stop: int | None) -> None:
    found = cast("bytes | RangedView", VIEW[start:stop])
    assert bytes(found) == bytes(memoryview(BODY)[start:stop])
    assert len(found) == len(BODY[start:stop])


@given(st.integers(-len(BODY), len(BODY) - 1))
def test_every_byte_is_that_of_a_memoryview(index: int) -> None:
    assert VIEW[index] == BODY[index]


@pytest.mark.parametrize("index", [len(BODY), -len(BODY) - 1])
def test_there_is_nothing_outside(index: int) -> None:
    with pytest.raises(IndexError):
        VIEW[index]


def test_there_are_no_steps() -> None:
    with pytest.raises(ValueError, match="steps"):
        VIEW[::2]


def test_a_long_slice_reads_nothing_until_it_is_looked_at() -> None:
    asked: list[int] = []

    def read(_: int, length: int) -> bytes:
        asked.append(length)
        return bytes(length)

    view = RangedView(read, 0, 5 << 30)
    part = view[100 : 4 << 30]
    assert isinstance(part, RangedView)
    assert not asked
    assert part[:16] == bytes(16)
    assert asked == [16]
    with pytest.raises(TooLarge, match=str(MOST_BYTES)):
        bytes(part)
    assert asked == [16]
    assert isinstance(view[:AT_ONCE], bytes)


def test_views_are_compared_by_their_bytes() -> None:
    part = VIEW[: 256 * 300]
    assert part == BODY[: 256 * 300]
    assert part == memoryview(BODY)[256 : 256 * 301]
    assert part == VIEW[256 : 256 * 301]
    assert part != VIEW[1 : 256 * 300 + 1]
    assert part != BODY[: 256 * 299]
    assert part != "text"


@given(st.lists(st.one_of(st.binary(max_size=9), st.tuples(st.integers(0, 1000), st.integers(0, 9)))))
def test_an_object_of_pieces_is_read_as_if_it_were_one(found: list[bytes | tuple[int, int]]) -> None:
    pieces: list[Piece] = [one if isinstance(one, bytes) else Span(*one) for one in found]
    whole = b"".join(
        BODY[one.offset : one.offset + one.length] if isinstance(one, Span) else one for one in pieces
    )
    view = joined(pieces, _read)
    assert len(view) == len(whole)
    assert bytes(view) == whole
    for start in range(0, len(whole), 4):
        assert view[start : start + 7] == whole[start : start + 7]


def test_numbers_are_unpacked_alike_from_both_kinds_of_view() -> None:
    form = Struct("<HHI")
    ranged = cast("memoryview", VIEW)
    for position in (0, 1, 77, len(BODY) - 8):
        expected = form.unpack_from(BODY, position)
        assert unpack_at(form, memoryview(BODY), position) == expected
        assert unpack_at(form, ranged, position) == expected
        assert unpacker(form, ranged)(ranged, position) == expected
        assert unpacker(form, memoryview(BODY))(memoryview(BODY), position) == expected
