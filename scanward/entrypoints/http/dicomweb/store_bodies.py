"""Bodies of store transactions as events: media types, content codings, parts (PS3.18 8.6, 10.5.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from fastapi import Request

from scanward.entrypoints.http.bodies import paced
from scanward.entrypoints.http.dicomweb.negotiation import DICOM, JSON
from scanward.entrypoints.http.refusals import Unsupported
from scanward.entrypoints.http.service import Service
from scanward.errors import BadInput, TooLarge
from scanward.receive.content_coding import Gunzip
from scanward.receive.multipart import Data, End
from scanward.receive.related import Part, Related, RelatedEvent
from scanward.receive.related_headers import media_type

Events = AsyncIterator[Sequence[RelatedEvent]]

_TAKEN: Final = f"send multipart/related of type {DICOM} or {JSON}, or one object as {DICOM} or {JSON}"


def events_of(request: Request, service: Service) -> tuple[Events, bool]:
    """Return the body's parts as events, and whether they are DICOM JSON with its bulk data.

    Raises Unsupported for what is not taken, BadInput or TooLarge.
    """
    text = request.headers.get("content-type", "")
    try:
        kind, _ = media_type(text)
    except BadInput:
        raise Unsupported("the Content-Type is missing or is no media type") from None
    chunks = _decoded(request, service)
    if kind == "multipart/related":
        body = Related(text)
        if body.kind not in {"", DICOM, JSON}:
            raise Unsupported(_TAKEN)
        return _of_parts(body, chunks), body.kind == JSON
    if kind not in {DICOM, JSON}:
        raise Unsupported(_TAKEN)
    _check_declared(request, service)
    return _of_one(kind, chunks), kind == JSON


async def _of_parts(body: Related, chunks: AsyncIterator[bytes]) -> Events:
    async for chunk in chunks:
        yield body.feed(chunk)
    body.close()


async def _of_one(kind: str, chunks: AsyncIterator[bytes]) -> Events:
    begun = False
    async for chunk in chunks:
        if chunk:
            yield [Data(chunk)] if begun else [Part(kind), Data(chunk)]
            begun = True
    if begun:
        yield [End()]


def _decoded(request: Request, service: Service) -> AsyncIterator[bytes]:
    """Return the body's chunks without their Content-Encoding. Raises Unsupported."""
    codings = [one.strip().lower() for one in request.headers.get("content-encoding", "").split(",")]
    wanted = [one for one in codings if one not in {"", "identity"}]
    if wanted not in ([], ["gzip"], ["x-gzip"]):
        raise Unsupported("of content codings, gzip is taken, once")
    chunks = paced(request, service.limits)
    return _inflated(chunks) if wanted else chunks


async def _inflated(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    body = Gunzip()
    async for chunk in chunks:
        for piece in body.feed(chunk):
            yield piece
    body.close()


def _check_declared(request: Request, service: Service) -> None:
    """Refuse at once what says itself that it is too large."""
    declared = request.headers.get("content-length", "0")
    largest = service.settings.max_object_bytes
    if declared.isdigit() and int(declared) > largest:
        raise TooLarge(f"the object is larger than {largest} bytes (SCANWARD_MAX_OBJECT_BYTES)")
