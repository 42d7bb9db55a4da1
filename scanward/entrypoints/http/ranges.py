"""Parts of a representation by Range, and answers that a client has already (RFC 9110 13, 14)."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request

from scanward.errors import BadInput

_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


class RangeNotSatisfiable(BadInput):
    """The range asked for lies outside the object (RFC 9110 15.5.17)."""

    status = 416
    error = "Range not satisfiable"


def range_of(header: str, size: int) -> tuple[int, int]:
    """Return a Range header's half-open range; several ranges, or none, are the whole (RFC 9110 14.2)."""
    found = _RANGE.fullmatch(header.strip())
    if found is None or found.groups() == ("", ""):
        return 0, size
    first, last = found.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    if start >= end:
        raise RangeNotSatisfiable(f"the object has {size} bytes")
    return start, end


def has_already(request: Request, tag: str) -> bool:
    """Tell whether If-None-Match names the entity tag that the answer would have."""
    named = ",".join(request.headers.getlist("if-none-match"))
    tags = {one.strip().removeprefix("W/") for one in named.split(",")}
    return tag in tags or "*" in tags
