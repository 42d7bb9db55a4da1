"""Whether the attributes of pixels agree with each other (PS3.5 8, PS3.3 C.7.6.3)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from scanward.dicom.structure.coding import (
    BITS_ALLOCATED,
    BITS_STORED,
    PHOTOMETRIC_INTERPRETATION,
    PIXEL_REPRESENTATION,
    PLANAR_CONFIGURATION,
    SAMPLES_PER_PIXEL,
)
from scanward.validate.header import Findings, Header
from scanward.validate.rulebook import rows

__all__ = ["check_pixel_attributes"]

_HIGH_BIT: Final = 0x00280102
_BYTE: Final = 8


def check_pixel_attributes(header: Header, findings: Findings) -> None:
    """Find attributes that contradict each other; those that are missing are the presence rules' matter."""
    _check_bits(header, findings)
    _check_photometric(header, findings)
    for tag, rule in (
        (PIXEL_REPRESENTATION, "pixel-representation"),
        (PLANAR_CONFIGURATION, "planar-configuration"),
    ):
        if header.word(tag) not in {None, 0, 1}:
            findings.add(rule, (tag,), "is neither 0 nor 1")


def _check_bits(header: Header, findings: Findings) -> None:
    allocated, stored, high = (header.word(tag) for tag in (BITS_ALLOCATED, BITS_STORED, _HIGH_BIT))
    if allocated is not None and allocated != 1 and (allocated == 0 or allocated % _BYTE):
        findings.add("bits-allocated", (BITS_ALLOCATED,), "is neither 1 nor a multiple of 8")
    if stored is None:
        return
    if allocated is not None and not 1 <= stored <= allocated:
        findings.add("bits-stored", (BITS_STORED,), "is not within 1 and BitsAllocated")
    elif high is not None and high != stored - 1:
        findings.add("high-bit", (_HIGH_BIT,), "is not one less than BitsStored")


def _check_photometric(header: Header, findings: Findings) -> None:
    term, samples = header.text(PHOTOMETRIC_INTERPRETATION), header.word(SAMPLES_PER_PIXEL)
    if not term:
        return
    needed = _samples().get(term)
    if needed is None:
        findings.add("photometric-unknown", (PHOTOMETRIC_INTERPRETATION,), "is not a defined term")
    elif samples is not None and samples != needed:
        words = f"is not {needed}, which PhotometricInterpretation needs"
        findings.add("photometric-samples", (SAMPLES_PER_PIXEL,), words)


@lru_cache(maxsize=1)
def _samples() -> dict[str, int]:
    return {row["term"]: int(row["samples"]) for row in rows("photometric.csv")}
