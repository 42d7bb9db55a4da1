from __future__ import annotations

import random
import time
from contextlib import suppress

import pytest

from scanward.dicom import tokenizer
from scanward.dicom.instance import describe
from scanward.dicom.structure import check
from scanward.errors import InvalidDicom
from tests.dicom.real import files
from tests.hostile import build as b

_LARGEST = 60_000
_PIECES = (
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"SQ\0\0",
    b"UN\0\0",
    b"OB\0\0",
    b.item(b"", b.UNDEFINED),
    b.ITEM_END,
    b.SEQUENCE_END,
    b.explicit(b.REFERENCED_TAG, "SQ", b"", b.UNDEFINED),
    b.explicit(b.PIXELS_TAG, "OW", b"", b.UNDEFINED),
    b"\x10\0",
)


def _sources() -> list[bytes]:
    return [
        path.read_bytes() for path in files() if path.stat().st_size < _LARGEST and "IM0000" not in path.name
    ]


def _mutated(source: bytes, sources: list[bytes], rng: random.Random) -> bytes:
    made = bytearray(source)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at = rng.randrange(min(len(made), 4_000) or 1)
        kind = rng.randrange(6)
        if kind == 0:
            made[at : at + 1] = rng.randbytes(1)
        elif kind == 1:
            piece = rng.choice(_PIECES)
            made[at : at + len(piece)] = piece
        elif kind == 2:
            made[at:at] = rng.choice(_PIECES)
        elif kind == 3:
            del made[at : at + rng.choice((1, 2, 4, 8, 16, 100))]
        elif kind == 4:
            del made[rng.randrange(len(made) or 1) :]
        else:
            other = rng.choice(sources)
            made[at:] = other[rng.randrange(len(other)) :]
    return bytes(made)


@pytest.mark.parametrize(
    ("seed", "count"),
    [pytest.param(1, 2_000, marks=pytest.mark.unit), pytest.param(2, 60_000, marks=pytest.mark.slow)],
)
def test_mutated_real_files_are_passed_or_refused_at_once_and_nothing_else(seed: int, count: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - reproducible
    sources = _sources()
    passed = 0
    for _ in range(count):
        view = memoryview(_mutated(rng.choice(sources), sources, rng))
        start = time.process_time()
        with suppress(InvalidDicom):
            structure = check(view)
            describe(view, structure)
            body = len(structure.dataset_view(view))
            assert all(len(attribute.value) <= body for attribute in tokenizer.walk(view, structure))
            passed += 1
        assert time.process_time() - start < 5
    assert 0 < passed < count
