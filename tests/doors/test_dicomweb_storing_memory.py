"""STOW-RS in a process of its own: a large body costs no memory, and what was told survives a kill."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import httpx
import pydicom
import pytest
from pydicom.uid import generate_uid

from tests.doors.process import Serving, process
from tests.doors.serving import CT
from tests.doors.test_dicomweb_storing import RELATED, STUDIES, address_of

pytestmark = pytest.mark.integration
_FRAMES = 9600
_FRAME = 128 * 128 * 2
_GROWTH_KILOBYTES = 60 << 10


def large() -> Iterator[bytes]:
    """Yield an object of 300 MB in pieces."""
    dataset = pydicom.dcmread(BytesIO(CT))
    for keyword in ("PixelData", "DataSetTrailingPadding"):
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.NumberOfFrames = _FRAMES
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(
        entropy_srcs=["large"]
    )
    buffer = BytesIO()
    dataset.save_as(buffer)
    yield buffer.getvalue() + b"\xe0\x7f\x10\x00OW\0\0" + (_FRAMES * _FRAME).to_bytes(4, "little")
    frame = bytes(range(256)) * (_FRAME // 256)
    for _ in range(_FRAMES // 32):
        yield frame * 32


def body() -> Iterator[bytes]:
    yield b"--edge\r\nContent-Type: application/dicom\r\n\r\n"
    yield from large()
    yield b"\r\n--edge--\r\n"


@contextmanager
def client_of(service: Serving) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {service.token}"}
    with httpx.Client(base_url=service.url, headers=headers, timeout=120) as client:
        for _ in range(200):
            try:
                client.get("/health")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield client


def test_a_large_body_costs_no_memory_and_what_was_told_survives_a_kill(tmp_path: Path) -> None:
    with process(tmp_path, SCANWARD_WORKERS="0") as service, client_of(service) as client:
        small = client.post(STUDIES, content=CT, headers={"Content-Type": "application/dicom"})
        assert small.status_code == 200
        before = service.resident_kilobytes()
        answer = client.post(STUDIES, content=body(), headers={"Content-Type": RELATED})
        assert answer.status_code == 200
        assert service.resident_kilobytes() - before < _GROWTH_KILOBYTES
        service.process.kill()
        service.process.wait()
    address = answer.json()["00081199"]["Value"][0]["00081190"]["Value"][0]
    path = address[address.index("/dicomweb/") :]
    with process(tmp_path, SCANWARD_WORKERS="0") as service, client_of(service) as client:
        accept = {"Accept": "application/dicom; transfer-syntax=*"}
        assert client.get(address_of(CT), headers=accept).content == CT
        found, wanted = hashlib.sha256(), hashlib.sha256()
        with client.stream("GET", path, headers=accept) as kept:
            for piece in kept.iter_bytes():
                found.update(piece)
        for piece in large():
            wanted.update(piece)
        assert found.digest() == wanted.digest()
