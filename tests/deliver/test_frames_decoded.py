"""Decoded frames are what pydicom and DCMTK decode, in every transfer syntax of pydicom's files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest

from scanward.adapters.local.decoder import ChildDecoder
from scanward.adapters.local.decoder_encoders import recoded
from scanward.deliver.pixels import Pixels, frame_of
from scanward.dicom.frames import FrameTable
from scanward.dicom.structure.syntaxes import EXPLICIT_LITTLE_ENDIAN
from scanward.ports.decoder import Image, Recode
from tests.deliver.objects import described, reference, samples_of, view_of, with_pixels

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def decoder() -> Iterator[ChildDecoder]:
    """Return the children that all tests of this file share."""
    running = ChildDecoder()
    yield running
    running.close()


@pytest.mark.parametrize("name", with_pixels())
def test_decoded_frames_are_those_of_another_implementation(
    name: str, decoder: ChildDecoder, tmp_path: Path
) -> None:
    view = view_of(name)
    pixels = described(view)
    expected = reference(name, tmp_path)
    for index, one in enumerate(expected.reshape(pixels.table.count, -1)):
        task = Recode(frame_of(view, pixels, index), pixels.syntax, pixels.image, EXPLICIT_LITTLE_ENDIAN)
        assert decoder.run(task) == recoded(task)
        made = samples_of(decoder.run(task), pixels, expected.dtype)
        np.testing.assert_array_equal(made, one)


def test_every_codec_of_the_files_was_met() -> None:
    met = {described(view_of(name)).syntax for name in with_pixels()}
    stem = "1.2.840.10008.1.2."
    assert {stem + end for end in ("1", "5", "4.50", "4.51", "4.70", "4.80", "4.81", "4.90", "4.91")} <= met


def test_frames_of_single_bits_begin_with_their_own_bit() -> None:
    bits = np.random.default_rng(0).integers(0, 2, (3, 15)).astype(np.uint8)
    view = memoryview(np.packbits(bits.reshape(-1), bitorder="little").tobytes())
    image = Image(3, 5, 1, 1, 1, signed=False, photometric="MONOCHROME2")
    pixels = Pixels(FrameTable(3, 15, 0, len(view)), image, EXPLICIT_LITTLE_ENDIAN)
    for index, frame in enumerate(bits):
        assert frame_of(view, pixels, index) == np.packbits(frame, bitorder="little").tobytes()


def test_the_sign_is_the_attributes_where_a_codestream_says_otherwise() -> None:
    view = view_of("J2K_pixelrep_mismatch.dcm")
    pixels = described(view)
    frame = frame_of(view, pixels, 0)
    made = recoded(Recode(frame, pixels.syntax, pixels.image, EXPLICIT_LITTLE_ENDIAN))
    assert pydicom.dcmread(FILE_OF_SIGNS).PixelRepresentation == 1
    assert np.frombuffer(made, "<i2").min() < 0


FILE_OF_SIGNS = Path(pydicom.__file__).parent / "data" / "test_files" / "J2K_pixelrep_mismatch.dcm"
