"""Pydicom's real files with pixels, and what pydicom or DCMTK decodes of them."""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import get_decoder

from scanward.deliver.pixels import Pixels, pixels_of
from scanward.dicom.frames import packed_table
from scanward.dicom.structure import check
from scanward.errors import InvalidDicom

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
# pydicom has no permissive codec for these; DCMTK decodes them.
OF_DCMTK = {"JPEG-lossy.dcm", "JPGExtended.dcm", "SC_rgb_jpeg_gdcm.dcm"}


def with_pixels() -> list[str]:
    """Return the files that the gate passes and that have pixels."""
    found = []
    for path in sorted(FILES.glob("*.dcm")):
        try:
            structure = check(memoryview(path.read_bytes()))
        except InvalidDicom:
            continue
        if structure.pixel_tag is not None:
            found.append(path.name)
    return found


def view_of(name: str) -> memoryview:
    return memoryview((FILES / name).read_bytes())


def described(view: memoryview) -> Pixels:
    structure = check(view)
    return pixels_of(view, structure.transfer_syntax, packed_table(view, structure))


def reference(name: str, folder: Path) -> NDArray[Any]:
    """Return all frames as another implementation decodes them, colours as they are stored."""
    path = FILES / name
    if name in OF_DCMTK:
        made = folder / name
        subprocess.run(["dcmdjpeg", "+cn", path, made], check=True, timeout=60)
        path = made
    dataset = pydicom.dcmread(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, _ = get_decoder(dataset.file_meta.TransferSyntaxUID).as_array(dataset, raw=True)
    return found


def samples_of(frame: bytes, pixels: Pixels, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a native frame as an array, by pixel."""
    image = pixels.image
    size = image.rows * image.columns * image.samples
    if image.allocated == 1:
        return np.unpackbits(np.frombuffer(frame, np.uint8), bitorder="little")[:size]
    values = np.frombuffer(frame, dtype.newbyteorder("<"))
    if image.planar and image.samples > 1:
        values = values.reshape(image.samples, image.rows, image.columns).transpose(1, 2, 0)
    return values.reshape(-1)
