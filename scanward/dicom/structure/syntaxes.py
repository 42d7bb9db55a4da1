"""Transfer syntaxes: how each codes its data set, and why some are not taken (PS3.5 Annex A, PS3.6 A-1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scanward.dicom.structure.coding import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE, Coding

IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG_ENDIAN = "1.2.840.10008.1.2.2"


class Codec(StrEnum):
    """What a fragment of Pixel Data holds."""

    NATIVE = "native"
    RAW = "raw"
    JPEG = "jpeg"
    JPEG_LS = "jpeg-ls"
    JPEG_2000 = "jpeg-2000"
    JPEG_XL = "jpeg-xl"
    RLE = "rle"
    VIDEO = "video"
    DEFLATE = "deflate"


@dataclass(frozen=True, slots=True)
class TransferSyntax:
    """One transfer syntax."""

    uid: str
    coding: Coding
    codec: Codec = Codec.NATIVE
    deflated: bool = False

    @property
    def encapsulated(self) -> bool:
        """Return whether Pixel Data comes in fragments (PS3.5 A.4)."""
        return self.codec is not Codec.NATIVE


_STEM = "1.2.840.10008.1.2."
_ENCAPSULATED = {
    Codec.RAW: "1.98",
    Codec.JPEG: "4.50 4.51 4.52 4.53 4.54 4.55 4.56 4.57 4.58 4.59 4.60 4.61 4.62 4.63 4.64 4.65 4.66 4.70",
    Codec.JPEG_LS: "4.80 4.81",
    Codec.JPEG_2000: "4.90 4.91 4.92 4.93 4.201 4.202 4.203",
    Codec.JPEG_XL: "4.110 4.111 4.112",
    Codec.RLE: "5",
    Codec.VIDEO: "4.100 4.100.1 4.101 4.101.1 4.102 4.102.1 4.103 4.103.1 4.104 4.104.1 4.105 4.105.1 "
    "4.106 4.106.1 4.107 4.108",
    Codec.DEFLATE: "8.1",
}
SYNTAXES: dict[str, TransferSyntax] = {
    IMPLICIT_LITTLE_ENDIAN: TransferSyntax(IMPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE),
    EXPLICIT_LITTLE_ENDIAN: TransferSyntax(EXPLICIT_LITTLE_ENDIAN, EXPLICIT_LITTLE),
    EXPLICIT_BIG_ENDIAN: TransferSyntax(EXPLICIT_BIG_ENDIAN, EXPLICIT_BIG),
    DEFLATED: TransferSyntax(DEFLATED, EXPLICIT_LITTLE, deflated=True),
} | {
    _STEM + end: TransferSyntax(_STEM + end, EXPLICIT_LITTLE, codec)
    for codec, ends in _ENCAPSULATED.items()
    for end in ends.split()
}
_ELSEWHERE = "its pixels lie on another server (JPIP), where they can be neither checked nor cleaned"
_LIVE = "it is for live transport (SMPTE ST 2110), not for files"
UNSUPPORTED: dict[str, str] = {
    _STEM + "4.94": _ELSEWHERE,
    _STEM + "4.95": _ELSEWHERE,
    _STEM + "4.204": _ELSEWHERE,
    _STEM + "4.205": _ELSEWHERE,
    _STEM + "6.1": "it is retired and wraps the object in MIME",
    _STEM + "6.2": "it is retired and is XML, not Part 10",
    _STEM + "7.1": _LIVE,
    _STEM + "7.2": _LIVE,
    _STEM + "7.3": _LIVE,
    "1.2.840.10008.1.20": "it is Papyrus 3, retired",
    "1.2.840.113619.5.2": "it is GE's private one with big endian pixels, which no standard syntax can name; "
    "convert it to Explicit VR Little Endian first",
}
