"""What lies in compressed pixels beside the image is found; the image decodes to the same samples without."""

from __future__ import annotations

import struct
import warnings
from io import BytesIO

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import UID

from scanward.dicom.pieces import Span
from scanward.dicom.structure import (
    check,
    residue,
    residue_jpeg,
    residue_jpeg_2000,
    residue_rle,
    residues,
    without,
)
from scanward.dicom.structure.fragments import FrameBytes, Steps, Unread
from scanward.dicom.structure.pixels import ImageShape
from scanward.errors import InvalidDicom
from tests.deidentify.objects import TEST_FILES
from tests.dicom.encapsulated import (
    JPEG,
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    JPEG_XL,
    NEEDLE,
    RAW,
    RLE,
    comment,
    encapsulated,
    jpeg,
    jpeg_2000,
    rle,
    segment,
)

pytestmark = pytest.mark.unit

# No permissive decoder reads these (12 bits, lossless JPEG); at most the byte that pads them is touched.
UNDECODED = {"JPEG-lossy.dcm", "JPGExtended.dcm", "SC_rgb_jpeg_gdcm.dcm"}
WRAPPED = "GDCMJ2K_TextGBR.dcm"


def found(file: bytes) -> list[bytes]:
    view = memoryview(file)
    encapsulation = check(view).encapsulation
    assert encapsulation is not None
    return [file[one.start : one.stop] for one in residues(view, encapsulation)]


def blanked(file: bytes) -> bytes:
    view = memoryview(file)
    encapsulation = check(view).encapsulation
    assert encapsulation is not None
    pieces = without(Span(0, len(file)), residues(view, encapsulation))
    return b"".join(
        file[one.offset : one.offset + one.length] if isinstance(one, Span) else one for one in pieces
    )


def real_names() -> list[str]:
    names = []
    for path in sorted(TEST_FILES.glob("*.dcm")):
        try:
            structure = check(memoryview(path.read_bytes()))
        except InvalidDicom:
            continue
        if structure.encapsulation is not None and path.name != WRAPPED:
            names.append(path.name)
    return names


@pytest.mark.parametrize("name", real_names())
def test_a_real_image_decodes_to_the_same_samples_without_its_residues(name: str) -> None:
    file = (TEST_FILES / name).read_bytes()
    made = blanked(file)
    assert len(made) == len(file)
    assert not found(made)
    if name in UNDECODED:
        assert all(one == b"\xff" for one in found(file))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, after = (pydicom.dcmread(BytesIO(one)).pixel_array for one in (file, made))
    assert np.array_equal(before, after)


def test_enough_real_images_of_each_codec_are_compared() -> None:
    syntaxes = [pydicom.dcmread(TEST_FILES / name).file_meta.TransferSyntaxUID for name in real_names()]
    assert len(syntaxes) > 30
    assert {UID(JPEG), UID(JPEG_LS), UID(JPEG_2000), UID(RLE)} <= set(syntaxes)


def test_a_creator_named_in_a_real_codestream_is_found() -> None:
    assert found((TEST_FILES / "examples_jpeg2k.dcm").read_bytes())[0] == b"\0\1Kakadu-2.2"


def test_boxes_around_a_real_codestream_are_not_passed() -> None:
    with pytest.raises(Unread):
        found((TEST_FILES / WRAPPED).read_bytes())


