"""`/studies`: what a zone holds; JSON for programs, and the same as a page for people."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.responses import Response

from scanward.entrypoints.http.answers import (
    InstanceAnswer,
    Problem,
    StudiesAnswer,
    StudyAnswer,
    StudyInstancesAnswer,
)
from scanward.entrypoints.http.refusals import wants_page
from scanward.entrypoints.http.rendering import render
from scanward.entrypoints.http.service import Here
from scanward.ports.object_store import Zone

router: Final = APIRouter(tags=["studies"])
ReadableZone = Annotated[
    Literal[Zone.DEID, Zone.RAW], Query(description="deid: de-identified; raw: the originals, identified.")
]
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=1_000_000_000)]
StudyUid = Annotated[
    str, Path(pattern=r"^[0-9.]{1,64}$", description="StudyInstanceUID of the zone (PS3.5 9.1).")
]


@router.get("/studies", summary="List a zone's studies")
def list_studies(
    service: Here, zone: ReadableZone = Zone.DEID, limit: Limit = 100, offset: Offset = 0
) -> StudiesAnswer:
    """List studies, the newest received first. Quarantine is never served."""
    # One more than asked for tells whether there is a next page.
    found = service.ports.catalog.studies(Zone(zone), limit + 1, offset)
    return StudiesAnswer(
        zone=Zone(zone),
        studies=[StudyAnswer.of(study) for study in found[:limit]],
        next_offset=offset + limit if len(found) > limit else None,
    )


@router.get(
    "/studies/{study_uid}",
    summary="List a study's instances",
    response_model=StudyInstancesAnswer,
    responses={
        200: {"content": {"text/html": {}}, "description": "The instances; a page where a browser asks"},
        404: {"model": Problem, "description": "There is no such study in the zone"},
    },
)
def list_instances(
    request: Request,
    study_uid: StudyUid,
    service: Here,
    zone: ReadableZone = Zone.DEID,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> Response:
    """List a study's current instances by series and instance number, each with the key of its object."""
    found = service.ports.catalog.instances(Zone(zone), study_uid)
    answer = StudyInstancesAnswer(
        zone=Zone(zone),
        study_uid=study_uid,
        instances=[InstanceAnswer.of(kept) for kept in found[offset : offset + limit]],
        total=len(found),
        next_offset=offset + limit if offset + limit < len(found) else None,
    )
    headers = {"Vary": "Accept"}
    if wants_page(request):
        header = found[0].instance if found else None
        return HTMLResponse(
            render("study.html", study=answer, header=header, limit=limit, offset=offset), 200, headers
        )
    return JSONResponse(answer.model_dump(mode="json"), 200, headers)
