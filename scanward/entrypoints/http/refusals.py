"""Errors as answers: always `statusCode, error, message, details`, and a short page where a person asks."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from scanward.entrypoints.http.rendering import render
from scanward.errors import BadInput, JsonValue, NotFound, Refused, ScanwardError

UNFORESEEN: Final = (
    "The service failed in a way that was not foreseen; its log names the place by the request ID."
)
_RETRY_SECONDS: Final = "5"


class Unauthorized(Refused):
    """The start-up token is missing or wrong."""

    status = 401
    error = "Unauthorized"


class Misdirected(Refused):
    """The Host is not one that this service answers for."""

    status = 421
    error = "Misdirected request"


class SlowBody(BadInput):
    """A body's sender was silent too long, or sends too slowly to ever end."""

    status = 408
    error = "Request timeout"


class Unsupported(BadInput):
    """A body of a kind that no door takes."""

    status = 415
    error = "Unsupported media type"


class Unprocessable(BadInput):
    """A parameter is missing or has the wrong form."""

    status = 422
    error = "Unprocessable request"


def answer(error: ScanwardError, request: Request) -> Response:
    """Return an error as JSON in the API document's form, or as a page to a browser."""
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorized) else {}
    if error.status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE}:
        headers["Retry-After"] = _RETRY_SECONDS
    if error.status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
        headers["Connection"] = "close"
    if wants_page(request):
        page = render("refusal.html", status=error.status, error=error.error, message=error.message)
        return HTMLResponse(page, error.status, headers)
    return JSONResponse(error.as_json(), error.status, headers)


def wants_page(request: Request) -> bool:
    """Tell a browser, which asks for HTML by name, from a program."""
    return "text/html" in request.headers.get("accept", "")


def install(app: FastAPI) -> None:
    """Answer every error of the router in one form."""
    app.add_exception_handler(ScanwardError, _own)
    app.add_exception_handler(RequestValidationError, _unprocessable)
    app.add_exception_handler(HTTPException, _routing)


async def _own(request: Request, error: Exception) -> Response:
    return answer(error, request) if isinstance(error, ScanwardError) else _plain(request, 500, UNFORESEEN)


async def _unprocessable(_request: Request, error: Exception) -> Response:
    # Pydantic's own text and `input` quote the value; the place and the kind of fault are enough.
    faults: list[JsonValue] = []
    if isinstance(error, RequestValidationError):
        faults = [_fault(found) for found in error.errors()]
    content = Unprocessable("a parameter is missing or has the wrong form; `details` names it").as_json()
    content["details"] = {"faults": faults}
    return JSONResponse(content, 422)


def _fault(found: dict[str, object]) -> JsonValue:
    place = found.get("loc", ())
    parts = [str(part) for part in place] if isinstance(place, tuple) else []
    return {"place": ".".join(parts), "rule": str(found.get("type", ""))}


async def _routing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = {404: "there is nothing at this address", 405: "the method is not one of this address"}
    response = _plain(request, status, message.get(status, HTTPStatus(status).phrase))
    if isinstance(error, HTTPException) and error.headers and "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _plain(request: Request, status: int, message: str) -> Response:
    if status == HTTPStatus.NOT_FOUND:
        return answer(NotFound(message), request)
    phrase = HTTPStatus(status).phrase.capitalize()
    return JSONResponse({"statusCode": status, "error": phrase, "message": message, "details": {}}, status)
