"""Codestreams to arrays, in the decoder's child only. Sign and colour are the attributes' (PS3.5 8.2)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from scanward.dicom.structure.syntaxes import SYNTAXES, Codec
from scanward.ports.decoder import Image, Undecodable

Samples = NDArray[Any]
_HIGH_THROUGHPUT: Final = "1.2.840.10008.1.2.4.20"
_COLOURS: Final = 3
_BYTE: Final = 8
_RGB_IDS: Final = {b"RGB", b"rgb"}
# Markers of T.81 Table B.1, and the last byte of Adobe's segment (T.872 6.5.3), which names the transform.
_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LOSSLESS: Final = {0xC3, 0xC7, 0xCB, 0xCF}
_APP0, _APP14, _SCAN, _FILL = 0xE0, 0xEE, 0xDA, 0xFF
_ADOBE_BYTES: Final = 12


def decoded(frame: bytes, syntax: str, image: Image) -> Samples:
    """Return samples, rows x columns (x samples), in the colours that the attributes name.

    Subsampled colours come whole. Raises Undecodable, and whatever a codec raises.
    """
    codec = SYNTAXES[syntax].codec
    if codec in {Codec.NATIVE, Codec.RAW}:
        return native_samples(frame, image)
    decode = _DECODERS.get(codec)
    if decode is None:
        raise Undecodable(f"Nothing here decodes {codec.value}.")
    samples = decode(frame, syntax, image)
    if samples.shape[:2] != (image.rows, image.columns) or samples.size != _size(image):
        raise Undecodable("The codestream is of another size than the attributes say.")
    shape = (image.rows, image.columns) if image.samples == 1 else (image.rows, image.columns, image.samples)
    return _typed(samples.reshape(shape), image)


def _size(image: Image) -> int:
    return image.rows * image.columns * image.samples


def _typed(samples: Samples, image: Image) -> Samples:
    """Give samples the width and sign of the attributes.

    A codestream without a sign holds two's complement, of its Bits Stored or of all bits that are allocated.
    """
    if image.floating:
        return samples
    width = max(image.allocated // _BYTE, 1)
    wanted = np.dtype(f"<{'i' if image.signed else 'u'}{width}")
    if samples.dtype.kind == "i" and not image.signed:
        plain = samples.view(f"u{samples.dtype.itemsize}")
        return (plain & ((1 << min(image.stored, samples.dtype.itemsize * _BYTE)) - 1)).astype(wanted)
    if samples.dtype.kind == "i" or not image.signed or int(samples.max()) >> image.stored:
        return samples.astype(wanted)
    shift = width * _BYTE - image.stored
    return (samples.astype(wanted) << shift) >> shift


def native_samples(frame: bytes, image: Image) -> Samples:
    """Return native samples, little endian, as an array; chroma that pairs share is given to both."""
    if image.allocated == 1:
        bits = np.unpackbits(np.frombuffer(frame, np.uint8), count=_size(image), bitorder="little")
        return bits.reshape(image.rows, image.columns)
    kind = "f" if image.floating else "i" if image.signed else "u"
    values = np.frombuffer(frame, f"<{kind}{image.allocated // _BYTE}")
    if image.is_subsampled:
        return _from_pairs(values[: image.rows * image.columns * 2], image)
    values = values[: _size(image)]
    if image.samples == 1:
        return values.reshape(image.rows, image.columns)
    if image.planar:
        return values.reshape(image.samples, image.rows, image.columns).transpose(1, 2, 0)
    return values.reshape(image.rows, image.columns, image.samples)


def _from_pairs(values: Samples, image: Image) -> Samples:
    """Spread Y1 Y2 Cb Cr over two pixels (PS3.3 C.7.6.3.1.2)."""
    fours = values.reshape(-1, 4)
    whole = np.empty((len(fours), 2, _COLOURS), values.dtype)
    whole[:, :, 0] = fours[:, :2]
    whole[:, :, 1:] = fours[:, None, 2:]
    return whole.reshape(image.rows, image.columns, _COLOURS)


def native_bytes(samples: Samples, image: Image) -> bytes:
    """Return samples as Explicit VR Little Endian holds them, by pixel or by plane as the attributes say."""
    if image.allocated == 1:
        return np.packbits(samples.astype(bool).reshape(-1), bitorder="little").tobytes()
    little = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
    planes = image.samples > 1 and image.planar == 1
    return (little.transpose(2, 0, 1) if planes else little).tobytes()


def _jpeg(frame: bytes, _syntax: str, image: Image) -> Samples:
    if image.samples != _COLOURS:
        return _array(imagecodecs.jpeg8_decode(frame))
    found, is_lossless = _colours(frame, image)
    wanted = "YCbCr" if image.photometric.startswith("YBR_") else "RGB"
    # Nothing is converted where nothing may be lost: a lossless codestream's colours are the attributes'.
    found = wanted if is_lossless else found
    return _array(imagecodecs.jpeg8_decode(frame, colorspace=found, outcolorspace=wanted))


def _array(samples: object) -> Samples:
    return np.asarray(samples)


def _colours(frame: bytes, image: Image) -> tuple[str, bool]:
    """Return what colours a JPEG is coded in, and whether without loss.

    Its own markers say so, or the attributes do: JFIF is always YCbCr, Adobe's marker names its transform,
    and components may be named R, G and B.
    """
    segments = dict(reversed(_segments(frame)))
    frame_header = next((one for one in segments if one in _FRAME_HEADERS), 0)
    ids = segments.get(frame_header, b"")[6 : 6 + 3 * _COLOURS : 3]
    adobe = segments.get(_APP14, b"")
    said = "YCbCr" if image.photometric.startswith("YBR_") else "RGB"
    if segments.get(_APP0, b"").startswith(b"JFIF\0"):
        said = "YCbCr"
    elif adobe.startswith(b"Adobe") and len(adobe) >= _ADOBE_BYTES:
        said = "YCbCr" if adobe[_ADOBE_BYTES - 1] else "RGB"
    elif ids in _RGB_IDS:
        said = "RGB"
    return said, frame_header in _LOSSLESS


def _segments(frame: bytes) -> list[tuple[int, bytes]]:
    """Return a JPEG's marker segments before its first scan (T.81 B.1.1.4)."""
    found, at, head = [], 2, struct.Struct(">BBH")
    while at + head.size <= len(frame):
        begin, marker, length = head.unpack_from(frame, at)
        if begin != _FILL or marker == _SCAN:
            break
        if marker == _FILL:
            at += 1
            continue
        found.append((marker, frame[at + head.size : at + 2 + length]))
        at += 2 + length
    return found


