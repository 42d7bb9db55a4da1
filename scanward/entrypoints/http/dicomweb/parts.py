"""Bodies of answers: single parts and multipart/related, of known length, read from the store in chunks."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from starlette.responses import Response, StreamingResponse

from scanward.dicom.pieces import Span
from scanward.ports.object_store import ObjectStore, Zone

_CHUNK = 64 << 10


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
    objects: ObjectStore, zone: Zone, part: Part, media_type: str, headers: Mapping[str, str]
) -> Response:
    """Return one part as the whole body."""
    said = {**headers, "Content-Length": str(part.length)}
    return StreamingResponse(_read(objects, zone, part), 200, said, media_type=media_type)


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
