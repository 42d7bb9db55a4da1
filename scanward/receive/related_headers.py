"""Header fields of MIME: media types, and the block before a part (RFC 2045 5.1, RFC 5322 2.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from scanward.errors import BadInput

_KIND: Final = re.compile(r"[\w!#$&^.+*-]+/[\w!#$&^.+*-]+", re.ASCII)
_PARAMETER: Final = re.compile(r';\s*(?:([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*))?\s*')
_FIELD: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:(.*)", re.DOTALL)
_FOLD: Final = re.compile(r"\r\n[ \t]+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def media_type(text: str) -> tuple[str, Mapping[str, str]]:
    """Return type/subtype in lower case and its parameters by lower-case name, quotes taken off.

    A value may hold what should be quoted (`boundary=a=b:c`), as many senders write it. Raises BadInput.
    """
    kind, semicolon, rest = text.strip().partition(";")
    kind = kind.strip().lower()
    if not _KIND.fullmatch(kind):
        raise BadInput("a Content-Type is no media type")
    found: dict[str, str] = {}
    position, rest = 0, semicolon + rest
    while position < len(rest):
        match = _PARAMETER.match(rest, position)
        if match is None or match.end() == position:
            raise BadInput("a Content-Type has a malformed parameter")
        position = match.end()
        if match[1]:
            name = match[1].lower()
            if name in found:
                raise BadInput("a Content-Type names a parameter twice")
            found[name] = _unquoted(match[2].strip())
    return kind, found


def header_fields(block: bytes) -> dict[str, str]:
    """Return a part's header fields by lower-case name, the first of each; folded lines are joined.

    Raises BadInput for what is no field, for control characters, and for two different values of one name.
    """
    found: dict[str, str] = {}
    for line in _FOLD.sub(" ", block.decode("latin-1")).split("\r\n"):
        if not line:
            continue
        match = _FIELD.fullmatch(line)
        if match is None or _CONTROL.search(match[2]):
            raise BadInput("a part's header is malformed")
        name, value = match[1].lower(), match[2].strip()
        if found.setdefault(name, value) != value:
            raise BadInput("a part's header names a field twice with different values")
    return found


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
