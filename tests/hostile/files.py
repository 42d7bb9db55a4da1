"""What is no file, no DICOM, or has a broken file meta."""

# ruff: noqa: E501 - a case is one line, so that the table can be read as one

from __future__ import annotations

import os
import random
import socket
import struct
from pathlib import Path

from tests.hostile import build as b
from tests.hostile.cases import Case, accepted, rejected, warned


def _folder(folder: Path) -> Path:
    path = folder / "folder.dcm"
    path.mkdir()
    return path


def _fifo(folder: Path) -> Path:
    path = folder / "fifo.dcm"
    os.mkfifo(path)
    return path


def _socket(folder: Path) -> Path:
    path = folder / "s"
    here = Path.cwd()
    os.chdir(folder)  # the path of a socket may have 107 bytes only
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)
    return path


def _link(folder: Path, target: str | Path) -> Path:
    path = folder / "link.dcm"
    path.symlink_to(target)
    return path


def _link_inside(folder: Path) -> Path:
    (folder / "target.dcm").write_bytes(b.part10(b.ct()))
    return _link(folder, "target.dcm")


def _link_outside(folder: Path) -> Path:
    outside = folder.parent / f"{folder.name}-outside.dcm"
    outside.write_bytes(b.part10(b.ct()))
    return _link(folder, outside)


def _link_through_folder(folder: Path) -> Path:
    outside = folder.parent / f"{folder.name}-outside"
    outside.mkdir()
    (outside / "inner.dcm").write_bytes(b.part10(b.ct()))
    (folder / "linked").symlink_to(outside)
    return folder / "linked" / "inner.dcm"


def _meta_of(count: int) -> bytes:
    extra = b"".join(b.explicit(0x00020100 + index, "UI", b"1.2\0") for index in range(count))
    return b.part10(b.ct(), head=b.meta(extra=extra))


def _group_length(said: bytes) -> bytes:
    return b.part10(b.ct(), head=b.explicit(0x00020000, "UL", said) + b.meta()[12:])


