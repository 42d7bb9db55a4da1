"""Frames: as they are stored, decoded, or compressed anew without loss (PS3.18 10.4.1.1.6, 8.7.3)."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from scanward.deliver.transcode import TARGETS
from scanward.dicom.frames import FrameTable, unpacked
from scanward.dicom.structure.syntaxes import EXPLICIT_LITTLE_ENDIAN, SYNTAXES, Codec
from scanward.entrypoints.http.dicomweb.negotiation import OCTETS, NotAcceptable, Offer, Range, asked, choose
from scanward.entrypoints.http.dicomweb.parts import Part, related, single
from scanward.entrypoints.http.ranges import has_already, range_of
from scanward.entrypoints.http.service import Service
from scanward.errors import BadInput, NotFound
from scanward.ports.object_store import Zone
from scanward.ports.search import Entry

_STEM: Final = "1.2.840.10008.1.2."
_BYTE: Final = 8
_MOST: Final = 10_000
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
FAMILIES: Final = {
    kind: tuple(_STEM + end for end in ends.split())
    for kind, ends in {
        "image/jpeg": "4.70 4.50 4.51 4.57",
        "image/dicom-rle": "5",
        "image/jls": "4.80 4.81",
        "image/jp2": "4.90 4.91",
        "image/jpx": "4.92 4.93",
        "image/jphc": "4.201 4.202 4.203",
        "image/jxl": "4.110 4.111 4.112",
        "video/mpeg2": "4.100 4.101",
        "video/mp4": "4.102 4.103 4.104 4.105 4.106",
    }.items()
}
"""Media types of compressed frames and their transfer syntaxes, the default first (PS3.18 Table 8.7.3-5)."""


@dataclass(frozen=True, slots=True)
class Form:
    """What frames are given as. target: their transfer syntax."""

    offer: Offer
    target: str

    @property
    def content_type(self) -> str:
        """Return the media type of one frame."""
        return f"{self.offer.kind}; transfer-syntax={self.target}"


def stored_syntax(entry: Entry) -> str:
    """Return the transfer syntax of stored frames alone: native ones are given little endian and explicit."""
    return (
        EXPLICIT_LITTLE_ENDIAN
        if SYNTAXES[entry.transfer_syntax].codec is Codec.NATIVE
        else entry.transfer_syntax
    )


def form_of(wanted: Sequence[Range], stored: str, *, alone: bool) -> Form:
    """Return the best form that the client takes and that can be made. Raises NotAcceptable.

    alone: it is one frame, which may come without a multipart body.
    """
    kinds = sorted(FAMILIES, key=lambda kind: stored not in FAMILIES[kind])
    offers = [
        Offer(kind, multipart=many) for kind in (OCTETS, *kinds) for many in (True, False) if many or alone
    ]
    for one in wanted:
        if form := _form(one, stored, offers):
            return form
    raise NotAcceptable(
        "Frames are given as they are stored (transfer-syntax=*), decoded, or compressed anew."
    )


def _form(one: Range, stored: str, offers: Sequence[Offer]) -> Form | None:
    for offer in offers:
        try:
            choice = choose([one], [offer])
        except NotAcceptable:
            continue
        target = _target(one, offer.kind, stored)
        if target:
            return Form(choice.offer, target)
    return None


def _target(one: Range, kind: str, stored: str) -> str:
    """Return the transfer syntax for a media range, "" if there is none (PS3.18 8.7.3.3)."""
    syntax = one.transfer_syntax
    if kind == OCTETS:
        if syntax == "*" or (one.kind == "*/*" and not syntax):
            return stored
        # The default of uncompressed data; a client that names nothing can read nothing else.
        syntax = syntax or EXPLICIT_LITTLE_ENDIAN
    else:
        family = FAMILIES[kind]
        if syntax in {"", "*"}:
            syntax = stored if stored in family else family[0]
        if syntax not in family:
            return ""
    return syntax if syntax == stored or (syntax in TARGETS and not _is_film(stored)) else ""


def _is_film(stored: str) -> bool:
    return SYNTAXES[stored].codec is Codec.VIDEO


async def given(request: Request, service: Service, zone: Zone, entry: Entry, numbers: str) -> Response:
    """Answer a request for some frames. Raises BadInput, NotFound, NotAcceptable or Undecodable."""
    table = await table_of(service, zone, entry)
    indices = numbers_of(numbers, table)
    return await answer(request, service, zone, entry, table, indices)


async def answer(
    request: Request, service: Service, zone: Zone, entry: Entry, table: FrameTable, indices: Sequence[int]
) -> Response:
    """Answer with frames, counted from 0. Raises NotAcceptable or Undecodable."""
    form = form_of(asked(request), stored_syntax(entry), alone=len(indices) == 1)
    tag = {"ETag": _tag_of(entry, indices, form)}
    if has_already(request, tag["ETag"]):
        return Response(None, 304, {**tag, "Vary": "Accept"})
    if entry.frames and form.target == stored_syntax(entry) and not table.bits % _BYTE:
        return _as_they_lie(request, service, zone, _parts(entry, table, indices, form), form, tag)
    first = await _made(service, zone, entry, indices[0], form)
    if not form.offer.multipart:
        return _alone(request, first, form, tag)
    return _streamed(service, zone, entry, indices, form, first)


async def table_of(service: Service, zone: Zone, entry: Entry) -> FrameTable:
    """Return where an object's frames are. Raises NotFound if it has none that stand alone."""
    if entry.frames:
        return unpacked(entry.frames)
    if SYNTAXES[entry.transfer_syntax].codec is not Codec.NATIVE:
        raise NotFound("The object has no frames that could be given one by one.")
    return (await asyncio.to_thread(service.frames.pixels, zone, entry)).table


