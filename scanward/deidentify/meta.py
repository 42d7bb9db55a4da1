"""Preamble and file meta of an output.

Made anew, so that nothing of the input's comes through (PS3.10 7.1).
"""

from __future__ import annotations

from scanward.deidentify.charset import pad

IMPLEMENTATION_CLASS_UID = "2.25.263913518936283945121872193043274416027"
IMPLEMENTATION_VERSION_NAME = "SCANWARD_1"

_PREAMBLE = bytes(128) + b"DICM"


def file_meta(sop_class_uid: str, instance_uid: str, transfer_syntax: str) -> bytes:
    """Return zeroed preamble, `DICM` and group 0002; no AE titles, no private information."""
    elements = b"".join(
        (
            b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01",
            _element(0x0002, b"UI", sop_class_uid),
            _element(0x0003, b"UI", instance_uid),
            _element(0x0010, b"UI", transfer_syntax),
            _element(0x0012, b"UI", IMPLEMENTATION_CLASS_UID),
            _element(0x0013, b"SH", IMPLEMENTATION_VERSION_NAME),
        )
    )
    return _PREAMBLE + b"\x02\x00\x00\x00UL\x04\x00" + len(elements).to_bytes(4, "little") + elements


def _element(number: int, vr: bytes, text: str) -> bytes:
    value = pad(text.encode("ascii"), vr.decode())
    return b"\x02\x00" + number.to_bytes(2, "little") + vr + len(value).to_bytes(2, "little") + value
