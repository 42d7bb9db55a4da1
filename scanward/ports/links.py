"""Signed, expiring addresses of single objects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from scanward.ports.object_store import Zone


@dataclass(frozen=True, slots=True)
class Grant:
    """What a link allows."""

    zone: Zone
    key: str
    method: str
    expires: datetime


class Links(Protocol):
    """Makes and checks links, bound to zone, key and method."""

    def make(self, zone: Zone, key: str, lifetime: timedelta, method: str = "GET") -> str:
        """Return a URL-safe token. Raises BadInput beyond 7 days or at zero, and for quarantine."""
        ...

    def check(self, token: str, method: str) -> Grant:
        """Return the grant. Raises Refused if forged, expired or for another method."""
        ...

    def address(self, grant: Grant) -> str:
        """Return where the object is to be had directly for some minutes; "" where the service hands it out.

        Raises NotFound.
        """
        ...
