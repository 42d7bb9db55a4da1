"""A check: one *shall* of the standard, with its clause, that can be asked of any DICOMweb root."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from typing import Any, TypeVar

import httpx

from tests.doors.conformance.corpus import Corpus

Item = dict[str, dict[str, Any]]
DICOM, JSON, XML, OCTETS = (
    "application/dicom",
    "application/dicom+json",
    "application/dicom+xml",
    "application/octet-stream",
)


@dataclass(frozen=True)
class Subject:
    """The archive that is asked: a client whose base is the root, and what was stored there."""

    client: httpx.Client
    corpus: Corpus

    def get(self, path: str, accept: str | None = None, **headers: str) -> httpx.Response:
        """Ask for a path relative to the root, or for a whole address. accept: None sends httpx's own."""
        named = {"Accept": accept} if accept is not None else {}
        return self.client.get(
            path, headers={**named, **{k.replace("_", "-"): v for k, v in headers.items()}}
        )

    def found(self, path: str, query: str = "") -> list[Item]:
        """Return what a search finds among the objects of this run."""
        answer = self.get(f"{path}?{query}{'&' if query else ''}StudyID={self.corpus.run}", JSON)
        if answer.status_code == httpx.codes.NO_CONTENT:
            return []
        status(answer, 200)
        return items(answer)

    def labels(self, path: str, query: str = "") -> list[str]:
        """Return the labels of what a search finds, in its order."""
        letters = 3 if path.endswith("instances") else 2 if path.endswith("series") else 1
        return [self.corpus.label_of(one, letters) for one in self.found(path, query)]

    def metadata(self, label: str) -> Item:
        """Return an instance's metadata."""
        answer = self.get(f"{self.corpus.path_of(label)}/metadata", JSON)
        status(answer, 200)
        (one,) = items(answer)
        return one


@dataclass(frozen=True)
class Check:
    """clause: where the standard asks it; sentence: what it asks; run: raises AssertionError if it fails."""

    clause: str
    sentence: str
    run: Callable[[Subject], None]


_Run = TypeVar("_Run", bound=Callable[[Subject], None])


class Checks(list[Check]):
    """The checks of a module, in its order."""

    def of(self, clause: str, sentence: str) -> Callable[[_Run], _Run]:
        """Register a function."""

        def register(run: _Run) -> _Run:
            self.append(Check(clause, sentence, run))
            return run

        return register


def status(answer: httpx.Response, *wanted: int) -> None:
    """Expect one of some statuses."""
    assert answer.status_code in wanted, f"answered {answer.status_code}, not {' or '.join(map(str, wanted))}"


def equal(told: object, wanted: object) -> None:
    """Expect a value."""
    assert told == wanted, f"{told!r:.160} instead of {wanted!r:.160}"


def media_type(answer: httpx.Response) -> str:
    """Return the media type without parameters."""
    return str(answer.headers.get("content-type", "")).partition(";")[0].strip().lower()


def items(answer: httpx.Response) -> list[Item]:
    """Return the objects of a DICOM JSON answer."""
    equal(media_type(answer), JSON)
    told = json.loads(answer.content)
    assert isinstance(told, list), "the answer is no JSON array"
    return told


def parts(answer: httpx.Response, kind: str) -> list[tuple[dict[str, str], bytes]]:
    """Return headers (names in small letters) and content of the parts of multipart/related (RFC 2387)."""
    status(answer, 200)
    told = BytesHeaderParser().parsebytes(f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode())
    equal(told.get_content_type(), "multipart/related")
    named = str(told.get_param("type") or "").partition(";")[0].strip().lower()
    equal(named, kind)
    boundary = str(told.get_param("boundary") or "")
    assert boundary, "the answer's boundary is missing"
    pieces = (b"\r\n" + answer.content).split(b"\r\n--" + boundary.encode())
    assert pieces[-1].startswith(b"--"), "the closing boundary is missing"
    found = []
    for piece in pieces[1:-1]:
        head, _, content = piece.lstrip(b"\r\n").partition(b"\r\n\r\n")
        found.append(({k.lower(): v for k, v in BytesHeaderParser().parsebytes(head).items()}, content))
    return found


def value(item: Item, tag: str) -> list[Any]:
    """Return the values of an attribute; [] for one without a value; fails if it is not told."""
    assert tag in item, f"{tag} is not told"
    told = item[tag].get("Value", [])
    assert isinstance(told, list), f"Value of {tag} is no array"
    return told
