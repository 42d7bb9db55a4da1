"""WADO-URI: one object by query parameters, for clients of before DICOMweb (PS3.18 9)."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from scanward.deliver.looks import Wanted
from scanward.deliver.rendered import picture
from scanward.dicom.pieces import Span
from scanward.dicom.structure.syntaxes import EXPLICIT_LITTLE_ENDIAN, SYNTAXES, Codec
from scanward.entrypoints.http.answers import Problem
from scanward.entrypoints.http.dicomweb import transcoded
from scanward.entrypoints.http.dicomweb.addresses import ReadZone
from scanward.entrypoints.http.dicomweb.frames import numbers_of, table_of
from scanward.entrypoints.http.dicomweb.negotiation import DICOM, Choice, NotAcceptable, Offer, choose, ranges
from scanward.entrypoints.http.dicomweb.parts import Part, single
from scanward.entrypoints.http.dicomweb.rendered import is_image
from scanward.entrypoints.http.dicomweb.viewing import quality_of, viewport_of, window_of
from scanward.entrypoints.http.service import Here, Service
from scanward.errors import BadInput, NotFound
from scanward.ports.decoder import Viewport
from scanward.ports.object_store import Zone
from scanward.ports.search import Entry

router: Final = APIRouter(tags=["dicomweb"])
_OPEN: Final = 8192
_PICTURES: Final = ("image/jpeg", "image/png", "image/gif")
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Problem, "description": "The request cannot be read"},
    404: {"model": Problem, "description": "There is nothing of that name in the zone"},
    406: {"model": Problem, "description": "Nothing that the client takes can be made of it"},
}
_PARAMETERS: Final = [
    {"name": name, "in": "query", "required": needed, "schema": {"type": "string"}}
    for names, needed in (
        ("requestType studyUID seriesUID objectUID", True),
        ("contentType transferSyntax frameNumber rows columns", False),
        ("windowCenter windowWidth imageQuality anonymize", False),
    )
    for name in names.split()
]


@router.get(
    "/dicomweb/{zone}/wado",
    summary="Retrieve an object (WADO-URI)",
    responses=_ANSWERS,
    openapi_extra={"parameters": _PARAMETERS},
)
async def wado(request: Request, zone: ReadZone, service: Here) -> Response:
    """Give one object as a picture or as DICOM."""
    query = request.query_params
    if query.get("requestType") != "WADO":
        raise BadInput("`requestType` is WADO.")
    uids = [query.get(name, "") for name in ("studyUID", "seriesUID", "objectUID")]
    if not all(uids):
        raise BadInput("`studyUID`, `seriesUID` and `objectUID` are needed.")
    if query.get("anonymize", "no") != "no" and zone != Zone.DEID:
        raise NotAcceptable("Nothing is de-identified on its way out: ask the zone `deid`.")
    found = await asyncio.to_thread(service.ports.search.entries, Zone(zone), *uids)
    if not found:
        raise NotFound(f"There is nothing of that name in zone {zone}.")
    return await _answer(request, service, Zone(zone), found[0])


async def _answer(request: Request, service: Service, zone: Zone, entry: Entry) -> Response:
    """Choose what to give: a picture of an image and DICOM of all else, unless asked (PS3.18 9.4.1.1)."""
    shows = await is_image(service, zone, entry)
    kinds = (*_PICTURES, DICOM) if shows else (DICOM,)
    wanted = ranges(request.query_params.get("contentType", "")) or ranges("*/*")
    kind = choose(wanted, [Offer(kind) for kind in kinds]).offer.kind
    if kind == DICOM:
        return await _object(request, service, zone, entry)
    return await _picture(request, service, zone, entry, kind)


async def _object(request: Request, service: Service, zone: Zone, entry: Entry) -> Response:
    """Give DICOM: Explicit VR Little Endian unless asked otherwise, a film as it is (PS3.18 9.4.1.1)."""
    is_film = SYNTAXES[entry.transfer_syntax].codec is Codec.VIDEO
    plain = entry.transfer_syntax if is_film else EXPLICIT_LITTLE_ENDIAN
    choice = Choice(Offer(DICOM), request.query_params.get("transferSyntax", plain))
    if transcoded.is_needed(choice, [entry]):
        return await transcoded.given(service, zone, [entry], choice)
    kind = {"Content-Type": f"{DICOM}; transfer-syntax={entry.transfer_syntax}"}
    return single(request, service.ports.objects, zone, Part(entry.key, (Span(0, entry.size),), kind), {})


async def _picture(request: Request, service: Service, zone: Zone, entry: Entry, kind: str) -> Response:
    query = request.query_params
    indices = None
    if "frameNumber" in query:
        indices = numbers_of(query["frameNumber"], await table_of(service, zone, entry))[:1]
    asked = [query[name] for name in ("windowCenter", "windowWidth") if name in query]
    if len(asked) == 1:
        raise BadInput("`windowCenter` and `windowWidth` come together.")
    wanted = Wanted(
        kind,
        quality_of(query.get("imageQuality", "")),
        window_of(",".join(asked)),
        _viewport(request),
    )
    async with service.decoding:
        made = await asyncio.to_thread(picture, service.frames, zone, entry, indices, wanted)
    return Response(made, 200, {"Vary": "Accept"}, media_type=kind)


def _viewport(request: Request) -> Viewport | None:
    """Return the size of `columns` and `rows`; one alone leaves the other open (PS3.18 9.4.1.2)."""
    columns, rows = (request.query_params.get(name, "") for name in ("columns", "rows"))
    if "region" in request.query_params:
        raise NotAcceptable("Regions are shown by `/rendered` and its `viewport`.")
    if not columns and not rows:
        return None
    return viewport_of(f"{columns or _OPEN},{rows or _OPEN}")