def _parts(entry: Entry, table: FrameTable, indices: Sequence[int], form: Form) -> list[Part]:
    return [Part(entry.key, table.spans(index), {"Content-Type": form.content_type}) for index in indices]


def _as_they_lie(
    request: Request, service: Service, zone: Zone, parts: Sequence[Part], form: Form, tag: dict[str, str]
) -> Response:
    if form.offer.multipart:
        return related(service.ports.objects, zone, parts, form.offer.kind)
    return single(request, service.ports.objects, zone, parts[0], tag)


async def _made(service: Service, zone: Zone, entry: Entry, index: int, form: Form) -> bytes:
    async with service.decoding:
        return await asyncio.to_thread(service.frames.frame, zone, entry, index, form.target)


def _alone(request: Request, body: bytes, form: Form, tag: dict[str, str]) -> Response:
    start, end = range_of(request.headers.get("range", ""), len(body))
    headers = {**tag, "Accept-Ranges": "bytes", "Vary": "Accept"}
    status = 200
    if (start, end) != (0, len(body)):
        status, headers["Content-Range"] = 206, f"bytes {start}-{end - 1}/{len(body)}"
    return Response(body[start:end], status, headers, media_type=form.content_type)


def _streamed(
    service: Service, zone: Zone, entry: Entry, indices: Sequence[int], form: Form, first: bytes
) -> Response:
    """Make frames while those before them are sent: only two are in memory at a time."""
    boundary = secrets.token_hex(16)

    async def body() -> AsyncIterator[bytes]:
        following = [*indices[1:], None]
        frame = first
        for place, index in enumerate(following):
            coming = None if index is None else asyncio.create_task(_made(service, zone, entry, index, form))
            try:
                yield _head(boundary, form, len(frame), first=not place)
                yield frame
            except BaseException:
                if coming is not None:
                    coming.cancel()
                raise
            if coming is not None:
                frame = await coming
        yield f"\r\n--{boundary}--\r\n".encode()

    headers = {"Vary": "Accept"}
    if form.target == EXPLICIT_LITTLE_ENDIAN:
        headers["Content-Length"] = str(_length(boundary, form, len(first), len(indices)))
    media_type = f'multipart/related; type="{form.offer.kind}"; boundary={boundary}'
    return StreamingResponse(body(), 200, headers, media_type=media_type)


def _head(boundary: str, form: Form, length: int, *, first: bool) -> bytes:
    lines = (f"--{boundary}", f"Content-Type: {form.content_type}", f"Content-Length: {length}")
    return (("" if first else "\r\n") + "\r\n".join(lines) + "\r\n\r\n").encode()


def _length(boundary: str, form: Form, frame: int, count: int) -> int:
    """Return the bytes of a body of native frames, which are all of one length."""
    heads = len(_head(boundary, form, frame, first=True)) * count + 2 * (count - 1)
    return heads + frame * count + len(f"\r\n--{boundary}--\r\n")


def numbers_of(text: str, table: FrameTable) -> list[int]:
    """Return frames from 0, of a list of numbers from 1 (PS3.18 10.4.1.1.6). Raises BadInput or NotFound."""
    parts = text.split(",")
    if len(parts) > _MOST or not all(_NUMBER.fullmatch(one) for one in parts):
        raise BadInput("Frames are named by numbers from 1 on, with commas between them.")
    numbers = [int(one) for one in parts]
    if not all(1 <= number <= table.count for number in numbers):
        raise NotFound(f"The object has {table.count} frames.")
    return [number - 1 for number in numbers]


def _tag_of(entry: Entry, indices: Sequence[int], form: Form) -> str:
    named = f"{entry.key}\n{list(indices)}\n{form.content_type}\n{form.offer.multipart}"
    return f'"{hashlib.sha256(named.encode()).hexdigest()[:32]}"'