NOT_FILES = (
    Case("a-folder", _folder, "rejected", "not-a-file"),
    Case("a-fifo", _fifo, "rejected", "not-a-file"),
    Case("a-socket", _socket, "rejected", "not-readable"),
    Case("a-device", lambda folder: _link(folder, "/dev/zero"), "rejected", "not-a-file"),
    Case("a-missing-file", lambda folder: folder / "nothing.dcm", "rejected", "not-readable"),
    Case("a-dangling-link", lambda folder: _link(folder, "nowhere"), "rejected", "not-readable"),
    Case("a-link-to-itself", lambda folder: _link(folder, "link.dcm"), "rejected", "not-readable"),
    Case("a-link-inside-the-tree", _link_inside, "accepted"),
    Case("a-link-out-of-the-tree", _link_outside, "rejected", "link-outside"),
    Case("a-linked-folder-out-of-the-tree", _link_through_folder, "rejected", "link-outside"),
)
NOT_DICOM = (
    rejected("empty", "empty", lambda: b""),
    rejected("one-byte", "not-dicom", lambda: b"\0"),
    rejected("text", "not-dicom", lambda: b"Patient: none\n" * 100),
    rejected("zip", "not-dicom", lambda: b"PK\x03\x04" + bytes(200)),
    rejected("jpeg", "not-dicom", b.jpeg),
    rejected("png", "not-dicom", lambda: b"\x89PNG\r\n\x1a\n" + bytes(200)),
    rejected("pdf", "not-dicom", lambda: b"%PDF-1.7\n" + bytes(200)),
    rejected("gzip", "not-dicom", lambda: b"\x1f\x8b\x08" + bytes(200)),
    rejected("zeros", "not-dicom", lambda: bytes(1 << 20)),
    rejected("noise", "not-dicom", lambda: random.Random(1).randbytes(1 << 16)),  # noqa: S311 - reproducible noise
    rejected("preamble-only", "dataset-missing", lambda: bytes(128) + b"DICM"),
    rejected("preamble-without-magic", "not-dicom", lambda: bytes(132) + b.meta() + b.ct()),
    accepted("program-in-the-preamble", lambda: b.part10(b.ct(), preamble=b"MZ" + bytes(126))),
)
BARE = (
    warned("bare-explicit", "preamble-missing", b.ct),
    warned("bare-implicit", "preamble-missing", b.ct_implicit),
    warned("bare-big-endian", "preamble-missing", b.ct_big),
    warned("bare-with-meta", "preamble-missing", lambda: b.meta() + b.ct()),
    rejected("bare-truncated", "length-outside", lambda: b.ct()[:-1]),
    rejected(
        "bare-beginning-like-text", "not-dicom", lambda: b"\x08 a text that begins with a byte of DICOM"
    ),
    rejected("bare-one-header", "pixels-missing", lambda: b.explicit(b.CLASS_TAG, "UI", b.uid(b.CT))),
)
META = (
    rejected("meta-cut-in-header", "meta-truncated", lambda: b.part10(b"", head=b.meta()[:-30])[:137]),
    rejected("meta-cut-in-value", "length-outside", lambda: b.part10(b"")[:-4]),
    rejected("meta-without-data-set", "dataset-missing", lambda: b.part10(b"")),
    rejected("meta-implicit", "meta-vr", lambda: b.part10(b.ct(), head=b.implicit(0x00020010, b.uid(b.EXPLICIT)))),
    rejected("meta-sequence", "meta-vr", lambda: b.part10(b.ct(), head=b.meta(extra=b.explicit(0x00020100, "SQ", b.item())))),
    rejected("meta-length-4-gb", "length-outside", lambda: b.part10(b.ct(), head=b.explicit(0x00020001, "OB", b"\0\1", b.UNDEFINED))),
    rejected("meta-unordered", "meta-order", lambda: b.part10(b.ct(), head=b.meta(extra=b.explicit(0x00020002, "UI", b.uid(b.CT))))),
    rejected("meta-repeated-syntax", "meta-order", lambda: b.part10(b.ct(), head=b.meta(extra=b.explicit(0x00020010, "UI", b.uid(b.BIG))))),
    rejected("meta-of-300-elements", "element-bound", lambda: _meta_of(300)),
    warned("meta-group-length-wrong", "meta-group-length", lambda: _group_length(struct.pack("<I", 7))),
    warned("meta-group-length-huge", "meta-group-length", lambda: _group_length(b"\xff\xff\xff\xff")),
    warned("meta-group-length-missing", "meta-group-length", lambda: b.part10(b.ct(), head=b.meta()[12:])),
    warned("meta-class-differs", "meta-class-differs", lambda: b.part10(b.ct(), head=b.meta(sop_class=b.REPORT))),
    warned("meta-instance-differs", "meta-instance-differs", lambda: b.part10(b.ct(), head=b.meta(instance="1.2.3"))),
    rejected("meta-instance-a-path", "uid-form", lambda: b.part10(b.ct(), head=b.meta(instance="../../etc/passwd"))),
    warned("meta-without-syntax", "transfer-syntax-guessed", lambda: b.part10(b.ct(), head=b.meta(""))),
    warned("meta-without-syntax-implicit", "transfer-syntax-guessed", lambda: b.part10(b.ct_implicit(), head=b.meta(""))),
    rejected("syntax-unknown", "transfer-syntax-unknown", lambda: b.part10(b.ct(), "1.2.3.4")),
    rejected("syntax-with-a-null", "transfer-syntax-unknown", lambda: b.part10(b.ct(), b.EXPLICIT + "\0.99")),
    rejected("syntax-jpip", "transfer-syntax-unsupported", lambda: b.part10(b.ct(), b.IMPLICIT + ".4.94")),
    rejected("syntax-ge-private", "transfer-syntax-unsupported", lambda: b.part10(b.ct_implicit(), "1.2.840.113619.5.2")),
    rejected("syntax-mime", "transfer-syntax-unsupported", lambda: b.part10(b.ct(), b.IMPLICIT + ".6.1")),
)  # fmt: skip
CODING = (
    accepted("sound-explicit", lambda: b.part10(b.ct())),
    accepted("sound-implicit", lambda: b.part10(b.ct_implicit(), b.IMPLICIT)),
    accepted("sound-big-endian", lambda: b.part10(b.ct_big(), b.BIG)),
    accepted("sound-deflated", lambda: b.part10(b.deflate(b.ct()), b.DEFLATED)),
    rejected("big-endian-declared-over-little", "byte-order-differs", lambda: b.part10(b.ct(), b.BIG)),
    rejected("little-endian-declared-over-big", "byte-order-differs", lambda: b.part10(b.ct_big())),
    rejected("implicit-declared-over-big", "byte-order-differs", lambda: b.part10(b.ct_big(), b.IMPLICIT)),
    rejected("jpeg-declared-over-big", "byte-order-differs", lambda: b.part10(b.ct_big(), b.JPEG)),
    rejected("explicit-declared-over-implicit", "vr-encoding-differs", lambda: b.part10(b.ct_implicit())),
    rejected("implicit-declared-over-explicit", "vr-encoding-differs", lambda: b.part10(b.ct(), b.IMPLICIT)),
    rejected("deflated-declared-over-plain", "deflate-broken", lambda: b.part10(b.ct(), b.DEFLATED)),
    rejected("plain-declared-over-deflated", "vr-encoding-differs", lambda: b.part10(b.deflate(b.ct()))),
    rejected("big-endian-deflated", "byte-order-differs", lambda: b.part10(b.deflate(b.ct_big()), b.DEFLATED)),
    rejected("syntax-changes-in-the-middle", "vr-unknown", lambda: b.part10(b.ct({b.NAME_TAG: b.implicit(b.NAME_TAG, b"Doe^Jane")}))),
)  # fmt: skip
FILES: tuple[Case, ...] = NOT_FILES + NOT_DICOM + BARE + META + CODING
