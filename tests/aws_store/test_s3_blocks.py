from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanward.adapters.aws.s3_blocks import Blocks

pytestmark = pytest.mark.unit

MIB = 1 << 20
BODY = random.Random(7).randbytes(24 * MIB)  # noqa: S311 - content, no secret
PLACES = st.tuples(
    st.integers(0, len(BODY) + 10), st.one_of(st.integers(0, 600), st.integers(4 * MIB - 2, 6 * MIB))
)


class Fetching:
    """A body, and what was asked of it."""

    def __init__(self, size: int = len(BODY)) -> None:
        self.asked: list[tuple[int, int]] = []
        self.blocks = Blocks(self.fetch, size)

    def fetch(self, offset: int, length: int) -> bytes:
        self.asked.append((offset, length))
        return BODY[offset : offset + length].ljust(length, b"\0")

    @property
    def moved(self) -> int:
        return sum(length for _, length in self.asked)


@settings(max_examples=60, deadline=None)
@given(st.lists(PLACES, max_size=60))
def test_any_reads_in_any_order_are_the_object_s_bytes(places: list[tuple[int, int]]) -> None:
    fetching = Fetching()
    for offset, length in places:
        assert fetching.blocks.read(offset, length) == BODY[offset : offset + length]


def test_reading_on_and_on_asks_seldom_and_fetches_nothing_twice() -> None:
    fetching = Fetching()
    for at in range(0, len(BODY), 1000):
        fetching.blocks.read(at, 1000)
    assert len(fetching.asked) < 20
    assert fetching.moved < len(BODY) + MIB


def test_jumps_over_gigabytes_move_kilobytes_and_a_second_look_moves_nothing() -> None:
    fetching = Fetching(5 << 30)
    places = range(0, 5 << 30, 4 * MIB)
    for at in places:
        fetching.blocks.read(at, 8)
        fetching.blocks.read(at + 100, 43)
    assert fetching.moved < len(places) * (5 << 10) + MIB
    before = fetching.moved
    for at in places:
        fetching.blocks.read(at, 8)
        fetching.blocks.read(max(at - 2, 0), 2)
    assert fetching.moved == before


def test_what_was_looked_at_while_reading_through_is_known_at_the_second_look() -> None:
    fetching = Fetching()
    places = range(0, len(BODY) - 300_000, 300_000)
    for at in places:
        fetching.blocks.read(at, 8)
    before = fetching.moved
    for at in places:
        fetching.blocks.read(at, 8)
        fetching.blocks.read(at + 8, 100)
    assert fetching.moved == before


def test_what_is_held_is_bounded() -> None:
    fetching = Fetching(5 << 30)
    for at in range(0, 100 * MIB, 1000):
        fetching.blocks.read(at, 8)
    held = fetching.blocks._blocks._bytes + fetching.blocks._places._bytes  # noqa: SLF001 - memory is the point
    assert held <= 28 * MIB
