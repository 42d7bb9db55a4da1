"""DELETE of studies, series and instances of raw, with all that was made of them.

PS3.18 defines no such transaction; the addresses are its resources' (10.1), the answers HTTP's (RFC 9110).
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from scanward import logs
from scanward.entrypoints.http.answers import Problem
from scanward.entrypoints.http.dicomweb.addresses import Place, ReadZone, Uid
from scanward.entrypoints.http.service import Here, Service
from scanward.ports.object_store import Zone

router: Final = APIRouter(tags=["dicomweb"])
_log = logs.logger(__name__)
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    204: {"description": "Nothing of it is left in either zone"},
    404: {"model": Problem, "description": "There is nothing of that name in the zone"},
    405: {
        "model": Problem,
        "description": "The deid zone is read only: what is in it goes with its original",
    },
    503: {"model": Problem, "description": "The store failed: it is not found any more, its bytes go later"},
}


@router.delete("/dicomweb/{zone}/studies/{study_uid}", summary="Delete a study", responses=_ANSWERS)
async def delete_study(zone: ReadZone, study_uid: Uid, service: Here) -> Response:
    """Remove a study from raw, and from deid and quarantine what was made of it."""
    return await _delete(service, Zone(zone), study_uid)


@router.delete(
    "/dicomweb/{zone}/studies/{study_uid}/series/{series_uid}", summary="Delete a series", responses=_ANSWERS
)
async def delete_series(zone: ReadZone, study_uid: Uid, series_uid: Uid, service: Here) -> Response:
    """Remove a series from raw, and from deid and quarantine what was made of it."""
    return await _delete(service, Zone(zone), study_uid, series_uid)


@router.delete(
    "/dicomweb/{zone}/studies/{study_uid}/series/{series_uid}/instances/{instance_uid}",
    summary="Delete an instance",
    responses=_ANSWERS,
)
async def delete_instance(zone: ReadZone, place: Place, service: Here) -> Response:
    """Remove an instance from raw, and from deid and quarantine what was made of it."""
    return await _delete(service, Zone(zone), *place)


async def _delete(service: Service, zone: Zone, *uids: str) -> Response:
    if zone is not Zone.RAW:
        raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"})
    count = await asyncio.to_thread(service.ports.deletion.delete, *uids)
    _log.info("deleted", operation="delete", instances=count)
    return Response(None, HTTPStatus.NO_CONTENT)
