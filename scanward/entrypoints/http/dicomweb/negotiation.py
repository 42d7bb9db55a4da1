"""Which representation a client takes: Accept in header and query, quality, transfer syntax (PS3.18 8.7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from scanward.errors import BadInput

DICOM, OCTETS, JSON, XML, ZIP = (
    "application/dicom",
    "application/octet-stream",
    "application/dicom+json",
    "application/dicom+xml",
    "application/zip",
)
_MOST = 64


class NotAcceptable(BadInput):
    """Nothing that the client takes can be given (RFC 9110 15.5.7)."""

    status = 406
    error = "Not acceptable"


@dataclass(frozen=True, slots=True)
class Range:
    """One media range; `kind` is of the parts where it is `multipart`. transfer_syntax: "" if not named."""

    kind: str
    multipart: bool = False
    transfer_syntax: str = ""
    quality: float = 1.0


@dataclass(frozen=True, slots=True)
class Offer:
    """What a resource can be given as."""

    kind: str
    multipart: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """What it is given as. transfer_syntax: as asked for, "" if the client leaves it open, "*" for any.

    is_named: the client names the kind, so that the kind's default syntax is meant where none is named.
    """

    offer: Offer
    transfer_syntax: str
    is_named: bool = True


def asked(request: Request) -> list[Range]:
    """Return what a request takes, the best first; the query's `accept` stands before the header."""
    named = request.query_params.getlist("accept") or request.headers.getlist("accept")
    found = [one for text in named for one in ranges(text)] if named else [Range("*/*")]
    return sorted(found, key=lambda one: -one.quality)


def ranges(text: str) -> list[Range]:
    """Read one Accept value. Raises BadInput for what is no list of media ranges."""
    found = []
    for whole in _split(text, ",")[:_MOST]:
        kind, *parameters = (part.strip() for part in _split(whole, ";"))
        if not kind:
            continue
        if not re.fullmatch(r"[\w!#$&^.+*-]+/[\w!#$&^.+*-]+", kind):
            raise BadInput("`Accept` holds something that is no media type.")
        values = dict(_parameter(one) for one in parameters if one)
        is_multipart = kind.lower() == "multipart/related"
        found.append(
            Range(
                (values.get("type", "*/*") if is_multipart else kind).lower(),
                is_multipart,
                values.get("transfer-syntax", ""),
                _quality(values.get("q", "1")),
            )
        )
    return [one for one in found if one.quality > 0]


def choose(wanted: Iterable[Range], offers: Sequence[Offer]) -> Choice:
    """Return the best of what is offered; offers come in the server's own order. Raises NotAcceptable."""
    for one in wanted:
        for offer in offers:
            if _takes(one, offer):
                return Choice(offer, one.transfer_syntax, is_named=one.kind == offer.kind)
    named = ", ".join(_spelled(offer) for offer in offers)
    raise NotAcceptable(f"This resource is given as {named}.")


def _takes(one: Range, offer: Offer) -> bool:
    if one.kind == "*/*" and not one.multipart:
        return True
    if one.multipart != offer.multipart:
        return False
    kind, _, sub = one.kind.partition("/")
    return one.kind in {"*/*", offer.kind} or (sub == "*" and offer.kind.startswith(f"{kind}/"))


def _spelled(offer: Offer) -> str:
    return f'multipart/related; type="{offer.kind}"' if offer.multipart else offer.kind


def _split(text: str, at: str) -> list[str]:
    """Split outside quotes."""
    parts, part, quoted = [], "", False
    for character in text:
        quoted ^= character == '"'
        if character == at and not quoted:
            parts.append(part)
            part = ""
        else:
            part += character
    return [*parts, part]


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip().strip('"')


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise BadInput("`Accept` holds a quality that is no number.") from None
    return value if 0 <= value <= 1 else 1.0