SOUND = {
    "jpeg": (JPEG, jpeg()),
    "progressive, several scans": (
        JPEG,
        jpeg(scan=b"\1\xff\0\2\xff\xd0\3" + segment(0xDA, b"\1\1\0\1\5\0") + b"\xff\0", start_of_frame=0xC2),
    ),
    "filling": (JPEG, jpeg(b"\xff\xff")),
    "restart without a scan": (JPEG, jpeg(b"\xff\xd0")),
    "jfif": (JPEG, jpeg(segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"))),
    "adobe": (JPEG, jpeg(segment(0xEE, b"Adobe\0d\0\0\0\0\1"))),
    "tables": (JPEG, jpeg(segment(0xDB, bytes(130)) + segment(0xC4, b"\0" + b"\1" + bytes(15) + b"\5"))),
    "restart": (JPEG, jpeg(segment(0xDD, b"\0\1"))),
    "lossless": (JPEG_LOSSLESS, jpeg(start_of_frame=0xC3)),
    "jpeg-ls": (JPEG_LS, jpeg(scan=b"\1\xff\x7f\2", start_of_frame=0xF7)),
    "jpeg 2000": (JPEG_2000, jpeg_2000()),
    "jpeg 2000, length left out": (JPEG_2000, jpeg_2000(sized=False)),
    "jpeg 2000, end left out": (JPEG_2000, jpeg_2000()[:-2]),
    "rle": (RLE, rle()),
    "rle of literal runs": (RLE, rle(runs=b"\x1f" + bytes(32) + b"\x80\x1f" + bytes(32))),
    "rle too short": (RLE, rle(runs=b"\xf0\7")),
    "raw": (RAW, bytes(64)),
    "zeros behind": (JPEG, jpeg(tail=bytes(40))),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_frame_that_holds_nothing_else_is_left_alone(name: str) -> None:
    syntax, frame = SOUND[name]
    assert found(encapsulated(syntax, [frame])) == []


HIDING = {
    "comment": (JPEG, jpeg(segment(0xFE, NEEDLE))),
    "comment between scans": (
        JPEG,
        jpeg(scan=b"\1\2" + segment(0xFE, NEEDLE) + segment(0xDA, b"\1\1\0\1\5\0")),
    ),
    "exif": (JPEG, jpeg(segment(0xE1, b"Exif\0\0" + NEEDLE))),
    "thumbnail": (JPEG, jpeg(segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\4\4" + NEEDLE))),
    "reserved": (JPEG, jpeg(segment(0x10, NEEDLE))),
    "behind": (JPEG, jpeg(tail=NEEDLE)),
    "lossless": (JPEG_LOSSLESS, jpeg(segment(0xFE, NEEDLE), start_of_frame=0xC3)),
    "jpeg-ls": (JPEG_LS, jpeg(segment(0xE8, NEEDLE), scan=b"\xff\x7f", start_of_frame=0xF7)),
    "jpeg-ls behind": (JPEG_LS, jpeg(tail=NEEDLE, scan=b"\xff\x7f", start_of_frame=0xF7)),
    "jpeg 2000": (JPEG_2000, jpeg_2000(comment())),
    "jpeg 2000, tile": (JPEG_2000, jpeg_2000(in_tile=comment())),
    "jpeg 2000, behind": (JPEG_2000, jpeg_2000(tail=NEEDLE)),
    "jpeg 2000, length left out": (JPEG_2000, jpeg_2000(tail=NEEDLE, sized=False)),
    "rle header": (RLE, rle(slack=NEEDLE.ljust(56, b"\0"))),
    "rle behind": (RLE, rle(tail=NEEDLE)),
    "rle, last literal": (RLE, rle(runs=b"\xc2\7" + bytes([len(NEEDLE)]) + b"\0" + NEEDLE)),
}


@pytest.mark.parametrize("name", HIDING)
def test_text_in_a_frame_is_overwritten_where_it_lies(name: str) -> None:
    syntax, frame = HIDING[name]
    file = encapsulated(syntax, [frame])
    made = blanked(file)
    assert NEEDLE in file
    assert NEEDLE[:-1] not in made
    assert len(made) == len(file)
    assert found(made) == []


@pytest.mark.parametrize("name", HIDING)
def test_it_is_found_wherever_a_fragment_ends(name: str) -> None:
    syntax, frame = HIDING[name]
    read = 0
    for cut in range(2, len(frame) - 1, 2):
        file = encapsulated(syntax, [frame[:cut], frame[cut:]])
        try:
            made = blanked(file)
        except InvalidDicom:
            # The gate wants a frame's header in its first fragment.
            continue
        read += 1
        assert not any(NEEDLE[at : at + 4] in made[-300:] for at in range(len(NEEDLE) - 4))
        assert len(made) == len(file)
    assert read


UNREADABLE = {
    "no end": (JPEG, jpeg()[:-2]),
    "bytes between segments": (JPEG, jpeg().replace(b"\xff\xda", NEEDLE + b"\xff\xda")),
    "long scan header": (JPEG, jpeg(scan=segment(0xDA, b"\1\1\0\1\5\0" + NEEDLE))),
    "long table": (JPEG, jpeg(segment(0xDB, bytes(65) + NEEDLE))),
    "segment too long": (JPEG, jpeg(scan=b"\1\xff\xfe\xff\xff")),
    "boxes": (JPEG_2000, b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\0jp2c" + jpeg_2000()),
    "unknown segment": (JPEG_2000, jpeg_2000(segment(0x6F, NEEDLE))),
    "bytes between tile-parts": (JPEG_2000, jpeg_2000()[:-2] + NEEDLE),
    "tile-part too long": (JPEG_2000, jpeg_2000()[:-8]),
    "jpeg xl": (JPEG_XL, b"\xff\x0a" + NEEDLE),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_frame_that_cannot_be_walked_is_not_passed(name: str) -> None:
    syntax, frame = UNREADABLE[name]
    with pytest.raises(Unread):
        found(encapsulated(syntax, [frame]))


def test_fragments_that_no_frame_owns_are_overwritten() -> None:
    padded = NEEDLE + b"\0" * (len(NEEDLE) & 1)
    assert found(encapsulated(JPEG, [jpeg(), NEEDLE])) == [padded]
    assert found(encapsulated(JPEG, [jpeg(), NEEDLE], table=bytes(4))) == [padded]


def test_frames_of_unknown_limits_are_not_passed() -> None:
    with pytest.raises(Unread):
        found(encapsulated(JPEG, [jpeg(), jpeg(), NEEDLE], frames=2))


def test_the_offset_table_tells_which_fragments_make_a_frame() -> None:
    first = jpeg(tail=NEEDLE)
    first += b"\0" * (len(first) & 1)
    table = struct.pack("<2I", 0, 16 + len(first))
    file = encapsulated(JPEG, [first[:40], first[40:], jpeg()], table=table, frames=2)
    assert NEEDLE.rstrip() in b"".join(found(file))
    assert table in blanked(file)


@pytest.mark.parametrize("table", [NEEDLE, b"\1\0\0\0", struct.pack("<I", 8 + len(jpeg()) + len(jpeg()) % 2)])
def test_an_offset_table_that_names_no_frames_is_emptied(table: bytes) -> None:
    file = encapsulated(JPEG, [jpeg(), jpeg()], table=table)
    made = blanked(file)
    assert len(made) == len(file) - len(table) - len(table) % 2
    assert check(memoryview(made)).warnings == ()
    assert NEEDLE not in made


def test_the_length_of_the_last_delimiter_is_made_zero() -> None:
    file = encapsulated(JPEG, [jpeg()], delimiter_length=0x41424344)
    assert blanked(file).endswith(b"\xfe\xff\xdd\xe0\0\0\0\0")


def test_markers_without_end_are_not_walked() -> None:
    frame = FrameBytes(memoryview(b"ab"), [(0, 2)])
    assert frame.read(0, 9) == b"ab"
    steps = Steps(2)
    steps.take()
    steps.take()
    with pytest.raises(Unread):
        steps.take()


def test_large_residues_take_no_memory() -> None:
    file = encapsulated(JPEG, [jpeg(tail=b"x" * (4 << 20))])
    view = memoryview(file)
    encapsulation = check(view).encapsulation
    assert encapsulation is not None
    pieces = without(Span(0, len(file)), residues(view, encapsulation))
    buffers = {id(one): len(one) for one in pieces if isinstance(one, bytes)}
    assert sum(buffers.values()) < 1 << 18
    assert blanked(file).count(b"x") < 10


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([JPEG, JPEG_LS, JPEG_2000, RLE]), st.data())
def test_whatever_is_flipped_a_frame_is_walked_or_not_passed(syntax: str, data: st.DataObject) -> None:
    whole = {
        JPEG: jpeg(segment(0xFE, NEEDLE), NEEDLE),
        JPEG_LS: jpeg(segment(0xFE, NEEDLE), NEEDLE, 0xF7),
        JPEG_2000: jpeg_2000(comment(), NEEDLE, comment()),
        RLE: rle(tail=NEEDLE),
    }
    frame = bytearray(whole[syntax])
    for at in data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=4)):
        frame[at] = data.draw(st.integers(0, 255))
    file = encapsulated(syntax, [bytes(frame)])
    try:
        once = blanked(file)
        again = blanked(once)
    except (Unread, InvalidDicom):
        return
    assert again == once


SHAPE = ImageShape(8, 8, 1, 1, 8, 8, signed=False, subsampled=False)
MALFORMED = {
    "jpeg without start": (residue_jpeg.jpeg, b"xx" + jpeg()),
    "jpeg that stops": (residue_jpeg.jpeg, b"\xff\xd8\xff"),
    "segment shorter than its length": (residue_jpeg.jpeg, b"\xff\xd8\xff\xfe\0\1"),
    "segment longer than the frame": (residue_jpeg.jpeg, b"\xff\xd8\xff\xfe\0\x09xx"),
    "no codestream": (residue_jpeg_2000.jpeg_2000, b"xxxx"),
    "size of another length": (residue_jpeg_2000.jpeg_2000, b"\xff\x4f" + segment(0x51, bytes(40))),
    "main segment longer than the frame": (residue_jpeg_2000.jpeg_2000, b"\xff\x4f\xff\x52\0\x09"),
    "tile-part header of another length": (
        residue_jpeg_2000.jpeg_2000,
        b"\xff\x4f" + segment(0x90, bytes(9)),
    ),
    "rle header too short": (residue_rle.rle, bytes(63)),
    "rle without segments": (residue_rle.rle, bytes(64)),
    "rle segments before the header's end": (residue_rle.rle, struct.pack("<2I", 1, 60) + bytes(70)),
    "rle segments in disorder": (residue_rle.rle, struct.pack("<3I", 2, 64, 9) + bytes(70)),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_frame_is_not_passed_even_without_the_gate(name: str) -> None:
    reader, frame = MALFORMED[name]
    with pytest.raises(Unread):
        list(reader(FrameBytes(memoryview(frame), [(0, len(frame))]), SHAPE, Steps(99)))


@pytest.mark.parametrize("before", [(256 << 10) + at for at in range(-1, 2)])
def test_a_marker_is_found_wherever_a_chunk_ends(before: int) -> None:
    frame = jpeg(scan=bytes(before) + segment(0xFE, NEEDLE) + segment(0xDA, b"\1\1\0\1\5\0"))
    assert found(encapsulated(JPEG, [frame])) == [NEEDLE]


def test_runs_are_followed_across_chunks() -> None:
    rows = 1 << 11
    runs = (b"\x7f" + bytes(128)) * (rows * rows // 128)
    frame = struct.pack("<2I", 1, 64) + bytes(56) + runs + NEEDLE
    shape = ImageShape(rows, rows, 1, 1, 8, 8, signed=False, subsampled=False)
    ranges = list(residue_rle.rle(FrameBytes(memoryview(frame), [(0, len(frame))]), shape, Steps(9)))
    assert ranges[-1] == (64 + len(runs), len(frame))


def test_bits_are_packed_in_rle_segments() -> None:
    shape = ImageShape(8, 8, 1, 1, 1, 1, signed=False, subsampled=False)
    frame = rle(runs=b"\xf9\7", tail=NEEDLE)
    ranges = list(residue_rle.rle(FrameBytes(memoryview(frame), [(0, len(frame))]), shape, Steps(9)))
    assert ranges[-1] == (66, len(frame))


def test_more_residues_than_can_be_kept_are_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residue, "_MOST_RESIDUES", 2)
    with pytest.raises(Unread):
        found(encapsulated(JPEG, [jpeg(segment(0xFE, NEEDLE) * 3)]))