def _jpeg_ls(frame: bytes, _syntax: str, _image: Image) -> Samples:
    return _array(imagecodecs.jpegls_decode(frame))


def _jpeg_2000(frame: bytes, syntax: str, _image: Image) -> Samples:
    if syntax.startswith(_HIGH_THROUGHPUT):
        return _array(imagecodecs.htj2k_decode(frame, planar=False))
    return _array(imagecodecs.jpeg2k_decode(frame, numthreads=1))


def _jpeg_xl(frame: bytes, _syntax: str, _image: Image) -> Samples:
    return _array(imagecodecs.jpegxl_decode(frame, numthreads=1))


def _rle(frame: bytes, _syntax: str, image: Image) -> Samples:
    """Join a frame's byte planes, the most significant of each sample first (PS3.5 G.2)."""
    count, *offsets = struct.unpack_from("<16I", frame)
    width = max(image.allocated // _BYTE, 1)
    if count != width * image.samples:
        raise Undecodable("The RLE segments are not as many as the attributes say.")
    size = image.rows * image.columns
    planes = np.empty((image.samples, width, size), np.uint8)
    ends = [*offsets[1:count], len(frame)]
    for place, (start, end) in enumerate(zip(offsets, ends, strict=False)):
        plane = np.frombuffer(imagecodecs.packbits_decode(frame[start:end]), np.uint8)
        planes[place // width, width - 1 - place % width] = plane[:size]
    values = np.ascontiguousarray(planes.transpose(2, 0, 1)).view(f"<u{width}")
    return values.reshape(image.rows, image.columns, image.samples)


def _deflated(frame: bytes, _syntax: str, image: Image) -> Samples:
    """Inflate one frame (PS3.5 A.4.14)."""
    size = (_size(image) * image.allocated + 7) // _BYTE
    return native_samples(zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, size), image)


_DECODERS: Final[dict[Codec, Callable[[bytes, str, Image], Samples]]] = {
    Codec.JPEG: _jpeg,
    Codec.JPEG_LS: _jpeg_ls,
    Codec.JPEG_2000: _jpeg_2000,
    Codec.JPEG_XL: _jpeg_xl,
    Codec.RLE: _rle,
    Codec.DEFLATE: _deflated,
}
