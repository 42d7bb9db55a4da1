"""What can be asked where: the roots, and each root's services (PS3.18 8.9, Retrieve Capabilities)."""

from __future__ import annotations

from typing import Any, Final
from xml.sax.saxutils import quoteattr

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from scanward.entrypoints.http.answers import Problem
from scanward.entrypoints.http.dicomweb.addresses import ReadZone, root_of
from scanward.entrypoints.http.dicomweb.negotiation import Offer, asked, choose
from scanward.ports.object_store import Zone

router: Final = APIRouter(tags=["dicomweb"])
WADL: Final = "application/vnd.sun.wadl+xml"
_OFFERS: Final = (Offer(WADL), Offer("application/json"))
_SERVICES: Final = {
    Zone.RAW: ("Store (STOW-RS)", "Search (QIDO-RS)", "Retrieve (WADO-RS)"),
    Zone.DEID: ("Search (QIDO-RS)", "Retrieve (WADO-RS)"),
}
_ROOT: Final = "/dicomweb/{zone}"
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {WADL: {}}, "description": "Methods and resources"},
    406: {"model": Problem, "description": "Nothing that the client takes can be given"},
}


@router.get("/dicomweb", summary="List the DICOMweb roots")
def list_roots(request: Request) -> dict[str, list[dict[str, Any]]]:
    """List the root of each zone with what it serves: raw is identified, deid is de-identified."""
    return {
        "roots": [
            {"zone": zone.value, "url": root_of(request, zone), "services": list(services)}
            for zone, services in _SERVICES.items()
        ]
    }


@router.options(_ROOT, summary="Retrieve a root's capabilities", responses=_ANSWERS)
def retrieve_capabilities(request: Request, zone: ReadZone) -> Response:
    """Describe every resource of a root with its methods, as WADL or as JSON (PS3.18 8.9)."""
    kind = choose(asked(request), _OFFERS).offer.kind
    found = _resources(request, Zone(zone))
    if kind != WADL:
        return JSONResponse({"root": root_of(request, Zone(zone)), "resources": found})
    inside = "".join(
        f"<resource path={quoteattr(path)}>"
        + "".join(f"<method name={quoteattr(method)}/>" for method in methods)
        + "</resource>"
        for path, methods in found.items()
    )
    base = quoteattr(f"{root_of(request, Zone(zone))}/")
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><application xmlns="http://wadl.dev.java.net/2009/02">'
        f"<resources base={base}>{inside}</resources></application>"
    )
    return Response(body, media_type=WADL)


def _resources(request: Request, zone: Zone) -> dict[str, list[str]]:
    """Return the methods of each resource below a root, as the service's own document has them."""
    found: dict[str, list[str]] = {}
    for path, operations in request.app.openapi()["paths"].items():
        if path.startswith(f"{_ROOT}/"):
            methods = sorted(name.upper() for name in operations)
            if zone is not Zone.RAW:
                methods = [method for method in methods if method not in {"POST", "DELETE"}]
            if methods:
                found[path.removeprefix(f"{_ROOT}/")] = methods
    return found
