"""The plain page for people: studies, executions, an upload form; and the API's description."""

from __future__ import annotations

from importlib import resources
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from scanward.entrypoints.http.answers import ExecutionAnswer, Problem, StudyAnswer
from scanward.entrypoints.http.rendering import render
from scanward.entrypoints.http.service import Here
from scanward.entrypoints.http.studies import Offset, ReadableZone
from scanward.errors import NotFound
from scanward.ports.object_store import Zone

router: Final = APIRouter(tags=["page"], default_response_class=HTMLResponse)
_STUDIES: Final = 50
_EXECUTIONS: Final = 50
_TYPES: Final = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "docs.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


@router.get("/", summary="The page: studies, executions, upload")
def page(
    service: Here,
    zone: ReadableZone = Zone.DEID,
    offset: Offset = 0,
    after: Annotated[str, Query(max_length=64, description="The last execution of the page before.")] = "",
) -> HTMLResponse:
    """Show what is here, what is under way and what was refused, and take files."""
    studies = service.ports.catalog.studies(Zone(zone), _STUDIES + 1, offset)
    executions = service.ports.executions.list(limit=_EXECUTIONS, after=after)
    return HTMLResponse(
        render(
            "index.html",
            zone=Zone(zone).value,
            studies=[StudyAnswer.of(study) for study in studies[:_STUDIES]],
            executions=[ExecutionAnswer.of(execution) for execution in executions],
            previous=max(0, offset - _STUDIES) if offset else None,
            following=offset + _STUDIES if len(studies) > _STUDIES else None,
            older=executions[-1].id if len(executions) == _EXECUTIONS else None,
            after=after,
        )
    )


@router.get("/docs", summary="The API's description for people")
async def docs() -> HTMLResponse:
    """Show the OpenAPI document as a page that needs nothing from any other host."""
    return HTMLResponse(render("docs.html"))


@router.get(
    "/static/{name}",
    summary="Style and script of the pages",
    response_class=Response,
    responses={404: {"model": Problem, "description": "There is no such file"}},
)
def static(name: Annotated[str, Path(max_length=64)]) -> Response:
    """Return one of the pages' own files; the name is looked up, never opened as it comes."""
    if name not in _TYPES:
        raise NotFound("there is nothing at this address")
    content = resources.files("scanward.entrypoints.http").joinpath("static", name).read_bytes()
    return Response(content, media_type=_TYPES[name])
