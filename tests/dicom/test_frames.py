"""Where frames lie, with pydicom's own readers as the oracle."""

from __future__ import annotations

import struct
import warnings
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import generate_frames

from scanward.dicom.frames import FrameTable, frame_table, unpacked
from scanward.dicom.structure import check
from scanward.errors import InvalidDicom
from tests.dicom.encapsulated import JPEG, JPEG_XL, encapsulated, jpeg
from tests.dicom.real import content, files, name_of
from tests.hostile import build as b

pytestmark = pytest.mark.unit


def frames_of(view: memoryview, table: FrameTable) -> list[bytes]:
    return [
        b"".join(bytes(view[span.offset : span.offset + span.length]) for span in table.spans(index))
        for index in range(table.count)
    ]


def by_pydicom(view: memoryview) -> list[bytes]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(BytesIO(view), force=True)
        count = int(dataset.get("NumberOfFrames") or 1)
        pixels = next(dataset[tag].value for tag in (0x7FE00008, 0x7FE00009, 0x7FE00010) if tag in dataset)
        if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
            return list(generate_frames(pixels, number_of_frames=count))
    length = len(pixels) // count
    return [bytes(pixels[index * length : (index + 1) * length]) for index in range(count)]


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_the_frames_of_a_real_file_are_pydicoms(path: Path) -> None:
    view = memoryview(path.read_bytes())
    try:
        structure = check(view)
    except InvalidDicom:
        pytest.skip("refused by the gate")
    table = frame_table(view, structure)
    if table is None:
        assert structure.pixel_tag is None or not structure.regular
        return
    if table.bits % 8 or bytes(view[128:132]) != b"DICM":
        pytest.skip("frames of single bits, or a coding that pydicom is not told")
    ours, theirs = frames_of(view, table), by_pydicom(view)
    assert len(ours) == len(theirs)
    # Padding behind the last native frame is of no frame.
    assert all(
        its.startswith(mine) and not its[len(mine) :].strip(b"\0")
        for mine, its in zip(ours, theirs, strict=True)
    )
    assert unpacked(table.packed()) == table


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 9))
def test_frames_of_single_bits_are_found_inside_their_bytes(count: int, rows: int, columns: int) -> None:
    bits = rows * columns
    table = FrameTable(count, bits, start=1000, end=1000 + (count * bits + 7) // 8)
    for index in range(count):
        (span,) = table.spans(index)
        assert span.offset == 1000 + index * bits // 8
        assert 8 * span.length >= index * bits % 8 + bits
        assert span.offset + span.length <= table.end


def test_a_frame_that_is_not_there_is_an_index_error() -> None:
    table = FrameTable(2, 8, 0, 2)
    for index in (-1, 2):
        with pytest.raises(IndexError):
            table.spans(index)


def several(told: str) -> tuple[list[bytes], memoryview]:
    """Return three frames of two fragments each, and an object that holds them."""
    frames = [jpeg(scan=bytes([value]) * 21) for value in (1, 2, 3)]
    halves = [half for frame in frames for half in (frame[:20], frame[20:])]
    lengths = [8 + len(half) + (len(half) & 1) for half in halves]
    offsets = [sum(lengths[: 2 * index]) for index in range(3)]
    table = struct.pack("<3I", *offsets) if told == "basic" else b""
    raw = encapsulated(JPEG, halves, table=table, frames=3)
    if told == "extended":
        at = raw.rindex(b.tag_bytes(b.PIXELS_TAG))
        starts = b.explicit(0x7FE00001, "OV", struct.pack("<3Q", *offsets))
        raw = (
            raw[:at] + starts + b.explicit(0x7FE00002, "OV", struct.pack("<3Q", *map(len, frames))) + raw[at:]
        )
    return frames, memoryview(raw)


@pytest.mark.parametrize("told", ["basic", "extended", "codestream"])
def test_frames_of_several_fragments_are_told_by_a_table_or_by_how_they_begin(told: str) -> None:
    frames, view = several(told)
    table = frame_table(view, check(view))
    assert table is not None
    assert frames_of(view, table) == frames
    assert unpacked(table.packed()) == table


def test_frames_that_nothing_tells_apart_have_no_table() -> None:
    image = bytes.fromhex("ff0a") + bytes(30)
    view = memoryview(encapsulated(JPEG_XL, [image, image, image], frames=2))
    assert frame_table(view, check(view)) is None


def test_big_tables_are_packed_small() -> None:
    fragments = tuple((1000 * n, 1000 * n + 900) for n in range(10_000))
    table = FrameTable(10_000, fragments=fragments, firsts=tuple(range(10_000)))
    assert len(table.packed()) == 21 + 24 * 10_000
    assert unpacked(table.packed()) == table
    assert struct.calcsize("<cQQI") == 21


@pytest.mark.parametrize("name", ["image_dfl.dcm", "MR_small_bigendian.dcm"])
def test_bytes_that_no_client_can_use_as_they_lie_have_no_table(name: str) -> None:
    view = content(name)
    assert frame_table(view, check(view)) is None
