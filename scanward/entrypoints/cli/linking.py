"""`scanward link`: a signed, expiring address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from scanward.entrypoints.cli.console import print_json
from scanward.errors import BadInput
from scanward.ports.object_store import Zone
from scanward.settings import Settings
from scanward.wiring import open_ports

_TIME = re.compile(r"^(\d{1,7})\s*(s|m|h|d)$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """The command's arguments."""

    key: str
    expires: str
    zone: str
    base: str


def lifetime(text: str) -> timedelta:
    """Return the time of `30s`, `15m`, `1h` or `7d`. Raises BadInput."""
    match = _TIME.match(text.strip())
    if match is None:
        raise BadInput("--expires is a number and s, m, h or d, such as 1h.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def print_link(settings: Settings, request: LinkRequest, *, json: bool) -> None:
    """Print the address of an object that is there. Raises BadInput, NotFound."""
    valid = lifetime(request.expires)
    ports = open_ports(settings, sweep=False)
    zone = Zone(request.zone)
    token = ports.links.make(zone, request.key, valid)
    with ports.objects.open(zone, request.key):  # NotFound is better said now than to whom the link is sent
        pass
    url = f"{request.base.rstrip('/')}/links/{token}"
    if json:
        expires = ports.clock.now() + valid
        print_json(
            {
                "url": url,
                "zone": zone.value,
                "key": request.key,
                "expires": expires.isoformat(timespec="seconds"),
            }
        )
    else:
        print(url)  # noqa: T201 - it is the command's answer, to be piped
