"""The FastAPI application: routers behind the policy layer, and every error in one form."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from fastapi import FastAPI

from scanward import __version__, pipeline, wiring
from scanward.deliver.transcode import Frames
from scanward.entrypoints.http import (
    changes,
    executions,
    health,
    links,
    metrics,
    page,
    policy,
    refusals,
    studies,
    uploads,
)
from scanward.entrypoints.http.answers import Problem
from scanward.entrypoints.http.dicomweb import (
    capabilities,
    delete,
    rendered,
    retrieve,
    search,
    store,
    wado_uri,
)
from scanward.entrypoints.http.dicomweb.cors import CorsLayer
from scanward.entrypoints.http.dicomweb.heads import HeadLayer
from scanward.entrypoints.http.service import Limits, Service
from scanward.ports import Ports
from scanward.settings import Settings

_ROUTERS: Final = (
    uploads, executions, studies, links, health, metrics, page, changes, capabilities, search, retrieve,
    rendered, store, wado_uri, delete,
)  # fmt: skip
_POOL: Final = 8
_DESCRIPTION: Final = """Takes DICOM in, checks it, takes the patient out of it, keeps it, and hands it out.

Every request but those to `/health`, `/ready` and `/links/{token}` needs the start-up token that the server
prints: as `Authorization: Bearer`, or once as `?token=` in a browser, which gets a cookie for it. Errors have
one form: `statusCode`, `error`, `message`, `details`."""


def create_app(
    settings: Settings,
    ports: Ports,
    *,
    start_token: str,
    workers_alive: Callable[[], bool] = lambda: True,
    limits: Limits | None = None,
) -> FastAPI:
    """Return the application. Raises Misconfigured if a route has no policy.

    start_token: "" asks for none; workers_alive: what `/ready` asks; limits: bounds of bodies and peers.
    """
    found = limits or Limits()
    service = Service(
        settings=settings,
        ports=ports,
        accept=partial(pipeline.accept, ports=ports, bounds=wiring.open_bounds(settings)),
        fingerprint=ports.secrets.fingerprint(),
        workers_alive=workers_alive,
        metrics=metrics.Metrics(ports.executions.statistics),
        frames=Frames(ports.objects, wiring.open_decoder()),
        limits=found,
    )
    app = FastAPI(
        title="Scanward",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
    )
    app.state.service = service
    _route(app)
    refusals.install(app)
    app.add_middleware(HeadLayer)
    app.add_middleware(
        policy.PolicyLayer,
        start_token=start_token,
        idle_seconds=found.idle_seconds,
        answered=service.metrics.answered,
    )
    app.add_middleware(CorsLayer, origins=settings.cors_origins)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Bound the threads that touch the disk; a peer that waits is none of them."""
    with ThreadPoolExecutor(_POOL, thread_name_prefix="disk") as pool:
        asyncio.get_running_loop().set_default_executor(pool)
        yield
        app.state.service.frames.decoder.close()


def _route(app: FastAPI) -> None:
    """Add all routes, flat, so that each can be held against the table of policies."""
    problems: dict[int | str, dict[str, Any]] = {
        401: {"model": Problem, "description": "The start-up token is missing or wrong"},
        403: {"model": Problem, "description": "The request comes from another origin"},
        421: {"model": Problem, "description": "The Host is not loopback's"},
        422: {"model": Problem, "description": "A parameter is missing or has the wrong form"},
        500: {"model": Problem, "description": "What was not foreseen"},
    }

    @app.get("/openapi.json", tags=["page"], summary="This document", responses=problems)
    def openapi() -> dict[str, Any]:
        return app.openapi()

    for module in _ROUTERS:
        app.include_router(module.router, responses=problems)
    routes = [*app.routes, *(route for module in _ROUTERS for route in module.router.routes)]
    hidden = {str(getattr(route, "path", "")) for route in routes} - {""}
    document = app.openapi()
    _tell_errors_as_json(document)
    deletable = {path for path, item in document["paths"].items() if "delete" in item}
    policy.check(hidden | set(document["paths"]), deletable)


def _tell_errors_as_json(document: dict[str, Any]) -> None:
    """Say in the document that errors are JSON where the answer is not: FastAPI gives both one media type."""
    for operation in (operation for item in document["paths"].values() for operation in item.values()):
        for status, answer in operation["responses"].items():
            if status >= "400" and "content" in answer:
                answer["content"] = {"application/json": next(iter(answer["content"].values()))}
