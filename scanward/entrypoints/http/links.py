"""`/links`: signed, expiring addresses of single objects, and the objects behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.responses import Response

from scanward.entrypoints.http.answers import LinkAnswer, LinkRequest, Problem
from scanward.entrypoints.http.ranges import RangeNotSatisfiable, range_of
from scanward.entrypoints.http.service import Here
from scanward.ports.links import Grant
from scanward.ports.object_store import Opened, Zone

router: Final = APIRouter(tags=["links"])
_CHUNK: Final = 256 << 10
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_OBJECT: Final = {"application/dicom": {"schema": {"type": "string", "format": "binary"}}}
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    403: {"model": Problem, "description": "Forged, expired, or made for another method"},
    404: {"model": Problem, "description": "The object is gone"},
}


@router.post(
    "/links",
    summary="Make a link to an object",
    status_code=201,
    responses={
        400: {"model": Problem, "description": "The lifetime is zero or beyond 7 days"},
        404: {"model": Problem, "description": "There is no such object in the zone"},
    },
)
def make_link(wanted: LinkRequest, service: Here) -> LinkAnswer:
    """Make an address that whoever holds it may read until it expires; never of quarantine."""
    lifetime = timedelta(seconds=int(wanted.expires[:-1]) * _SECONDS[wanted.expires[-1]])
    zone = Zone(wanted.zone)
    token = service.ports.links.make(zone, wanted.key, lifetime)
    with service.ports.objects.open(zone, wanted.key):
        return LinkAnswer(url=f"/links/{token}", expires_in=int(lifetime.total_seconds()))


@router.get(
    "/links/{token}",
    summary="Read the object that a link allows",
    response_class=Response,
    responses={
        200: {"content": _OBJECT, "description": "The object, byte for byte"},
        206: {"content": _OBJECT, "description": "The range asked for"},
        307: {"description": "Where the object is to be had for some minutes, if the store is in S3"},
        416: {"model": Problem, "description": "The range lies outside the object"},
        **_REFUSED,
    },
)
@router.head(
    "/links/{token}", summary="Ask what a link allows; only a link made for HEAD", responses=_REFUSED
)
async def read_link(
    request: Request, token: Annotated[str, Path(max_length=1024, description="As made.")], service: Here
) -> Response:
    """Stream the object, or say where in S3 it is.

    The link is all that is asked for; it stands for its zone, key and method alone.
    """
    grant = service.ports.links.check(token, request.method)
    address = await asyncio.to_thread(service.ports.links.address, grant)
    if address:
        # Nobody keeps the answer: the address is for whoever holds the link, and ends before it does.
        return RedirectResponse(address, 307, {"Cache-Control": "no-store"})
    opened = await asyncio.to_thread(service.ports.objects.open, grant.zone, grant.key)
    return _streamed(request, grant, opened)


def _streamed(request: Request, grant: Grant, opened: Opened) -> Response:
    size = len(opened.view)
    try:
        start, end = range_of(request.headers.get("range", ""), size)
    except RangeNotSatisfiable:
        opened.__exit__(None, None, None)
        raise
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{grant.key[:16]}.dcm"',
        "Content-Length": str(end - start),
        "ETag": f'"{grant.key}"',
    }
    status = 200
    if (start, end) != (0, size):
        status, headers["Content-Range"] = 206, f"bytes {start}-{end - 1}/{size}"
    return StreamingResponse(_chunks(opened, start, end), status, headers, media_type="application/dicom")


async def _chunks(opened: Opened, start: int, end: int) -> AsyncIterator[bytes]:
    """Yield a part of the object; pages are read in the pool, and nobody waits in it for a slow reader."""
    with opened:
        for position in range(start, end, _CHUNK):
            yield await asyncio.to_thread(_copy, opened, position, min(position + _CHUNK, end))


def _copy(opened: Opened, start: int, end: int) -> bytes:
    return bytes(opened.view[start:end])
