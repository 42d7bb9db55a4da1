"""multipart/related (RFC 2387, PS3.18 8.6.1.2) as a stream of events: a body of any size in small memory.

    body = Related(content_type, bounds)
    for chunk in received:
        for event in body.feed(chunk): ...      # Part, Data, Data, End, Part, ...
    body.close()                                # raises BadInput if the body was cut

Delimiters are RFC 2046's (5.1.1): a preamble, an epilogue and blanks behind a boundary are read past.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from scanward.errors import BadInput, Fault, TooLarge
from scanward.receive.multipart import DEFAULT, Bounds, Data, End
from scanward.receive.related_headers import header_fields, media_type

# RFC 2046 5.1.1, the last no blank; of more than its 70 characters, for Orthanc sends 73.
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,199}[0-9A-Za-z'()+_,./:=?-]", re.ASCII)
_PADDING_MAX: Final = 256
_ASIDE_MAX: Final = 1 << 20
_AS_IT_IS: Final = {"", "identity", "binary", "8bit", "7bit"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part begins. `kind` is its media type, that of the whole body's `type` where it names none.

    location: its Content-Location, "" without one; encoded: its bytes are base64 or gzip, not the object's.
    """

    kind: str
    transfer_syntax: str = ""
    location: str = ""
    encoded: bool = False


RelatedEvent = Part | Data | End


class Related:
    """One body under way. `kind` is what its parts, or its first part, are said to be; "" if not said."""

    def __init__(self, content_type: str, bounds: Bounds = DEFAULT) -> None:
        """Take the boundary from the request's Content-Type. Raises BadInput without a legal one."""
        name, options = media_type(content_type)
        boundary = options.get("boundary", "")
        if name != "multipart/related" or not _BOUNDARY.fullmatch(boundary):
            raise _broken("the Content-Type is not multipart/related with a boundary of RFC 2046 5.1.1")
        self.kind = options.get("type", "").partition(";")[0].strip().lower()
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        self._bounds = bounds
        self._parts = self._aside = 0
        self._in_part = self._closed = self._no_content_yet = False
        # A delimiter begins with a line's end, which the first one need not have.
        self._rest = b"\r\n"
        self._events: list[RelatedEvent] = []
        self._step: Callable[[], bool] = self._content

    def feed(self, chunk: bytes) -> list[RelatedEvent]:
        """Take the body's next bytes; return what they complete. Raises BadInput or TooLarge."""
        self._rest += chunk
        while self._step():
            pass
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Tell that the body has ended. Raises BadInput unless its closing boundary came."""
        if not self._closed:
            raise _broken("the body ends before its closing boundary; its last part was not whole")

    def _content(self) -> bool:
        """Pass on what surely stands before the next delimiter."""
        found = self._rest.find(self._delimiter)
        end = found if found >= 0 else max(0, len(self._rest) - len(self._delimiter) + 1)
        if end:
            self._pass_on(self._rest[:end])
        if found < 0:
            self._rest = self._rest[end:]
            return False
        self._rest = self._rest[end + len(self._delimiter) :]
        self._step = self._line
        return True

    def _line(self) -> bool:
        """Read what stands behind a boundary: two hyphens, or blanks to the line's end."""
        if len(self._rest) < 2:  # noqa: PLR2004 - the two hyphens
            return False
        if self._rest.startswith(b"--"):
            self._end_part()
            self._closed, self._step = True, self._epilogue
            return True
        blanks = len(self._rest) - len(self._rest.lstrip(b" \t"))
        if len(self._rest) < blanks + 2 and blanks <= _PADDING_MAX:
            return False
        if self._rest.startswith(b"\r\n", blanks):
            self._end_part()
            self._rest, self._step = self._rest[blanks:], self._headers
        else:  # The boundary is only the beginning of a longer line, which belongs to the content.
            # Right behind the header, its line's end is not.
            self._pass_on(self._delimiter[2:] if self._no_content_yet else self._delimiter)
            self._no_content_yet, self._step = False, self._content
        return True

    def _headers(self) -> bool:
        """Read the part's header block; the rest begins with the end of the delimiter's line."""
        found = self._rest.find(b"\r\n\r\n")
        if (found if found >= 0 else len(self._rest)) > self._bounds.header_bytes:
            raise _broken(f"a part's header is longer than {self._bounds.header_bytes} bytes")
        if found < 0:
            return False
        self._begin_part(self._rest[2:found] if found else b"")
        self._rest, self._step = self._rest[found + 2 :], self._first
        return True

    def _first(self) -> bool:
        """Take off the empty line before the content; a part may have neither (RFC 2046 5.1.1)."""
        if len(self._rest) < len(self._delimiter) and self._delimiter.startswith(self._rest):
            return False
        self._no_content_yet = self._rest.startswith(self._delimiter)
        if not self._no_content_yet:
            self._rest = self._rest[2:]
        self._step = self._content
        return True

    def _epilogue(self) -> bool:
        self._set_aside(len(self._rest))
        self._rest = b""
        return False

    def _pass_on(self, content: bytes) -> None:
        if self._in_part:
            self._events.append(Data(content))
        else:
            self._set_aside(len(content))

    def _set_aside(self, count: int) -> None:
        self._aside += count
        if self._aside > _ASIDE_MAX:
            raise _broken(f"more than {_ASIDE_MAX} bytes stand before the first or behind the last part")

    def _begin_part(self, block: bytes) -> None:
        self._parts += 1
        if self._parts > self._bounds.parts:
            raise TooLarge(f"the body has more than {self._bounds.parts} parts; send it in several requests")
        if block.count(b"\r\n") >= self._bounds.headers:
            raise _broken(f"a part has more than {self._bounds.headers} header fields")
        try:
            self._events.append(self._part(header_fields(block)))
        except BadInput as error:
            raise _broken(error.message) from None
        self._in_part = True

    def _part(self, fields: dict[str, str]) -> Part:
        kind, options = media_type(fields.get("content-type") or self.kind or "application/octet-stream")
        codings = fields.get("content-encoding", ""), fields.get("content-transfer-encoding", "")
        return Part(
            kind,
            options.get("transfer-syntax", ""),
            fields.get("content-location", ""),
            encoded=any(one.lower() not in _AS_IT_IS for one in codings),
        )

    def _end_part(self) -> None:
        if self._in_part:
            self._events.append(End())
        self._in_part = False


def _broken(message: str) -> BadInput:
    return BadInput(message, faults=(Fault("multipart-broken", message, clause="RFC 2046 5.1.1"),))
