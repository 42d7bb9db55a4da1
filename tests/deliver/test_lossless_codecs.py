"""What is compressed anew comes back sample for sample, and other implementations read it (PS3.5 8.2)."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, CTImageStorage

from scanward.adapters.local.decoder_encoders import recoded
from scanward.deliver.transcode import HTJ2K, JPEG_2000, JPEG_LOSSLESS, JPEG_LS, RLE
from scanward.dicom.structure.syntaxes import EXPLICIT_LITTLE_ENDIAN
from scanward.ports.decoder import Image, Recode, Undecodable

pytestmark = pytest.mark.unit

MANY = np.random.default_rng(7)
IMAGES = {
    "unsigned of 8 bits": (Image(61, 47, 1, 8, 8, signed=False, photometric="MONOCHROME2"), 0, 256),
    "signed of 8 bits": (Image(61, 47, 1, 8, 8, signed=True, photometric="MONOCHROME2"), -128, 128),
    "unsigned of 12 bits": (Image(61, 47, 1, 16, 12, signed=False, photometric="MONOCHROME2"), 0, 4096),
    "signed of 12 bits": (Image(61, 47, 1, 16, 12, signed=True, photometric="MONOCHROME2"), -2048, 2048),
    "signed of 16 bits": (Image(61, 47, 1, 16, 16, signed=True, photometric="MONOCHROME2"), -32768, 32768),
    "overlays in high bits": (Image(61, 47, 1, 16, 12, signed=False, photometric="MONOCHROME1"), 0, 65536),
    "signed, over its bits": (
        Image(61, 47, 1, 16, 12, signed=True, photometric="MONOCHROME2"),
        -32768,
        32768,
    ),
    "colours by pixel": (Image(61, 47, 3, 8, 8, signed=False, photometric="RGB"), 0, 256),
    "colours by plane": (Image(61, 47, 3, 8, 8, signed=False, photometric="RGB", planar=1), 0, 256),
    "luminance and chroma": (Image(61, 47, 3, 8, 8, signed=False, photometric="YBR_FULL"), 0, 256),
    "colours of 16 bits": (Image(61, 47, 3, 16, 16, signed=False, photometric="RGB"), 0, 65536),
    "a single pixel": (Image(1, 1, 1, 16, 12, signed=False, photometric="MONOCHROME2"), 0, 4096),
    "a single row": (Image(1, 300, 1, 8, 8, signed=False, photometric="MONOCHROME2"), 0, 256),
    "a single column": (Image(300, 1, 1, 8, 8, signed=False, photometric="MONOCHROME2"), 0, 256),
    "a palette": (Image(61, 47, 1, 8, 8, signed=False, photometric="PALETTE COLOR"), 0, 256),
}
WIDE = Image(5, 7, 1, 32, 32, signed=False, photometric="MONOCHROME2")


def frame_of(name: str) -> tuple[Image, bytes]:
    image, low, high = IMAGES[name]
    size = image.rows * image.columns * image.samples
    values = MANY.normal((low + high) / 2, (high - low) / 8, size).clip(low, high - 1)
    return image, values.astype(f"<{'i' if image.signed else 'u'}{image.allocated // 8}").tobytes()


@pytest.mark.parametrize("target", [JPEG_LOSSLESS, JPEG_LS, JPEG_2000, HTJ2K, RLE])
@pytest.mark.parametrize("name", IMAGES)
def test_a_frame_comes_back_as_it_was(name: str, target: str) -> None:
    image, frame = frame_of(name)
    coded = recoded(Recode(frame, EXPLICIT_LITTLE_ENDIAN, image, target))
    assert coded != frame
    assert recoded(Recode(coded, target, image, EXPLICIT_LITTLE_ENDIAN)) == frame


@pytest.mark.parametrize("target", [JPEG_LS, JPEG_2000, HTJ2K, RLE])
@pytest.mark.parametrize("name", [name for name in IMAGES if "high" not in name and "over" not in name])
def test_pydicom_reads_what_was_compressed(name: str, target: str) -> None:
    image, frame = frame_of(name)
    if image.planar and target in {JPEG_2000, HTJ2K}:
        pytest.skip("the two know colours by pixel only, and an object of theirs says so")
    dataset = object_of(image, recoded(Recode(frame, EXPLICIT_LITTLE_ENDIAN, image, target)), target)
    found, _ = get_decoder(UID(target)).as_array(dataset, raw=True)
    np.testing.assert_array_equal(found.reshape(-1), by_pixel(frame, image, found.dtype))


@pytest.mark.parametrize("name", [name for name in IMAGES if "plane" not in name])
def test_dcmtk_reads_lossless_jpeg(name: str, tmp_path: Path) -> None:
    image, frame = frame_of(name)
    coded = recoded(Recode(frame, EXPLICIT_LITTLE_ENDIAN, image, JPEG_LOSSLESS))
    dataset = object_of(image, coded, JPEG_LOSSLESS)
    dataset.save_as(tmp_path / "coded.dcm", enforce_file_format=True)
    subprocess.run(
        ["dcmdjpeg", "+cn", tmp_path / "coded.dcm", tmp_path / "plain.dcm"], check=True, timeout=60
    )
    made = pydicom.dcmread(tmp_path / "plain.dcm").PixelData[: len(frame)]
    np.testing.assert_array_equal(significant(made, image), significant(frame, image))


@pytest.mark.parametrize("target", [JPEG_LOSSLESS, JPEG_LS, JPEG_2000, HTJ2K])
def test_what_a_codec_cannot_hold_is_refused_and_not_cut(target: str) -> None:
    with pytest.raises(Undecodable, match="8 and 16 bits"):
        recoded(Recode(bytes(4 * 35), EXPLICIT_LITTLE_ENDIAN, WIDE, target))


def test_rle_holds_wide_samples() -> None:
    frame = MANY.integers(0, 2**32, 35, np.uint32).astype("<u4").tobytes()
    coded = recoded(Recode(frame, EXPLICIT_LITTLE_ENDIAN, WIDE, RLE))
    assert recoded(Recode(coded, RLE, WIDE, EXPLICIT_LITTLE_ENDIAN)) == frame


def by_pixel(frame: bytes, image: Image, dtype: np.dtype[Any]) -> NDArray[Any]:
    values = np.frombuffer(frame, dtype)
    return values.reshape(3, -1).T.reshape(-1) if image.planar else values


def significant(frame: bytes, image: Image) -> NDArray[Any]:
    """Return the bits that say something: DCMTK leaves the sign out of the bits above Bits Stored."""
    values = np.frombuffer(frame, f"<u{image.allocated // 8}")
    return values & ((1 << (image.stored if image.signed else image.allocated)) - 1)


def object_of(image: Image, frame: bytes, syntax: str) -> pydicom.Dataset:
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = image.rows, image.columns, image.samples
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = (
        image.allocated,
        image.stored,
        image.stored - 1,
    )
    dataset.PixelRepresentation = int(image.signed)
    dataset.PhotometricInterpretation = image.photometric
    if image.samples > 1:
        dataset.PlanarConfiguration = image.planar
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    return dataset
