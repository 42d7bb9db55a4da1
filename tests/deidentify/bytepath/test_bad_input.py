from __future__ import annotations

import random
from io import BytesIO
from pathlib import Path

import pytest

from bench.corpus import header
from tests.deidentify.bytepath.both import Both
from tests.dicom.real import content
from tests.hostile import build as b
from tests.hostile.corpus import CASES, Case

pytestmark = pytest.mark.unit

_MUTATIONS = 1500
_BASES = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_RLE.dcm")


@pytest.fixture(scope="module")
def both() -> Both:
    return Both()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_byte_path_lets_nothing_through_that_the_gate_refuses(
    both: Both, case: Case, tmp_path: Path
) -> None:
    path = case.build(tmp_path)
    if path.is_symlink() or not path.is_file() or case.rule == "link-outside":
        return
    error = both.assert_alike(path.read_bytes())
    if case.expected == "rejected":
        assert error == "Irregular"


def _mutated(raw: bytes, rng: random.Random) -> bytes:
    made, kind = bytearray(raw), rng.randrange(5)
    place = rng.randrange(128, min(len(made), 6000))
    if kind == 0:
        made[place] ^= 1 << rng.randrange(8)
    elif kind == 1:
        made[place] = rng.choice((0, 1, 2, 0x10, 0x7F, 0xFE, 0xFF))
    elif kind == 2:
        del made[place:]
    elif kind == 3:
        del made[place : place + rng.choice((1, 2, 4, 8, 12))]
    else:
        made[place:place] = rng.choice(
            (bytes(2), bytes(8), b.explicit(0x00081030, "LO", b"Doe "), b.SEQUENCE_END)
        )
    return bytes(made)


@pytest.mark.parametrize("name", _BASES)
def test_mutated_files_end_alike_both_ways(both: Both, name: str) -> None:
    rng = random.Random(name)  # noqa: S311 - mutations, no secret
    raw = bytes(content(name))
    for _ in range(_MUTATIONS // len(_BASES)):
        both.assert_alike(_mutated(raw, rng))


def _slice(index: int) -> bytes:
    made, file = header(0, index), BytesIO()
    made.Rows = made.Columns = 4
    made.add_new(0x7FE00010, "OW", bytes(32))
    made.save_as(file, enforce_file_format=True)
    return file.getvalue()


def test_mutated_slices_of_a_series_that_was_seen_before_end_alike_both_ways(both: Both) -> None:
    rng = random.Random(1)  # noqa: S311 - mutations, no secret
    ends = []
    for index in range(60):
        raw = _slice(index)
        assert not both.assert_alike(raw)
        ends += [both.assert_alike(_mutated(raw, rng)) for _ in range(5)]
    assert set(ends) == {"", "Irregular"}


_SMALL = b.part10(
    b.ct({
        0x00080005: b.explicit(0x00080005, "CS", b"ISO_IR 100"),
        0x00080020: b.explicit(0x00080020, "DA", b"20200131"),
        b.REFERENCED_TAG: b.open_sequence(b.item(b.explicit(0x00081155, "UI", b.uid("1.2.3.4")))),
        0x00291010: b.explicit(0x00290010, "LO", b"MAKER 1 ") + b.explicit(0x00291001, "UN", b"text"),
        0xFFFCFFFC: b.explicit(0xFFFCFFFC, "OB", bytes(4)),
    })
)  # fmt: skip


def test_every_cut_of_an_object_ends_alike_both_ways(both: Both) -> None:
    ends = {both.assert_alike(_SMALL[:size]) for size in range(len(_SMALL))}
    assert not both.assert_alike(_SMALL)
    assert "Irregular" in ends


def test_every_flipped_bit_behind_the_preamble_ends_alike_both_ways(both: Both) -> None:
    for place in range(128, len(_SMALL)):
        for bit in (0, 3, 7):
            made = bytearray(_SMALL)
            made[place] ^= 1 << bit
            both.assert_alike(bytes(made))
