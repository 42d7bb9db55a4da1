from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.deidentify_memory import FRAME, make, resident
from scanward.deidentify.engine import Engine
from scanward.deidentify.keys import Keys
from scanward.deidentify.profile import load
from scanward.dicom.pieces import Span
from tests.deidentify.bytepath.both import SECRET
from tests.hostile import build as b

pytestmark = pytest.mark.unit

_FRAMES = 4000
_MOST = 40 << 20


def _native(path: Path, frames: int) -> None:
    make(path, frames)


def _encapsulated(path: Path, frames: int) -> None:
    """Write frames that are a JPEG's header and a hole in the file."""
    bits = {tag: b.explicit(tag, "US", b.word(8)) for tag in (b.ALLOCATED_TAG, b.STORED_TAG)}
    count = {b.FRAMES_TAG: b.explicit(b.FRAMES_TAG, "IS", b.even(str(frames).encode()))}
    with path.open("wb") as file:
        file.write(b.part10(b.ct({**bits, **count}, pixels=None), b.JPEG))
        file.write(b.explicit(b.PIXELS_TAG, "OB", b"", b.UNDEFINED) + b.item())
        for _ in range(frames):
            start = file.tell()
            file.write(bytes.fromhex("feff00e0") + struct.pack("<I", FRAME) + b.jpeg(precision=8))
            file.seek(start + 8 + FRAME)
        file.write(b.SEQUENCE_END)


@pytest.mark.parametrize("write", [_native, _encapsulated])
def test_two_gigabytes_of_frames_take_no_more_memory_than_one(
    write: Callable[[Path, int], None], tmp_path: Path
) -> None:
    engine = Engine(load("hipaa-safe-harbor"), Keys(SECRET))
    path = tmp_path / "frames.dcm"
    for frames in (1, _FRAMES):
        write(path, frames)
        Path("/proc/self/clear_refs").write_text("5", "ascii")
        idle = resident("VmRSS")
        with path.open("rb") as file:
            cleaned = engine.clean_file(file.fileno(), os.fstat(file.fileno()).st_size)
        assert resident("VmHWM") - idle < _MOST
    assert sum(piece.length for piece in cleaned.pieces if isinstance(piece, Span)) >= _FRAMES * FRAME
