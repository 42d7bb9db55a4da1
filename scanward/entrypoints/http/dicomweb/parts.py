"""Bodies of answers: single parts and multipart/related, of known length, read from the store in chunks."""

from __future__ import annotations

import asyncio
import io
import secrets
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from scanward.dicom.pieces import Span
from scanward.entrypoints.http.ranges import range_of
from scanward.ports.object_store import ObjectStore, Zone

_CHUNK = 64 << 10
_ZIP64 = 1 << 31


@dataclass(frozen=True, slots=True)
class Part:
    """One representation: ranges of one object, and the headers that go before them in a multipart body."""

    key: str
    spans: tuple[Span, ...]
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def length(self) -> int:
        """Return its bytes."""
        return sum(span.length for span in self.spans)


def single(
    request: Request, objects: ObjectStore, zone: Zone, part: Part, headers: Mapping[str, str]
) -> Response:
    """Return one part as the whole body, or the range of it that is asked for.

    Raises RangeNotSatisfiable.
    """
    start, end = range_of(request.headers.get("range", ""), part.length)
    said = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(end - start), "Vary": "Accept"}
    status = 200
    if (start, end) != (0, part.length):
        status, said["Content-Range"] = 206, f"bytes {start}-{end - 1}/{part.length}"
        part = replace(part, spans=_cut(part.spans, start, end))
    return StreamingResponse(
        _read(objects, zone, part), status, said, media_type=part.headers["Content-Type"]
    )


def _cut(spans: Sequence[Span], start: int, end: int) -> tuple[Span, ...]:
    """Return what lies between two places of some spans that are read one behind the other."""
    found, at = [], 0
    for span in spans:
        first, last = max(start, at), min(end, at + span.length)
        if first < last:
            found.append(Span(span.offset + first - at, last - first))
        at += span.length
    return tuple(found)


def related(objects: ObjectStore, zone: Zone, parts: Sequence[Part], kind: str) -> Response:
    """Return parts as multipart/related (RFC 2387), each with its own Content-Type."""
    boundary = secrets.token_hex(16)
    heads = [_head(boundary, part, first=not place) for place, part in enumerate(parts)]
    tail = f"\r\n--{boundary}--\r\n".encode()
    length = sum(map(len, heads)) + sum(part.length for part in parts) + len(tail)

    async def body() -> AsyncIterator[bytes]:
        for head, part in zip(heads, parts, strict=True):
            yield head
            async for chunk in _read(objects, zone, part):
                yield chunk
        yield tail

    media_type = f'multipart/related; type="{kind}"; boundary={boundary}'
    return StreamingResponse(body(), 200, {"Content-Length": str(length)}, media_type=media_type)


def _head(boundary: str, part: Part, *, first: bool) -> bytes:
    lines = [f"--{boundary}", *(f"{name}: {value}" for name, value in part.headers.items())]
    lines.append(f"Content-Length: {part.length}")
    return (("" if first else "\r\n") + "\r\n".join(lines) + "\r\n\r\n").encode()


async def _read(objects: ObjectStore, zone: Zone, part: Part) -> AsyncIterator[bytes]:
    """Yield a part; pages are read in the pool, and nobody waits in it for a slow reader."""
    opened = await asyncio.to_thread(objects.open, zone, part.key)
    with opened:
        for span in part.spans:
            end = span.offset + span.length
            for start in range(span.offset, end, _CHUNK):
                stop = min(start + _CHUNK, end)
                yield await asyncio.to_thread(lambda a, b: bytes(opened.view[a:b]), start, stop)


def xml_parts(documents: Sequence[bytes], headers: Mapping[str, str]) -> Response:
    """Return documents as multipart/related of application/dicom+xml (PS3.18 8.7.3.5)."""
    boundary = secrets.token_hex(16)
    head = f"--{boundary}\r\nContent-Type: application/dicom+xml; charset=utf-8\r\n\r\n".encode()
    body = b"".join([head + one + b"\r\n" for one in documents]) + f"--{boundary}--\r\n".encode()
    media_type = f'multipart/related; type="application/dicom+xml"; boundary={boundary}'
    return Response(body, 200, dict(headers), media_type=media_type)


def zipped(objects: ObjectStore, zone: Zone, members: Sequence[tuple[str, Part]]) -> Response:
    """Return parts as the files of a zip, stored as they are, each by its name."""
    headers = {"Content-Disposition": 'attachment; filename="study.zip"'}
    return StreamingResponse(_zip(objects, zone, members), 200, headers, media_type="application/zip")


async def _zip(objects: ObjectStore, zone: Zone, members: Sequence[tuple[str, Part]]) -> AsyncIterator[bytes]:
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, part in members:
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=part.length >= _ZIP64) as file:
                async for chunk in _read(objects, zone, part):
                    file.write(chunk)
                    yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """Takes what a zip is made of, to be handed on at once: nothing is written twice, and nothing sought."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, chunk: Any) -> int:  # noqa: ANN401 - whatever is bytes to zipfile
        self._chunks.append(bytes(chunk))
        return len(chunk)

    def taken(self) -> bytes:
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)
