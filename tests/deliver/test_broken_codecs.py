"""A codec that dies, hangs or eats memory takes its own frame along, and nothing else (design §6)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from scanward.adapters.local.decoder import Bounds, ChildDecoder
from scanward.deliver.pixels import frame_of
from scanward.deliver.transcode import JPEG_2000, JPEG_LS, RLE, Remembered
from scanward.dicom.structure.syntaxes import EXPLICIT_LITTLE_ENDIAN
from scanward.errors import Unavailable
from scanward.ports.decoder import Image, Recode, Undecodable
from tests.deliver.objects import described, view_of

pytestmark = pytest.mark.integration

IMAGE = Image(64, 64, 1, 16, 16, signed=False, photometric="MONOCHROME2")
FRAME = np.arange(64 * 64, dtype="<u2").tobytes()
GOOD = Recode(FRAME, EXPLICIT_LITTLE_ENDIAN, IMAGE, RLE)
# More processor time than any of these tests lets a child have.
HUGE = Image(20_000, 20_000, 1, 16, 16, signed=False, photometric="MONOCHROME2")


@pytest.fixture
def decoder() -> Iterator[ChildDecoder]:
    """Return one child, so that what breaks it would be felt."""
    running = ChildDecoder(Bounds(children=1, seconds=20, memory=1 << 30))
    yield running
    running.close()


@pytest.mark.parametrize(
    "name", ["JPEG2000.dcm", "SC_rgb_jpeg_dcmtk.dcm", "JPEGLSNearLossless_16.dcm", "MR_small_RLE.dcm"]
)
def test_damaged_codestreams_harm_nobody(name: str, decoder: ChildDecoder) -> None:
    view = view_of(name)
    pixels = described(view)
    frame = frame_of(view, pixels, 0)
    many = np.random.default_rng(3)
    refused = 0
    for _ in range(40):
        damaged = bytearray(frame[: int(many.integers(8, len(frame)))])
        for place in many.integers(2, len(damaged), 12):
            damaged[place] = int(many.integers(256))
        try:
            task = Recode(bytes(damaged), pixels.syntax, pixels.image, EXPLICIT_LITTLE_ENDIAN)
            made = decoder.run(task)
        except Undecodable:
            refused += 1
        else:
            image = pixels.image
            assert len(made) == image.rows * image.columns * image.samples * image.allocated // 8
    assert refused
    assert decoder.run(GOOD)


def test_a_codestream_that_claims_to_be_huge_is_refused(decoder: ChildDecoder) -> None:
    view = view_of("JPEG2000.dcm")
    pixels = described(view)
    frame = bytearray(frame_of(view, pixels, 0))
    frame[8:16] = (60_000).to_bytes(4) + (60_000).to_bytes(4)
    with pytest.raises(Undecodable):
        decoder.run(Recode(bytes(frame), pixels.syntax, pixels.image, EXPLICIT_LITTLE_ENDIAN))
    assert decoder.run(GOOD)


def test_what_wants_more_memory_than_there_is_is_refused(decoder: ChildDecoder) -> None:
    frame = bytes(HUGE.rows * HUGE.columns * 2 // 8)
    with pytest.raises(Undecodable):
        decoder.run(Recode(frame, EXPLICIT_LITTLE_ENDIAN, HUGE, JPEG_LS))
    memory = psutil.Process(decoder.processes()[0]).memory_info().rss if decoder.processes() else 0
    assert memory < 1 << 30
    assert decoder.run(GOOD)


def test_a_child_killed_from_outside_is_replaced(decoder: ChildDecoder) -> None:
    expected = decoder.run(GOOD)
    (before,) = decoder.processes()
    os.kill(before, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(before)] if psutil.pid_exists(before) else [], timeout=5)
    assert decoder.run(GOOD) == expected
    assert decoder.processes() != [before]


def test_a_child_killed_at_work_is_asked_again_once(decoder: ChildDecoder) -> None:
    expected = decoder.run(GOOD)
    (child,) = decoder.processes()
    os.kill(child, signal.SIGSTOP)
    killer = threading.Timer(0.5, os.kill, (child, signal.SIGKILL))
    killer.start()
    assert decoder.run(GOOD) == expected
    killer.join()


def test_a_codec_that_hangs_is_ended_and_others_are_served() -> None:
    decoder = ChildDecoder(Bounds(children=1, seconds=2))
    try:
        decoder.run(GOOD)
        (child,) = decoder.processes()
        os.kill(child, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(Undecodable, match="longer"):
            decoder.run(GOOD)
        assert time.monotonic() - began < 10
        assert not psutil.pid_exists(child)
        assert decoder.run(GOOD)
    finally:
        decoder.close()


def test_the_kernel_ends_what_takes_too_much_processor_time() -> None:
    """The wall is far away here: what ends the child is its own bound."""
    decoder = ChildDecoder(Bounds(children=1, seconds=1, memory=8 << 30))
    image = Image(12_000, 12_000, 1, 16, 16, signed=False, photometric="MONOCHROME2")
    noise = np.random.default_rng(0).integers(0, 1 << 16, image.rows * image.columns, np.uint16).tobytes()
    try:
        with pytest.raises(Undecodable):
            decoder.run(Recode(noise, EXPLICIT_LITTLE_ENDIAN, image, JPEG_2000))
        assert decoder.run(GOOD)
    finally:
        decoder.close()


def test_who_finds_all_decoders_busy_is_told_to_come_back() -> None:
    decoder = ChildDecoder(Bounds(children=1, seconds=4, waiting=0.2))
    try:
        decoder.run(GOOD)
        os.kill(decoder.processes()[0], signal.SIGSTOP)
        waiting = threading.Thread(target=_quietly, args=(decoder,))
        waiting.start()
        time.sleep(0.3)
        with pytest.raises(Unavailable):
            decoder.run(GOOD)
        waiting.join()
    finally:
        decoder.close()


def _quietly(decoder: ChildDecoder) -> None:
    with pytest.raises(Undecodable):
        decoder.run(GOOD)


def test_children_end_with_the_pool() -> None:
    decoder = ChildDecoder()
    decoder.run(GOOD)
    children = decoder.processes()
    decoder.close()
    assert children
    assert not any(psutil.pid_exists(child) for child in children)


def test_what_is_remembered_is_bounded() -> None:
    remembered = Remembered(100)
    for number in range(20):
        remembered.put((number,), bytes(30))
    assert [number for number in range(20) if remembered.get((number,)) is not None] == [17, 18, 19]
    remembered.get((17,))
    remembered.put(("new",), bytes(30))
    assert remembered.get((17,)) is not None
    assert remembered.get((18,)) is None
    remembered.put(("large",), bytes(51))
    assert remembered.get(("large",)) is None
