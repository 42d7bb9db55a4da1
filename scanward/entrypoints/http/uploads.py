"""`POST /uploads`: files in, streamed to the disk, through the gate, durable before the answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from scanward.entrypoints.http.answers import Problem, UploadAnswer, UploadProblem
from scanward.entrypoints.http.bodies import drain, in_step, paced
from scanward.entrypoints.http.reception import Reception
from scanward.entrypoints.http.refusals import Unsupported
from scanward.entrypoints.http.service import Here, Service
from scanward.errors import BadInput, ScanwardError, TooLarge, Unavailable
from scanward.receive.multipart import Begin, Data, End, Event, Form

router: Final = APIRouter(tags=["uploads"])
_SINGLE: Final = {"application/dicom": "object", "application/zip": "archive.zip"}
_GONE: Final = 499
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_FORM: Final = {
    "schema": {
        "type": "object",
        "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
    }
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": _FORM,
            "application/dicom": _BINARY,
            "application/zip": _BINARY,
        },
    }
}


@router.post(
    "/uploads",
    summary="Send DICOM files or zip archives",
    openapi_extra=_BODY,
    response_model=UploadAnswer,
    status_code=202,
    responses={
        200: {
            "model": UploadAnswer,
            "description": "Nothing new: every file was here already or is read past",
        },
        400: {"model": UploadProblem, "description": "No file was accepted, or the body is broken"},
        408: {"model": UploadProblem, "description": "The sender was silent or too slow"},
        413: {"model": UploadProblem, "description": "No file was accepted, and one is too large"},
        415: {"model": Problem, "description": "Neither multipart/form-data nor application/dicom or zip"},
        503: {"model": UploadProblem, "description": "Too many uploads at once, or the disk does not answer"},
        507: {"model": UploadProblem, "description": "The disk is nearly full"},
    },
)
async def upload(request: Request, service: Here) -> Response:
    """Take files of any number and size; each gets a row with its execution, or with its refusal's reason.

    What is answered as accepted is durable. The line validates and de-identifies it after the answer.
    """
    if service.uploads_under_way >= service.limits.uploads:
        raise Unavailable("too many uploads are under way; try again in a moment")
    service.uploads_under_way += 1
    reception = Reception(service)
    try:
        return await _received(request, reception, service)
    except ClientDisconnect:
        return Response(status_code=_GONE)  # nobody is there to read it
    finally:
        service.uploads_under_way -= 1
        await asyncio.shield(asyncio.to_thread(reception.abandon))


async def _received(request: Request, reception: Reception, service: Service) -> Response:
    try:
        await _take_body(request, reception, service)
    except ScanwardError as error:
        # Files of earlier batches are kept and told; what came after them is not.
        await asyncio.to_thread(reception.abandon)
        await drain(request)
        return _problem(error, reception, {"Connection": "close"})
    return _answer(reception)


async def _take_body(request: Request, reception: Reception, service: Service) -> None:
    await in_step(_events(request, service), reception.take)
    await asyncio.to_thread(reception.finish)


async def _events(request: Request, service: Service) -> AsyncIterator[list[Event]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        form = Form(request.headers["content-type"])
        async for chunk in paced(request, service.limits):
            yield form.feed(chunk)
        form.close()
    elif kind in _SINGLE:
        _check_declared(request, kind, service)
        yield [Begin(_SINGLE[kind])]
        async for chunk in paced(request, service.limits):
            yield [Data(chunk)]
        yield [End()]
    else:
        raise Unsupported("send multipart/form-data, application/dicom or application/zip")


def _check_declared(request: Request, kind: str, service: Service) -> None:
    declared = request.headers.get("content-length", "0")
    largest = service.settings.max_object_bytes
    if kind == "application/dicom" and declared.isdigit() and int(declared) > largest:
        raise TooLarge(f"the file is larger than {largest} bytes (SCANWARD_MAX_OBJECT_BYTES)")


def _counts(reception: Reception) -> dict[str, int]:
    return dict(Counter(row.status for row in reception.rows))


def _answer(reception: Reception) -> Response:
    rows, counts = reception.rows, _counts(reception)
    if not rows:
        return _problem(BadInput("there is no file in the body"), reception)
    if counts.get("accepted"):
        return JSONResponse(UploadAnswer(files=rows, counts=counts).model_dump(mode="json"), 202)
    if counts.get("rejected") != len(rows):
        return JSONResponse(UploadAnswer(files=rows, counts=counts).model_dump(mode="json"), 200)
    if reception.too_large:
        return _problem(TooLarge("no file was accepted; `files` names each reason"), reception)
    return _problem(BadInput("no file was accepted; `files` names each reason"), reception)


def _problem(
    error: ScanwardError, reception: Reception, headers: Mapping[str, str] = MappingProxyType({})
) -> Response:
    # One refused file is named by its own kind of fault, as the API document's errors are.
    rows = reception.rows
    content = error.as_json()
    if len(rows) == 1 and rows[0].status == "rejected" and isinstance(error, BadInput):
        content["error"] = rows[0].error
    content["files"] = [row.model_dump(mode="json") for row in rows]
    content["counts"] = dict(_counts(reception))
    again = {"Retry-After": "5"} if error.status in {503, 507} else {}
    return JSONResponse(content, error.status, {**headers, **again})
