"""`/health` and `/ready`: open to all, and telling nothing of any object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.responses import Response

from scanward import __version__, logs
from scanward.entrypoints.http.answers import HealthAnswer, ReadyAnswer
from scanward.entrypoints.http.service import Here, Service
from scanward.errors import OutOfSpace

router: Final = APIRouter(tags=["operation"])
log = logs.logger(__name__)


@router.get("/health", summary="Whether the process is alive")
async def health() -> HealthAnswer:
    """Answer without asking anything of the disk or the catalog."""
    return HealthAnswer(version=__version__)


@router.get(
    "/ready",
    summary="Whether uploads would be taken and worked on",
    response_model=ReadyAnswer,
    responses={503: {"model": ReadyAnswer, "description": "A check failed"}},
)
def ready(service: Here) -> Response:
    """Try the store, the free space, the catalog, the key and the workers."""
    checks = {name: _well(name, check, service) for name, check in _CHECKS.items()}
    well = all(checks.values())
    answer = ReadyAnswer(status="ready" if well else "not ready", checks=checks)
    return JSONResponse(answer.model_dump(mode="json"), 200 if well else 503)


def _store(service: Service) -> bool:
    try:
        return _free_space(service)
    except OutOfSpace:
        return True  # the store works; that it is full is the next check's


def _free_space(service: Service) -> bool:
    staged = service.ports.objects.stage()
    try:
        staged.write(b"\0")
    finally:
        staged.discard()
    return True


def _catalog(service: Service) -> bool:
    service.ports.executions.statistics()
    return True


def _key(service: Service) -> bool:
    return service.ports.secrets.fingerprint() == service.fingerprint


def _workers(service: Service) -> bool:
    return service.workers_alive()


_CHECKS: Final[dict[str, Callable[[Service], bool]]] = {
    "store": _store,
    "free_space": _free_space,
    "catalog": _catalog,
    "key": _key,
    "workers": _workers,
}


def _well(name: str, check: Callable[[Service], bool], service: Service) -> bool:
    try:
        return check(service)
    except Exception as error:  # noqa: BLE001 -- a door: a check that fails in any way is a check that failed
        log.warning(
            "not ready", operation="ready", status="failed", check=name, exception=type(error).__name__
        )
        return False
