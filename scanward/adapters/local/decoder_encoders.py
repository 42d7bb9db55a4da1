"""Arrays to lossless codestreams; runs in the decoder's child only (PS3.5 8.2, A.4)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from scanward.adapters.local.decoder_codecs import decoded, native_bytes
from scanward.dicom.structure.syntaxes import EXPLICIT_LITTLE_ENDIAN
from scanward.ports.decoder import Image, Recode, Undecodable

Samples = NDArray[Any]
_COLOURS: Final = 3
_BYTE: Final = 8
_SEGMENTS: Final = 15
_WIDEST: Final = 16


def recoded(task: Recode) -> bytes:
    """Return a frame in its target transfer syntax. Raises Undecodable, and whatever a codec raises."""
    samples = decoded(task.frame, task.source, task.image)
    if task.target == EXPLICIT_LITTLE_ENDIAN:
        return native_bytes(samples, task.image)
    return _ENCODERS[task.target](samples, task.image)


def _check_width(image: Image, codec: str) -> None:
    if image.floating or image.allocated not in {_BYTE, _WIDEST}:
        raise Undecodable(f"{codec} holds samples of 8 and 16 bits.")
    if image.samples not in {1, _COLOURS}:
        raise Undecodable(f"{codec} holds one sample a pixel, or three.")


def _unsigned(samples: Samples, bits: int) -> Samples:
    """Return the low bits of samples, sign included: those codecs know no sign."""
    plain: Samples = np.ascontiguousarray(samples).view(f"u{samples.dtype.itemsize}")
    low: Samples = plain & plain.dtype.type((1 << bits) - 1)
    return low


def _precision(samples: Samples, image: Image) -> int:
    """Return Bits Stored, or Bits Allocated where something lies in the bits above (old overlays)."""
    low, high = (-(1 << image.stored - 1), 1 << image.stored - 1) if image.signed else (0, 1 << image.stored)
    fits = low <= int(samples.min()) and int(samples.max()) < high
    return image.stored if fits else image.allocated


def _jpeg(samples: Samples, image: Image) -> bytes:
    """JPEG Lossless, first-order prediction (process 14, selection value 1)."""
    _check_width(image, "JPEG Lossless")
    bits = _precision(samples, image)
    if bits < 2:  # noqa: PLR2004 - T.81 Table B.2
        raise Undecodable("JPEG Lossless holds samples of 2 bits and more.")
    colours = "YCbCr" if image.photometric.startswith("YBR_FULL") else "RGB"
    space = "GRAYSCALE" if image.samples == 1 else colours
    return bytes(
        imagecodecs.jpeg8_encode(
            _unsigned(samples, bits),
            colorspace=space,
            outcolorspace=space,
            lossless=True,
            predictor=1,
            bitspersample=bits,
        )
    )


def _jpeg_ls(samples: Samples, image: Image) -> bytes:
    _check_width(image, "JPEG-LS")
    return bytes(imagecodecs.jpegls_encode(_unsigned(samples, image.allocated), level=0))


def _jpeg_2000(samples: Samples, image: Image) -> bytes:
    _check_width(image, "JPEG 2000")
    return bytes(
        imagecodecs.jpeg2k_encode(
            np.ascontiguousarray(samples),
            level=0,
            codecformat="J2K",
            colorspace="GRAY" if image.samples == 1 else "SRGB",
            bitspersample=_precision(samples, image),
            reversible=True,
            mct=_is_transformed(image),
            numthreads=1,
        )
    )


def _high_throughput(samples: Samples, image: Image) -> bytes:
    _check_width(image, "HTJ2K")
    return bytes(
        imagecodecs.htj2k_encode(np.ascontiguousarray(samples), reversible=True, rgb=_is_transformed(image))
    )


def _is_transformed(image: Image) -> bool:
    """Return whether the codestream shall hold YBR_RCT: only what is red, green and blue gains by it."""
    return image.samples == _COLOURS and not image.photometric.startswith("YBR_FULL")


def _rle(samples: Samples, image: Image) -> bytes:
    """RLE: one segment a byte of each sample, each row by itself (PS3.5 G.3.1)."""
    width = max(image.allocated // _BYTE, 1)
    if image.allocated == 1 or width * image.samples > _SEGMENTS:
        raise Undecodable("RLE holds at most 15 bytes a pixel, and no single bits.")
    plain = np.ascontiguousarray(samples).view(np.uint8)
    planes = plain.reshape(image.rows, image.columns, image.samples, width)
    segments = []
    for sample in range(image.samples):
        for place in reversed(range(width)):
            plane = np.ascontiguousarray(planes[:, :, sample, place])
            packed = _packed(plane)
            segments.append(packed + b"\0" * (len(packed) & 1))
    offsets, at = [], 64
    for segment in segments:
        offsets.append(at)
        at += len(segment)
    head = struct.pack("<16I", len(segments), *offsets, *[0] * (_SEGMENTS - len(offsets)))
    return head + b"".join(segments)


def _packed(plane: Samples) -> bytes:
    if plane.shape[1] > 1:
        return bytes(imagecodecs.packbits_encode(plane, axis=-1))
    # A row of one byte is one literal run, which the codec does not take.
    return np.stack([np.zeros_like(plane), plane], axis=-1).tobytes()


_ENCODERS: Final[dict[str, Callable[[Samples, Image], bytes]]] = {
    "1.2.840.10008.1.2.4.70": _jpeg,
    "1.2.840.10008.1.2.4.80": _jpeg_ls,
    "1.2.840.10008.1.2.4.90": _jpeg_2000,
    "1.2.840.10008.1.2.4.201": _high_throughput,
    "1.2.840.10008.1.2.5": _rle,
}
