"""Whole objects in the transfer syntax that a client names (PS3.18 8.7.3.5.2, 10.4)."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from starlette.responses import Response, StreamingResponse

from scanward.deliver.transcode import TARGETS
from scanward.deliver.whole import transcoded
from scanward.dicom.structure.syntaxes import EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN
from scanward.entrypoints.http.dicomweb.negotiation import DICOM, Choice, NotAcceptable
from scanward.entrypoints.http.service import Service
from scanward.ports.decoder import Undecodable
from scanward.ports.object_store import Zone
from scanward.ports.search import Entry

_CHUNK: Final = 64 << 10
_PLAIN: Final = frozenset({IMPLICIT_LITTLE_ENDIAN, EXPLICIT_LITTLE_ENDIAN})


@dataclass(frozen=True, slots=True)
class _Made:
    """A transcoded object in a file without a name, which is gone when it is closed."""

    file: BinaryIO
    size: int
    syntax: str

    @property
    def content_type(self) -> str:
        return f"{DICOM}; transfer-syntax={self.syntax}"

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the object, and let go of it."""
        with self.file:
            while chunk := await asyncio.to_thread(self.file.read, _CHUNK):
                yield chunk


def is_needed(choice: Choice, found: Sequence[Entry]) -> bool:
    """Tell whether any of some objects is asked for in another transfer syntax than its own.

    Where application/dicom is named without one, its default is meant: Explicit VR Little Endian (PS3.18
    8.7.3.2). Implicit VR is left as it is: nobody fails to read it.
    """
    if choice.transfer_syntax:
        return any(choice.transfer_syntax not in {"*", entry.transfer_syntax} for entry in found)
    is_default = choice.is_named and choice.offer.kind == DICOM
    return is_default and any(entry.transfer_syntax not in _PLAIN for entry in found)


async def given(service: Service, zone: Zone, found: Sequence[Entry], choice: Choice) -> Response:
    """Answer with objects in one transfer syntax. Raises NotAcceptable or Undecodable.

    By default, what cannot be decoded (video) comes as it is stored, and says so.
    """
    if choice.transfer_syntax not in {"", *TARGETS} or choice.offer.kind != DICOM:
        raise NotAcceptable("Objects are given as they are stored, decoded, or compressed without loss.")
    first = await _made(service, zone, found[0], choice.transfer_syntax)
    if choice.offer.multipart:
        return _related(service, zone, found, choice.transfer_syntax, first)
    headers = {"Content-Length": str(first.size), "Vary": "Accept"}
    return StreamingResponse(first.chunks(), 200, headers, media_type=first.content_type)


async def _made(service: Service, zone: Zone, entry: Entry, target: str) -> _Made:
    async with service.decoding:
        return await asyncio.to_thread(_make, service, zone, entry, target)


def _make(service: Service, zone: Zone, entry: Entry, target: str) -> _Made:
    # It lies where objects lie: what is as large as an object belongs on its disk, not in memory.
    file = tempfile.TemporaryFile(dir=service.settings.data)  # noqa: SIM115 - who sends it closes it
    try:
        if entry.transfer_syntax == target or (not target and entry.transfer_syntax in _PLAIN):
            syntax = _copied(service, zone, entry, file)
        else:
            syntax = _decoded(service, zone, entry, target, file)
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return _Made(file, size, syntax)


def _decoded(service: Service, zone: Zone, entry: Entry, target: str, file: BinaryIO) -> str:
    """Write an object in another transfer syntax; where only the default asks, as it is stored if need be."""
    try:
        return transcoded(service.frames, zone, entry, target or EXPLICIT_LITTLE_ENDIAN, file)
    except Undecodable:
        if target:
            raise
        file.seek(0)
        file.truncate()
        return _copied(service, zone, entry, file)


def _copied(service: Service, zone: Zone, entry: Entry, file: BinaryIO) -> str:
    with service.ports.objects.open(zone, entry.key) as opened:
        file.writelines(opened.view[at : at + _CHUNK] for at in range(0, entry.size, _CHUNK))
    return entry.transfer_syntax


def _related(service: Service, zone: Zone, found: Sequence[Entry], target: str, first: _Made) -> Response:
    """Make each object when those before it are sent: one is on the disk at a time."""
    boundary = secrets.token_hex(16)

    async def body() -> AsyncIterator[bytes]:
        for place, entry in enumerate(found):
            made = await _made(service, zone, entry, target) if place else first
            lines = f"--{boundary}", f"Content-Type: {made.content_type}", f"Content-Length: {made.size}"
            yield ("\r\n" * (place > 0) + "\r\n".join(lines) + "\r\n\r\n").encode()
            async for chunk in made.chunks():
                yield chunk
        yield f"\r\n--{boundary}--\r\n".encode()

    kind = f'multipart/related; type="{DICOM}"; boundary={boundary}'
    return StreamingResponse(body(), 200, {"Vary": "Accept"}, media_type=kind)
