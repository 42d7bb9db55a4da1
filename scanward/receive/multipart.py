"""multipart/form-data (RFC 7578) as a stream of events: a body of any size in small memory.

    form = Form(content_type, bounds)
    for chunk in body:
        for event in form.feed(chunk): ...      # Begin, Data, Data, End, Begin, ...
    form.close()                                # raises BadInput if the body was cut

The parser is python-multipart's; added are bounds, names and the check that the body was closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from scanward.errors import BadInput, Fault, TooLarge

_NAME_MAX: Final = 255
_FILE_TYPES: Final = {b"application/dicom", b"application/zip", b"application/octet-stream"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one body: its parts, a part's headers, and the bytes of one header."""

    parts: int = 100_000
    headers: int = 16
    header_bytes: int = 8 << 10


@dataclass(frozen=True, slots=True)
class Begin:
    """A file begins. `name` is what its sender wrote, for people; never a path."""

    name: str


@dataclass(frozen=True, slots=True)
class Data:
    """The next bytes of the file that began last."""

    chunk: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The file that began last is whole: its closing boundary was seen."""


Event = Begin | Data | End
DEFAULT: Final = Bounds()


class Form:
    """One body under way. Form fields without a file name are passed over."""

    def __init__(self, content_type: str, bounds: Bounds = DEFAULT) -> None:
        """Take the boundary from the request's Content-Type. Raises BadInput if there is none."""
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not boundary:
            raise _broken("the Content-Type is not multipart/form-data with a boundary")
        self._bounds = bounds
        self._events: list[Event] = []
        self._parts = 0
        self._in_file = False
        self._closed = False
        self._field, self._value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        try:
            self._parser = self._made(boundary)
        except FormParserError:
            raise _broken("the boundary of the Content-Type is too long") from None

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the body's next bytes; return what they complete. Raises BadInput or TooLarge."""
        try:
            self._parser.write(chunk)
        except FormParserError:
            # The library's text quotes the body; it stays here.
            raise _broken("the body does not follow its boundary, or a part's header is malformed") from None
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Tell that the body has ended. Raises BadInput unless its closing boundary came."""
        if not self._closed:
            raise _broken("the body ends before its closing boundary; its last part was not whole")

    def _made(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part,
                "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._on_header,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=self._bounds.headers,
            max_header_size=self._bounds.header_bytes,
        )

    def _on_part(self) -> None:
        self._parts += 1
        self._headers = {}
        if self._parts > self._bounds.parts:
            raise TooLarge(f"the body has more than {self._bounds.parts} parts; send it in several requests")

    def _on_header(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field, self._value = bytearray(), bytearray()

    def _on_headers(self) -> None:
        name = _file_name(self._headers, self._parts)
        self._in_file = name is not None
        if name is not None:
            self._events.append(Begin(name))

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._events.append(Data(data[start:end]))

    def _on_part_end(self) -> None:
        if self._in_file:
            self._events.append(End())
        self._in_file = False

    def _on_end(self) -> None:
        self._closed = True


def shown_name(name: str) -> str:
    """Return a sender's name fit to be shown: of bounded length, without control characters."""
    return "".join(letter if letter.isprintable() else "�" for letter in name)[-_NAME_MAX:]


def _file_name(headers: dict[bytes, bytes], number: int) -> str | None:
    """Return the name of a part that is a file, None for a form field."""
    _, options = parse_options_header(headers.get(b"content-disposition", b""))
    if b"filename" in options:
        # python-multipart decodes headers as Latin-1 and encodes them so again: the bytes are the sender's.
        name = shown_name(options[b"filename"].decode("utf-8", "replace"))
        return name or f"part {number}"
    kind, _ = parse_options_header(headers.get(b"content-type", b""))
    return f"part {number}" if kind in _FILE_TYPES else None


def _broken(message: str) -> BadInput:
    return BadInput(message, faults=(Fault("multipart-broken", message, clause="RFC 7578"),))
