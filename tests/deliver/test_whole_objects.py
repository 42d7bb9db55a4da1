"""Whole objects in another transfer syntax: the same samples, the same attributes, sound at the gate."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pydicom
import pytest
from pydicom.pixels.decoders.base import get_decoder

from scanward.adapters.local.decoder import ChildDecoder
from scanward.deliver.transcode import HTJ2K, JPEG_2000, JPEG_LS, RLE, Frames
from scanward.deliver.whole import transcoded
from scanward.dicom.frames import packed_table
from scanward.dicom.structure import check
from scanward.dicom.structure.syntaxes import EXPLICIT_LITTLE_ENDIAN
from scanward.ports.decoder import Undecodable
from scanward.ports.object_store import ObjectStore, Zone
from scanward.ports.search import Entry
from tests.deliver.objects import FILES, described, reference, view_of, with_pixels

pytestmark = pytest.mark.integration

# Pixel Data, Photometric Interpretation, Planar Configuration, and the padding behind the pixels.
CHANGED = {"7FE00010", "00280004", "00280006", "FFFCFFFC"}


@dataclass(frozen=True)
class _View:
    view: memoryview


class _Files:
    """Pydicom's files as a store: their names are the keys."""

    @contextmanager
    def open(self, _zone: Zone, key: str) -> Iterator[_View]:
        yield _View(view_of(key))


@pytest.fixture(scope="module")
def frames() -> Iterator[Frames]:
    """Return frames of pydicom's files."""
    running = Frames(cast("ObjectStore", _Files()), ChildDecoder())
    yield running
    running.decoder.close()


def entry_of(name: str) -> Entry:
    view = view_of(name)
    found = check(view)
    uids = found.study_uid, found.series_uid, found.instance_uid, found.sop_class_uid
    return Entry(name, len(view), *uids, found.transfer_syntax, b"", packed_table(view, found))


def made(frames: Frames, name: str, target: str) -> tuple[pydicom.FileDataset, bytes]:
    sink = io.BytesIO()
    assert transcoded(frames, Zone.RAW, entry_of(name), target, sink) == target
    return pydicom.dcmread(io.BytesIO(sink.getvalue())), sink.getvalue()


def attributes(dataset: pydicom.Dataset) -> dict[str, Any]:
    """Return what must not change; a group's length is retired, and true of its own file only (PS3.5 7.2)."""
    model = dataset.to_json_dict(suppress_invalid_tags=True)
    return {tag: value for tag, value in model.items() if tag not in CHANGED and tag[4:] != "0000"}


@pytest.mark.parametrize("target", [EXPLICIT_LITTLE_ENDIAN, JPEG_LS, JPEG_2000, HTJ2K, RLE])
@pytest.mark.parametrize("name", with_pixels())
def test_an_object_keeps_its_samples_and_attributes(
    name: str, target: str, frames: Frames, tmp_path: Path
) -> None:
    entry = entry_of(name)
    try:
        dataset, whole = made(frames, name, target)
    except Undecodable:
        assert described(view_of(name)).image.allocated in {1, 32}
        assert target != EXPLICIT_LITTLE_ENDIAN
        return
    assert check(memoryview(whole)).instance_uid == entry.instance_uid
    assert dataset.file_meta.TransferSyntaxUID == target
    expected = reference(name, tmp_path)
    again, _ = get_decoder(dataset.file_meta.TransferSyntaxUID).as_array(dataset, raw=True)
    np.testing.assert_array_equal(again.reshape(-1), expected.reshape(-1))
    assert attributes(dataset) == attributes(pydicom.dcmread(FILES / name))


def test_an_object_without_pixels_becomes_explicit(frames: Frames) -> None:
    sink = io.BytesIO()
    assert transcoded(frames, Zone.RAW, entry_of("rtplan.dcm"), RLE, sink) == EXPLICIT_LITTLE_ENDIAN
    again = pydicom.dcmread(io.BytesIO(sink.getvalue()))
    assert again.file_meta.TransferSyntaxUID == EXPLICIT_LITTLE_ENDIAN
    plain = pydicom.dcmread(FILES / "rtplan.dcm")
    assert again.to_json_dict() == plain.to_json_dict()


def test_what_loses_samples_is_not_made(frames: Frames) -> None:
    with pytest.raises(Undecodable):
        transcoded(frames, Zone.RAW, entry_of("CT_small.dcm"), "1.2.840.10008.1.2.4.50", io.BytesIO())


def test_fragments_are_told_by_a_table_of_offsets(frames: Frames) -> None:
    """PS3.5 A.4: each offset is that of a frame's own fragment."""
    _, whole = made(frames, "SC_rgb_rle_2frame.dcm", JPEG_LS)
    view = memoryview(whole)
    table = described(view).table
    assert (table.count, len(table.firsts), len(table.fragments)) == (2, 2, 2)
    assert [bytes(view[start : start + 2]) for start, _ in table.fragments] == [b"\xff\xd8"] * 2


def test_colours_are_named_as_the_codestream_holds_them(frames: Frames) -> None:
    """PS3.5 8.2: JPEG 2000 holds what is red, green and blue as YBR_RCT."""
    name = "SC_rgb_rle.dcm"
    assert made(frames, name, JPEG_2000)[0].PhotometricInterpretation == "YBR_RCT"
    assert made(frames, name, JPEG_LS)[0].PhotometricInterpretation == "RGB"
    assert made(frames, "examples_jpeg2k.dcm", EXPLICIT_LITTLE_ENDIAN)[0].PhotometricInterpretation == "RGB"
    subsampled = made(frames, "examples_ybr_color.dcm", EXPLICIT_LITTLE_ENDIAN)[0]
    assert subsampled.PhotometricInterpretation == "YBR_FULL"
