"""WADO-RS: metadata, instances, frames and bulk data as they are stored (PS3.18 10.4)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from scanward import wiring
from scanward.dicom import bulk, structure
from scanward.dicom.bulk import steps_of
from scanward.dicom.frames import unpacked
from scanward.dicom.json_model import JsonModels, is_whole, lines, whole
from scanward.dicom.pieces import Span
from scanward.dicom.structure.coding import PIXEL_TAGS
from scanward.dicom.xml_model import native_model
from scanward.entrypoints.http.answers import Problem
from scanward.entrypoints.http.dicomweb import frames, transcoded
from scanward.entrypoints.http.dicomweb.addresses import Place, ReadZone, Uid, of_entry, root_of
from scanward.entrypoints.http.dicomweb.negotiation import (
    DICOM,
    JSON,
    OCTETS,
    XML,
    ZIP,
    NotAcceptable,
    Offer,
    asked,
    choose,
)
from scanward.entrypoints.http.dicomweb.parts import Part, related, single, xml_parts, zipped
from scanward.entrypoints.http.ranges import has_already
from scanward.entrypoints.http.service import Here, Service
from scanward.errors import BadInput, NotFound
from scanward.ports.object_store import Zone
from scanward.ports.search import Entry

router: Final = APIRouter(tags=["dicomweb"])
_METADATA: Final = (Offer(JSON), Offer("application/json"), Offer(XML, multipart=True))
_OBJECTS: Final = (Offer(DICOM, multipart=True), Offer(ZIP))
_OBJECT: Final = (Offer(DICOM, multipart=True), Offer(DICOM), Offer(ZIP))
_BULK: Final = (Offer(OCTETS, multipart=True), Offer(OCTETS))
_EXPLICIT: Final = "1.2.840.10008.1.2.1"
_IMPLICIT: Final = "1.2.840.10008.1.2"
_LARGEST_HEADER: Final = 32 << 20
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Problem, "description": "The request cannot be read"},
    404: {"model": Problem, "description": "There is nothing of that name in the zone"},
    406: {"model": Problem, "description": "Nothing that the client takes can be given"},
}


async def _entries(
    service: Service, zone: Zone, study_uid: str, series_uid: str = "", instance_uid: str = ""
) -> Sequence[Entry]:
    found = await asyncio.to_thread(service.ports.search.entries, zone, study_uid, series_uid, instance_uid)
    if not found:
        raise NotFound(f"There is nothing of that name in zone {zone}.")
    return found


async def _metadata(request: Request, service: Service, zone: Zone, *uids: str) -> Response:
    choice = choose(asked(request), _METADATA)
    found = await _entries(service, zone, *uids)
    root = root_of(request, zone)
    headers = {"Vary": "Accept", "ETag": _tag_of(found, root, choice.offer.kind)}
    if has_already(request, headers["ETag"]):
        return Response(None, 304, headers)
    bodies = [
        whole(await _model(service, zone, entry), f"{of_entry(root, entry)}/".encode()) for entry in found
    ]
    if choice.offer.kind == XML:
        return xml_parts([native_model(body) for body in bodies], headers)
    return Response(b"[" + b",".join(bodies) + b"]", 200, headers, media_type=choice.offer.kind)


async def _model(service: Service, zone: Zone, entry: Entry) -> bytes:
    """Return an object's whole model: the one that is kept, or made now where that is abridged or missing."""
    return entry.model if is_whole(entry.model) else await asyncio.to_thread(_made, service, zone, entry)


def _made(service: Service, zone: Zone, entry: Entry) -> bytes:
    with service.ports.objects.open(zone, entry.key) as opened:
        found = structure.check(opened.view, wiring.open_bounds(service.settings))
        if found.header_bytes > _LARGEST_HEADER:
            raise NotAcceptable(
                f"The object's header is longer than {_LARGEST_HEADER} bytes; retrieve the object itself."
            )
        return lines(JsonModels().fragments(opened.view, found))


def _tag_of(found: Sequence[Entry], *more: str) -> str:
    """Return an entity tag that changes with any object of the answer; keys are hashes of content."""
    named = "\n".join([*(entry.key for entry in found), *more])
    return f'"{hashlib.sha256(named.encode()).hexdigest()[:32]}"'


async def _objects(request: Request, service: Service, zone: Zone, *uids: str) -> Response:
    found = await _entries(service, zone, *uids)
    choice = choose(asked(request), _OBJECT if len(found) == 1 else _OBJECTS)
    if transcoded.is_needed(choice, found):
        return await transcoded.given(service, zone, found, choice)
    parts = [_part(entry) for entry in found]
    objects = service.ports.objects
    if choice.offer.kind == ZIP:
        names = [f"{entry.instance_uid}.dcm" for entry in found]
        return zipped(objects, zone, list(zip(names, parts, strict=True)))
    if choice.offer.multipart:
        return related(objects, zone, parts, DICOM)
    headers = {"ETag": _tag_of(found)}
    if has_already(request, headers["ETag"]):
        return Response(None, 304, headers)
    return single(request, objects, zone, parts[0], headers)


def _part(entry: Entry) -> Part:
    kind = f"{DICOM}; transfer-syntax={entry.transfer_syntax}"
    return Part(entry.key, (Span(0, entry.size),), {"Content-Type": kind})


def _syntax_of_frames(entry: Entry) -> str:
    """Return the transfer syntax of frames alone: native ones are alike in both little endian ones."""
    return _EXPLICIT if entry.transfer_syntax == _IMPLICIT else entry.transfer_syntax


