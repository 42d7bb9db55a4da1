"""Where resources are: the public root, the zone, and the address of an instance (PS3.18 10.4.1)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Path
from starlette.requests import Request

from scanward.entrypoints.http.service import service_of
from scanward.ports.object_store import Zone
from scanward.ports.search import Entry, Match

ReadZone = Annotated[
    Literal[Zone.DEID, Zone.RAW], Path(description="deid: de-identified; raw: the originals, identified.")
]
Uid = Annotated[str, Path(pattern=r"^[0-9.]{1,64}$", description="A UID of the zone (PS3.5 9.1).")]


def _place(study_uid: Uid, series_uid: Uid, instance_uid: Uid) -> tuple[str, str, str]:
    return study_uid, series_uid, instance_uid


Place = Annotated[tuple[str, str, str], Depends(_place)]
"""The UIDs of one instance's path."""


def root_of(request: Request, zone: Zone) -> str:
    """Return the address of a zone's root: the public one, or by the name that the client called."""
    public = service_of(request).settings.public_url
    called = public or f"{request.url.scheme}://{_host_of(request)}"
    return f"{called}/dicomweb/{zone}"


def _host_of(request: Request) -> str:
    """Return the Host that was called; dicomweb-client names it without the port, which is then our own."""
    host = request.headers["host"]
    has_port = host.rpartition(":")[2].isdigit()
    port = (request.scope.get("server") or ("", 0))[1]
    standard = 443 if request.url.scheme == "https" else 80
    return host if has_port or not port or port == standard else f"{host}:{port}"


def of_entry(root: str, entry: Entry) -> str:
    """Return the address of an instance."""
    return f"{root}/studies/{entry.study_uid}/series/{entry.series_uid}/instances/{entry.instance_uid}"


def of_match(root: str, match: Match) -> str:
    """Return the address of what a search found."""
    address = f"{root}/studies/{match.study_uid}"
    address += f"/series/{match.series_uid}" if match.series_uid else ""
    return address + (f"/instances/{match.instance_uid}" if match.instance_uid else "")
