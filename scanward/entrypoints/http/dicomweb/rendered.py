"""WADO-RS: pictures and thumbnails of studies, series, instances and frames (PS3.18 10.4.1.1.3 and .5)."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from scanward.deliver.looks import Wanted
from scanward.deliver.rendered import picture
from scanward.dicom.structure.syntaxes import SYNTAXES, Codec
from scanward.entrypoints.http.answers import Problem
from scanward.entrypoints.http.dicomweb.addresses import Place, ReadZone, Uid
from scanward.entrypoints.http.dicomweb.frames import numbers_of, table_of
from scanward.entrypoints.http.dicomweb.negotiation import NotAcceptable, Offer, asked, choose
from scanward.entrypoints.http.dicomweb.viewing import Viewing, Views, thumbnail_of
from scanward.entrypoints.http.ranges import has_already
from scanward.entrypoints.http.service import Here, Service
from scanward.errors import NotFound
from scanward.ports.object_store import Zone
from scanward.ports.search import Entry

router: Final = APIRouter(tags=["dicomweb"])
_KINDS: Final = ("image/jpeg", "image/png", "image/gif")
_ALONE: Final = tuple(Offer(kind) for kind in _KINDS)
_TOGETHER: Final = tuple(Offer(kind, multipart=True) for kind in _KINDS)
_FILM: Final = "image/gif"
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Problem, "description": "The request cannot be read"},
    404: {"model": Problem, "description": "There is nothing of that name in the zone"},
    406: {"model": Problem, "description": "Nothing that the client takes can be made of it"},
}
_STUDY: Final = "/dicomweb/{zone}/studies/{study_uid}"
_SERIES: Final = f"{_STUDY}/series/{{series_uid}}"
_INSTANCE: Final = f"{_SERIES}/instances/{{instance_uid}}"
Shown = tuple[Entry, Sequence[int] | None]
"""An instance and its frames from 0 on; None leaves the choice to the object."""


async def _images(service: Service, zone: Zone, *uids: str) -> list[Entry]:
    """Return the instances that have pixels. Raises NotFound, and NotAcceptable if none has."""
    found = await asyncio.to_thread(service.ports.search.entries, zone, *uids)
    if not found:
        raise NotFound(f"There is nothing of that name in zone {zone}.")
    images = [entry for entry in found if await is_image(service, zone, entry)]
    if not images:
        raise NotAcceptable("There are no pixels that a picture could be made of.")
    return images


async def is_image(service: Service, zone: Zone, entry: Entry) -> bool:
    """Tell whether a picture can be made of an instance."""
    syntax = SYNTAXES[entry.transfer_syntax]
    if entry.frames or syntax.codec is not Codec.NATIVE:
        return bool(entry.frames) and syntax.codec is not Codec.VIDEO
    if syntax.coding.little_endian and not syntax.deflated:
        return False
    try:
        await table_of(service, zone, entry)
    except NotFound:
        return False
    return True


async def _answer(
    request: Request, service: Service, zone: Zone, shown: Sequence[Shown], view: Viewing
) -> Response:
    is_alone = len(shown) == 1
    offers = (*_ALONE, *_TOGETHER) if is_alone else (*_TOGETHER, *_ALONE)
    offer = choose(asked(request), offers).offer
    wanted = Wanted(offer.kind, view.quality, view.window, view.viewport, profile=view.profile)
    if not offer.multipart and not is_alone:
        shown = [_joined(shown, offer.kind)]
    headers = {**view.headers, "Vary": "Accept", "ETag": _tag_of(shown, wanted, offer)}
    if has_already(request, headers["ETag"]):
        return Response(None, 304, headers)
    first = await _made(service, zone, shown[0], wanted)
    if not offer.multipart:
        return Response(first, 200, headers, media_type=offer.kind)
    return _related(service, zone, shown, wanted, first, headers)


def _joined(shown: Sequence[Shown], kind: str) -> Shown:
    """Return several frames of one instance as a film. Raises NotAcceptable."""
    entry = shown[0][0]
    if kind != _FILM or any(other is not entry for other, _ in shown):
        raise NotAcceptable(
            "Several pictures are given as multipart/related, frames of an instance as image/gif."
        )
    return entry, [index for _, indices in shown for index in indices or ()]


async def _made(service: Service, zone: Zone, shown: Shown, wanted: Wanted) -> bytes:
    async with service.decoding:
        return await asyncio.to_thread(picture, service.frames, zone, *shown, wanted)


def _related(
    service: Service,
    zone: Zone,
    shown: Sequence[Shown],
    wanted: Wanted,
    first: bytes,
    headers: dict[str, str],
) -> Response:
    boundary = secrets.token_hex(16)

    async def body() -> AsyncIterator[bytes]:
        for place, one in enumerate(shown):
            made = first if not place else await _made(service, zone, one, wanted)
            lines = f"--{boundary}", f"Content-Type: {wanted.media_type}", f"Content-Length: {len(made)}"
            yield ("\r\n" * (place > 0) + "\r\n".join(lines) + "\r\n\r\n").encode() + made
        yield f"\r\n--{boundary}--\r\n".encode()

    kind = f'multipart/related; type="{wanted.media_type}"; boundary={boundary}'
    return StreamingResponse(body(), 200, headers, media_type=kind)


def _tag_of(shown: Sequence[Shown], wanted: Wanted, offer: Offer) -> str:
    named = repr(([(entry.key, indices) for entry, indices in shown], wanted, offer))
    return f'"{hashlib.sha256(named.encode()).hexdigest()[:32]}"'


async def _thumbnail(request: Request, service: Service, zone: Zone, shown: Shown, view: Viewing) -> Response:
    small = Viewing(None, thumbnail_of(view), view.quality, view.profile, view.unmet)
    return await _answer(request, service, zone, [shown], small)


async def _one_of(service: Service, zone: Zone, *uids: str) -> Shown:
    """Return what stands for a study or series: the middle of its first series with pixels."""
    images = await _images(service, zone, *uids)
    series = [entry for entry in images if entry.series_uid == images[0].series_uid]
    return series[len(series) // 2], None


@router.get(f"{_STUDY}/rendered", summary="Show a study", responses=_ANSWERS)
async def render_study(
    request: Request, zone: ReadZone, study_uid: Uid, view: Views, service: Here
) -> Response:
    """Give a picture of each instance of a study."""
    images = await _images(service, Zone(zone), study_uid)
    return await _answer(request, service, Zone(zone), [(entry, None) for entry in images], view)


@router.get(f"{_SERIES}/rendered", summary="Show a series", responses=_ANSWERS)
async def render_series(
    request: Request, zone: ReadZone, study_uid: Uid, series_uid: Uid, view: Views, service: Here
) -> Response:
    """Give a picture of each instance of a series."""
    images = await _images(service, Zone(zone), study_uid, series_uid)
    return await _answer(request, service, Zone(zone), [(entry, None) for entry in images], view)


@router.get(f"{_INSTANCE}/rendered", summary="Show an instance", responses=_ANSWERS)
async def render_instance(
    request: Request, zone: ReadZone, place: Place, view: Views, service: Here
) -> Response:
    """Give a picture of an instance, or a film of its frames as image/gif."""
    (entry,) = await _images(service, Zone(zone), *place)
    return await _answer(request, service, Zone(zone), [(entry, None)], view)


@router.get(f"{_INSTANCE}/frames/{{numbers}}/rendered", summary="Show frames", responses=_ANSWERS)
async def render_frames(
    request: Request, zone: ReadZone, place: Place, numbers: str, view: Views, service: Here
) -> Response:
    """Give pictures of some frames of an instance."""
    (entry,) = await _images(service, Zone(zone), *place)
    indices = numbers_of(numbers, await table_of(service, Zone(zone), entry))
    return await _answer(request, service, Zone(zone), [(entry, (index,)) for index in indices], view)


@router.get(f"{_STUDY}/thumbnail", summary="Show a study, small", responses=_ANSWERS)
async def study_thumbnail(
    request: Request, zone: ReadZone, study_uid: Uid, view: Views, service: Here
) -> Response:
    """Give one small picture that stands for a study."""
    shown = await _one_of(service, Zone(zone), study_uid)
    return await _thumbnail(request, service, Zone(zone), shown, view)


@router.get(f"{_SERIES}/thumbnail", summary="Show a series, small", responses=_ANSWERS)
async def series_thumbnail(
    request: Request, zone: ReadZone, study_uid: Uid, series_uid: Uid, view: Views, service: Here
) -> Response:
    """Give one small picture that stands for a series."""
    shown = await _one_of(service, Zone(zone), study_uid, series_uid)
    return await _thumbnail(request, service, Zone(zone), shown, view)


@router.get(f"{_INSTANCE}/thumbnail", summary="Show an instance, small", responses=_ANSWERS)
async def instance_thumbnail(
    request: Request, zone: ReadZone, place: Place, view: Views, service: Here
) -> Response:
    """Give a small picture of an instance."""
    shown = await _one_of(service, Zone(zone), *place)
    return await _thumbnail(request, service, Zone(zone), shown, view)


@router.get(f"{_INSTANCE}/frames/{{numbers}}/thumbnail", summary="Show a frame, small", responses=_ANSWERS)
async def frame_thumbnail(
    request: Request, zone: ReadZone, place: Place, numbers: str, view: Views, service: Here
) -> Response:
    """Give a small picture of the first of some frames."""
    (entry,) = await _images(service, Zone(zone), *place)
    indices = numbers_of(numbers, await table_of(service, Zone(zone), entry))
    return await _thumbnail(request, service, Zone(zone), (entry, indices[:1]), view)
