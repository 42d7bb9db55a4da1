"""STOW-RS: objects in, streamed to the disk, through the gate, durable before the answer (PS3.18 10.5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from scanward.entrypoints.http.answers import Problem
from scanward.entrypoints.http.bodies import drain, in_step
from scanward.entrypoints.http.dicomweb.addresses import ReadZone, Uid, root_of
from scanward.entrypoints.http.dicomweb.negotiation import DICOM, JSON, XML, Offer, asked, choose
from scanward.entrypoints.http.dicomweb.store_bodies import events_of
from scanward.entrypoints.http.dicomweb.store_json import JsonReception
from scanward.entrypoints.http.dicomweb.store_outcomes import status_of
from scanward.entrypoints.http.dicomweb.store_reception import StoreReception
from scanward.entrypoints.http.dicomweb.store_response import encoded, response_of
from scanward.entrypoints.http.refusals import answer
from scanward.entrypoints.http.service import Here, Service
from scanward.errors import BadInput, ScanwardError, Unavailable
from scanward.ports.object_store import Zone
from scanward.receive.related import RelatedEvent

router: Final = APIRouter(tags=["dicomweb"])
_OFFERS: Final = (Offer(JSON), Offer("application/json"), Offer(XML))
_GONE: Final = 499
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"multipart/related": _BINARY, DICOM: _BINARY, JSON: {}}}
}
_MODULE: Final[dict[str, Any]] = {"content": {JSON: {}, XML: {}}}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {**_MODULE, "description": "Every object is stored"},
    202: {**_MODULE, "description": "Some are stored; others failed, or there are warnings"},
    400: {"model": Problem, "description": "Nothing is stored: the body or its objects cannot be read"},
    405: {"model": Problem, "description": "The zone is read only"},
    406: {"model": Problem, "description": "The answer cannot be given in what the client takes"},
    408: {"model": Problem, "description": "The sender was silent or too slow"},
    409: {"model": Problem, "description": "Nothing is stored, for another reason than bad syntax"},
    413: {"model": Problem, "description": "Nothing is stored: too large"},
    415: {"model": Problem, "description": "Not a media type or coding that is taken"},
    503: {"model": Problem, "description": "Too many transactions at once, or the disk does not answer"},
    507: {"model": Problem, "description": "The disk is nearly full"},
}


@router.post("/dicomweb/{zone}/studies", summary="Store objects", openapi_extra=_BODY, responses=_ANSWERS)
async def store(request: Request, zone: ReadZone, service: Here) -> Response:
    """Take objects of any studies. The line validates and de-identifies them after the answer."""
    return await _stored(request, service, Zone(zone))


@router.post(
    "/dicomweb/{zone}/studies/{study_uid}",
    summary="Store objects of one study",
    openapi_extra=_BODY,
    responses=_ANSWERS,
)
async def store_of_study(request: Request, zone: ReadZone, study_uid: Uid, service: Here) -> Response:
    """Take objects of one study; those of another fail."""
    return await _stored(request, service, Zone(zone), study_uid)


async def _stored(request: Request, service: Service, zone: Zone, study_uid: str = "") -> Response:
    """Answer one transaction; whatever is refused before the body was read is drained a little."""
    try:
        _check_writable(zone)
        media = choose(asked(request), _OFFERS).offer.kind
        events, described = events_of(request, service)
        if service.uploads_under_way >= service.limits.uploads:
            raise Unavailable("too many uploads are under way; try again in a moment")
    except (ScanwardError, HTTPException):
        await drain(request)
        raise
    service.uploads_under_way += 1
    reception = (JsonReception if described else StoreReception)(service, study_uid)
    try:
        error = await _received(request, reception, events)
        return _answer(request, reception, error, media)
    except ClientDisconnect:
        return Response(status_code=_GONE)  # nobody is there to read it
    finally:
        service.uploads_under_way -= 1
        await asyncio.shield(asyncio.to_thread(reception.abandon))


def _check_writable(zone: Zone) -> None:
    """Refuse what is meant for the deid zone: only the line writes there (RFC 9110 15.5.6)."""
    if zone is not Zone.RAW:
        raise HTTPException(405, headers={"Allow": "GET, HEAD"})


async def _received(
    request: Request, reception: StoreReception, events: AsyncIterator[Sequence[RelatedEvent]]
) -> ScanwardError | None:
    """Take the body in; return what ended it early. Batches accepted before that are stored, and told."""
    try:
        await in_step(events, reception.take)
        await asyncio.to_thread(reception.finish)
    except ScanwardError as error:
        await asyncio.to_thread(reception.abandon)
        await drain(request)
        return error
    return None


def _answer(request: Request, reception: StoreReception, error: ScanwardError | None, media: str) -> Response:
    if error is not None and not reception.outcomes:
        return answer(error, request)
    if not reception.outcomes:
        raise BadInput("there is no object in the body")
    headers = {"Vary": "Accept"}
    if error is None:
        status = status_of(reception.outcomes)
    else:
        headers["Connection"] = "close"
        reception.broken(error)
        # What is the server's own fault asks for a repeat, which changes nothing of what is stored.
        status = status_of(reception.outcomes) if isinstance(error, BadInput) else error.status
    body = encoded(response_of(reception.outcomes, root_of(request, Zone.RAW)), media)
    return Response(body, status, headers, media_type=media)