async def _bulk(request: Request, service: Service, zone: Zone, entry: Entry, path: str) -> Response:
    """Give one value: of encapsulated pixels the frames, of all else its bytes, little endian as stored."""
    steps = steps_of(path)
    if steps is None:
        raise BadInput("Bulk data are addressed by tags, with the numbers of items between them.")
    if steps[-1] in PIXEL_TAGS and len(steps) == 1 and entry.frames:
        table = unpacked(entry.frames)
        if not table.bits:
            return await frames.answer(request, service, zone, entry, table, range(table.count))
    choice = choose(asked(request), _BULK)
    part = await asyncio.to_thread(_value, service, zone, entry, steps)
    if choice.offer.multipart:
        return related(service.ports.objects, zone, [part], OCTETS)
    return single(request, service.ports.objects, zone, part, {"ETag": _tag_of([entry], path)})


def _value(service: Service, zone: Zone, entry: Entry, steps: tuple[int, ...]) -> Part:
    with service.ports.objects.open(zone, entry.key) as opened:
        found = bulk.find(opened.view, steps)
        if found is None:
            raise NotFound("The object has no value at that place.")
        if found.is_inflated:
            raise NotAcceptable("A deflated object's values are given inside its metadata and with it whole.")
        kind = f"{OCTETS}; transfer-syntax={_syntax_of_frames(entry)}"
        return Part(entry.key, (found.span,), {"Content-Type": kind})


@router.get("/dicomweb/{zone}/studies/{study_uid}", summary="Retrieve a study", responses=_ANSWERS)
async def retrieve_study(request: Request, zone: ReadZone, study_uid: Uid, service: Here) -> Response:
    """Give all instances of a study, as stored or in the transfer syntax asked for."""
    return await _objects(request, service, Zone(zone), study_uid)


@router.get(
    "/dicomweb/{zone}/studies/{study_uid}/metadata", summary="Retrieve a study's metadata", responses=_ANSWERS
)
async def study_metadata(request: Request, zone: ReadZone, study_uid: Uid, service: Here) -> Response:
    """Give the attributes of all instances of a study, bulk data by address."""
    return await _metadata(request, service, Zone(zone), study_uid)


@router.get(
    "/dicomweb/{zone}/studies/{study_uid}/series/{series_uid}",
    summary="Retrieve a series",
    responses=_ANSWERS,
)
async def retrieve_series(
    request: Request, zone: ReadZone, study_uid: Uid, series_uid: Uid, service: Here
) -> Response:
    """Give all instances of a series, as stored or in the transfer syntax asked for."""
    return await _objects(request, service, Zone(zone), study_uid, series_uid)


@router.get(
    "/dicomweb/{zone}/studies/{study_uid}/series/{series_uid}/metadata",
    summary="Retrieve a series' metadata",
    responses=_ANSWERS,
)
async def series_metadata(
    request: Request, zone: ReadZone, study_uid: Uid, series_uid: Uid, service: Here
) -> Response:
    """Give the attributes of all instances of a series, bulk data by address."""
    return await _metadata(request, service, Zone(zone), study_uid, series_uid)


@router.get(
    "/dicomweb/{zone}/studies/{study_uid}/series/{series_uid}/instances/{instance_uid}",
    summary="Retrieve an instance",
    responses=_ANSWERS,
)
async def retrieve_instance(
    request: Request, zone: ReadZone, study_uid: Uid, series_uid: Uid, instance_uid: Uid, service: Here
) -> Response:
    """Give one instance, as stored or in the transfer syntax asked for."""
    return await _objects(request, service, Zone(zone), study_uid, series_uid, instance_uid)


@router.get(
    "/dicomweb/{zone}/studies/{study_uid}/series/{series_uid}/instances/{instance_uid}/metadata",
    summary="Retrieve an instance's metadata",
    responses=_ANSWERS,
)
async def instance_metadata(
    request: Request, zone: ReadZone, study_uid: Uid, series_uid: Uid, instance_uid: Uid, service: Here
) -> Response:
    """Give the attributes of one instance, bulk data by address."""
    return await _metadata(request, service, Zone(zone), study_uid, series_uid, instance_uid)


@router.get(
    "/dicomweb/{zone}/studies/{study_uid}/series/{series_uid}/instances/{instance_uid}/frames/{numbers}",
    summary="Retrieve frames",
    responses=_ANSWERS,
)
async def retrieve_frames(
    request: Request, zone: ReadZone, place: Place, numbers: str, service: Here
) -> Response:
    """Give some frames of an instance: as stored, decoded, or compressed anew."""
    (entry,) = await _entries(service, Zone(zone), *place)
    return await frames.given(request, service, Zone(zone), entry, numbers)


@router.get(
    "/dicomweb/{zone}/studies/{study_uid}/series/{series_uid}/instances/{instance_uid}/pixeldata",
    summary="Retrieve pixel data",
    responses=_ANSWERS,
)
async def retrieve_pixel_data(request: Request, zone: ReadZone, place: Place, service: Here) -> Response:
    """Give all frames of an instance: as stored, decoded, or compressed anew."""
    (entry,) = await _entries(service, Zone(zone), *place)
    table = await frames.table_of(service, Zone(zone), entry)
    return await frames.answer(request, service, Zone(zone), entry, table, range(table.count))


@router.get(
    "/dicomweb/{zone}/studies/{study_uid}/series/{series_uid}/instances/{instance_uid}/bulkdata/{path:path}",
    summary="Retrieve bulk data",
    responses=_ANSWERS,
)
async def retrieve_bulk_data(
    request: Request, zone: ReadZone, place: Place, path: str, service: Here
) -> Response:
    """Give one value of an instance, by the address that its metadata tell."""
    (entry,) = await _entries(service, Zone(zone), *place)
    return await _bulk(request, service, Zone(zone), entry, path)
