"""`/executions`: each object's way through the line: list, describe, redrive."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.responses import Response

from scanward.entrypoints.http.answers import ExecutionAnswer, ExecutionsAnswer, Problem
from scanward.entrypoints.http.refusals import wants_page
from scanward.entrypoints.http.rendering import render
from scanward.entrypoints.http.service import Here
from scanward.ports.executions import Status

router: Final = APIRouter(tags=["executions"])
ExecutionId = Annotated[
    str, Path(pattern="^[0-9A-Za-z_-]{1,64}$", description="As the upload's answer names it.")
]
_MISSING: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Problem, "description": "There is no such execution"}
}


@router.get("/executions", summary="List executions, newest first")
def list_executions(
    service: Here,
    status: Annotated[Status | None, Query(description="Only those of this status.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str, Query(max_length=64, description="The last id of the page before.")] = "",
    *,
    dead_letter: Annotated[bool, Query(description="Only those given up after all attempts.")] = False,
) -> ExecutionsAnswer:
    """List what came in and what became of it."""
    found = service.ports.executions.list(status, limit, after, dead_letter=dead_letter)
    last = found[-1].id if len(found) == limit else ""
    return ExecutionsAnswer(executions=[ExecutionAnswer.of(execution) for execution in found], after=last)


@router.get(
    "/executions/{execution_id}",
    summary="Describe an execution",
    response_model=ExecutionAnswer,
    responses={
        200: {"content": {"text/html": {}}, "description": "The execution; a page where a browser asks"},
        **_MISSING,
    },
)
def describe_execution(request: Request, execution_id: ExecutionId, service: Here) -> Response:
    """Tell an execution's stages with their times, and its error, cause and faults if it failed."""
    answer = ExecutionAnswer.of(service.ports.executions.describe(execution_id))
    headers = {"Vary": "Accept"}
    if wants_page(request):
        return HTMLResponse(render("execution.html", execution=answer), 200, headers)
    return JSONResponse(answer.model_dump(mode="json"), 200, headers)


@router.post(
    "/executions/{execution_id}/redrive",
    summary="Start a failed execution anew",
    responses={**_MISSING, 400: {"model": Problem, "description": "It has not failed"}},
)
def redrive_execution(execution_id: ExecutionId, service: Here) -> ExecutionAnswer:
    """Send an object through the line again, with its attempts counted anew."""
    return ExecutionAnswer.of(service.ports.executions.redrive(execution_id))
