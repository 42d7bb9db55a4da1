"""QIDO-RS: searches at every level and across (PS3.18 10.6)."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from scanward.dicom.json_model import BASE
from scanward.dicom.xml_model import native_model
from scanward.entrypoints.http.answers import Problem
from scanward.entrypoints.http.dicomweb.addresses import ReadZone, Uid, of_match, root_of
from scanward.entrypoints.http.dicomweb.negotiation import JSON, XML, Offer, asked, choose
from scanward.entrypoints.http.dicomweb.parts import xml_parts
from scanward.entrypoints.http.service import Here, Service
from scanward.index.attributes import AVAILABILITY, RETRIEVE_URL
from scanward.index.parsing import read
from scanward.ports.object_store import Zone
from scanward.ports.search import Level, Match, Page

router: Final = APIRouter(tags=["dicomweb"])
_OFFERS: Final = (Offer(JSON), Offer("application/json"), Offer(XML, multipart=True))
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {JSON: {}}, "description": "What was found, as DICOM JSON"},
    204: {"description": "Nothing was found"},
    400: {"model": Problem, "description": "The search cannot be read"},
    406: {"model": Problem, "description": "Nothing that the client takes can be given"},
}
_ONLINE: Final = b'"00080056":{"vr":"CS","Value":["ONLINE"]}'


async def _found(
    request: Request, service: Service, zone: Zone, level: Level, study_uid: str = "", series_uid: str = ""
) -> Response:
    choice = choose(asked(request), _OFFERS)
    query, warnings = read(level, request.query_params.multi_items(), study_uid, series_uid)
    page = await asyncio.to_thread(service.ports.search.find, zone, query)
    headers = _headers(page, query.offset, warnings)
    if not page.matches:
        return Response(None, 204, headers)
    root = root_of(request, zone)
    told = [_told(match, of_match(root, match)) for match in page.matches]
    if choice.offer.kind == XML:
        return xml_parts([native_model(one) for one in told], headers)
    return Response(b"[" + b",".join(told) + b"]", 200, headers, media_type=choice.offer.kind)


def _headers(page: Page, offset: int, warnings: tuple[str, ...]) -> dict[str, str]:
    left = page.total - offset - len(page.matches)
    said = list(warnings)
    if left > 0 and page.matches:
        said.append(f"{left} more results are to be had with offset={offset + len(page.matches)}")
    headers = {"X-Total-Count": str(page.total), "Vary": "Accept"}
    if said:
        headers["Warning"] = ", ".join(f'299 scanward "{one}"' for one in said)
    return headers


def _told(match: Match, address: str) -> bytes:
    """Return one result, with where it is retrieved and that it can be at once (PS3.18 10.6.3.3)."""
    url = f'"00081190":{{"vr":"UR","Value":[{json.dumps(address)}]}}'.encode()
    own = {AVAILABILITY: _ONLINE, RETRIEVE_URL: url}
    members = sorted({**dict(match.members), **own}.items())
    return b"{" + b",".join([member for _, member in members]).replace(BASE, address.encode() + b"/") + b"}"


@router.get("/dicomweb/{zone}/studies", summary="Search for studies", responses=_ANSWERS)
async def search_studies(request: Request, zone: ReadZone, service: Here) -> Response:
    """Find studies by patient, examination, modality and any other attribute of a study."""
    return await _found(request, service, Zone(zone), Level.STUDY)


@router.get("/dicomweb/{zone}/series", summary="Search for series across studies", responses=_ANSWERS)
async def search_series(request: Request, zone: ReadZone, service: Here) -> Response:
    """Find series of any study."""
    return await _found(request, service, Zone(zone), Level.SERIES)


@router.get("/dicomweb/{zone}/instances", summary="Search for instances across studies", responses=_ANSWERS)
async def search_instances(request: Request, zone: ReadZone, service: Here) -> Response:
    """Find instances of any study."""
    return await _found(request, service, Zone(zone), Level.INSTANCE)


@router.get(
    "/dicomweb/{zone}/studies/{study_uid}/series", summary="Search for series of a study", responses=_ANSWERS
)
async def search_series_of(request: Request, zone: ReadZone, study_uid: Uid, service: Here) -> Response:
    """Find series of one study."""
    return await _found(request, service, Zone(zone), Level.SERIES, study_uid)


@router.get(
    "/dicomweb/{zone}/studies/{study_uid}/instances",
    summary="Search for instances of a study",
    responses=_ANSWERS,
)
async def search_instances_of_study(
    request: Request, zone: ReadZone, study_uid: Uid, service: Here
) -> Response:
    """Find instances of one study."""
    return await _found(request, service, Zone(zone), Level.INSTANCE, study_uid)


@router.get(
    "/dicomweb/{zone}/studies/{study_uid}/series/{series_uid}/instances",
    summary="Search for instances of a series",
    responses=_ANSWERS,
)
async def search_instances_of_series(
    request: Request, zone: ReadZone, study_uid: Uid, series_uid: Uid, service: Here
) -> Response:
    """Find instances of one series."""
    return await _found(request, service, Zone(zone), Level.INSTANCE, study_uid, series_uid)
