"""Storing: what is taken, what is answered, what is there afterwards (PS3.18 10.5, annex I)."""

from __future__ import annotations

import gzip
import json
import xml.etree.ElementTree as ET
from functools import partial
from typing import Any

import httpx

from tests.doors.conformance.checks import DICOM, JSON, XML, Check, Checks, Subject, equal, media_type, status
from tests.doors.conformance.corpus import Corpus, make

CHECKS = Checks()
_REFERENCED, _FAILED, _REASON, _URL = "00081199", "00081198", "00081197", "00081190"
RELATED = f'multipart/related; type="{DICOM}"; boundary=edge'


def body_of(*contents: bytes, kind: str = DICOM, boundary: str = "edge", preamble: str = "") -> bytes:
    """Return a body of multipart/related."""
    head = f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode()
    return (
        preamble.encode()
        + b"".join(head + one + b"\r\n" for one in contents)
        + f"--{boundary}--\r\n".encode()
    )


def send(
    subject: Subject, body: bytes, kind: str = RELATED, path: str = "studies", **headers: str
) -> httpx.Response:
    """Send a body."""
    named = {"Content-Type": kind, "Accept": JSON, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return subject.client.post(path, content=body, headers=named)


def _uids(answer: httpx.Response, sequence: str) -> list[str]:
    equal(media_type(answer), JSON)
    told: dict[str, Any] = json.loads(answer.content)
    assert isinstance(told, dict), "the answer is no DICOM JSON object"
    return [one["00081155"]["Value"][0] for one in told.get(sequence, {}).get("Value", [])]


def _is_kept(subject: Subject, corpus: Corpus, label: str) -> None:
    answer = subject.get(corpus.path_of(label), f'multipart/related; type="{DICOM}"; transfer-syntax=*')
    status(answer, 200)
    assert corpus.objects[label].PixelData in answer.content, "the pixels are not as they were sent"


def _takes(kind: str, make_body: Any, subject: Subject) -> None:  # noqa: ANN401 - a function of a corpus
    corpus = make()
    body, headers = make_body(corpus)
    answer = send(subject, body, kind, **headers)
    status(answer, 200)
    equal(_uids(answer, _REFERENCED), [corpus.objects["a11"].SOPInstanceUID])
    _is_kept(subject, corpus, "a11")


def _plain(**options: str) -> Any:  # noqa: ANN401 - a function of a corpus
    return lambda corpus: (body_of(corpus.bytes_of("a11"), **options), {})


_FORMS: tuple[tuple[str, str, str, Any], ...] = (
    ("PS3.18 10.5.2", "parts of DICOM", RELATED, _plain()),
    ("PS3.18 10.5.2", "a single part of DICOM", DICOM, lambda corpus: (corpus.bytes_of("a11"), {})),
    ("RFC 2046 5.1.1", "a boundary in quotes", f'multipart/related; type="{DICOM}"; boundary="ed ge"',
     _plain(boundary="ed ge")),
    ("RFC 2046 5.1.1", "a preamble before the parts", RELATED, _plain(preamble="This is a preamble.\r\n")),
    ("RFC 2045 5.1", "parameters in other case and order",
     f'Multipart/Related; Boundary=edge; Type="{DICOM}"', _plain()),
    ("RFC 9110 8.4", "a body that is packed with gzip", RELATED,
     lambda corpus: (gzip.compress(body_of(corpus.bytes_of("a11"))), {"Content_Encoding": "gzip"})),
    ("PS3.18 10.5.2", "a part that names its transfer syntax", RELATED,
     _plain(kind=f"{DICOM}; transfer-syntax=1.2.840.10008.1.2.1")),
)  # fmt: skip
CHECKS.extend(
    Check(clause, f"Store takes {what}", partial(_takes, kind, made)) for clause, what, kind, made in _FORMS
)


@CHECKS.of("PS3.18 Table I.1-1", "Store answers with class, instance and address of each object")
def _module(subject: Subject) -> None:
    corpus = make()
    answer = send(subject, body_of(corpus.bytes_of("a11"), corpus.bytes_of("a12")))
    status(answer, 200)
    told = json.loads(answer.content)
    wanted = [corpus.objects[label] for label in ("a11", "a12")]
    equal(sorted(_uids(answer, _REFERENCED)), sorted(one.SOPInstanceUID for one in wanted))
    assert told[_URL]["Value"][0].endswith(corpus.path_of("a")), "the study's address is another"
    for one in told[_REFERENCED]["Value"]:
        equal(one["00081150"]["Value"], [wanted[0].SOPClassUID])
        status(subject.get(f"{one[_URL]['Value'][0]}/metadata", JSON), 200)


@CHECKS.of("PS3.18 10.5.3.3", "Store answers in XML where it is asked for")
def _as_xml(subject: Subject) -> None:
    corpus = make()
    answer = send(subject, body_of(corpus.bytes_of("a11")), Accept=XML)
    status(answer, 200)
    equal(media_type(answer), XML)
    told = [one.text for one in ET.fromstring(answer.content).iter() if one.text]  # noqa: S314 - as in models
    assert corpus.objects["a11"].SOPInstanceUID in told, "the instance is not told"


@CHECKS.of("PS3.18 10.5.1", "Store into a study takes what is of that study")
def _into_study(subject: Subject) -> None:
    corpus = make()
    answer = send(subject, body_of(corpus.bytes_of("a11")), path=corpus.path_of("a"))
    status(answer, 200)
    equal(_uids(answer, _REFERENCED), [corpus.objects["a11"].SOPInstanceUID])


@CHECKS.of("PS3.18 10.5.2", "Store into a study refuses what is of another, and says why")
def _into_another(subject: Subject) -> None:
    corpus = make()
    answer = send(subject, body_of(corpus.bytes_of("b11")), path=corpus.path_of("a"))
    status(answer, 409)
    equal(_uids(answer, _FAILED), [corpus.objects["b11"].SOPInstanceUID])
    assert json.loads(answer.content)[_FAILED]["Value"][0][_REASON]["Value"], "no failure reason"
    status(subject.get(f"{corpus.path_of('b11')}/metadata", JSON), 404)


@CHECKS.of("PS3.18 Table 10.5.3-1", "Store of some that succeed and some that fail is 202, and both are told")
def _partial(subject: Subject) -> None:
    corpus = make()
    body = body_of(corpus.bytes_of("a11"), corpus.bytes_of("b11"))
    answer = send(subject, body, path=corpus.path_of("a"))
    status(answer, 202)
    equal(_uids(answer, _REFERENCED), [corpus.objects["a11"].SOPInstanceUID])
    equal(_uids(answer, _FAILED), [corpus.objects["b11"].SOPInstanceUID])
    _is_kept(subject, corpus, "a11")


@CHECKS.of("PS3.18 10.5.3.2", "Store of what is there already succeeds again")
def _again(subject: Subject) -> None:
    corpus = make()
    body = body_of(corpus.bytes_of("a11"))
    for _ in range(2):
        answer = send(subject, body)
        status(answer, 200, 202)
        equal(_uids(answer, _REFERENCED), [corpus.objects["a11"].SOPInstanceUID])


@CHECKS.of("PS3.18 10.5.3.2", "Store of other bytes under a known UID is never silent")
def _changed(subject: Subject) -> None:
    corpus = make()
    status(send(subject, body_of(corpus.bytes_of("a11"))), 200)
    corpus.objects["a11"].PatientComments = "changed"
    answer = send(subject, body_of(corpus.bytes_of("a11")))
    status(answer, 202, 409)
    told = json.loads(answer.content)
    warned = [one for one in told.get(_REFERENCED, {}).get("Value", []) if "00081196" in one]
    assert warned or told.get(_FAILED, {}).get("Value"), "neither warned nor failed"


def _is(wanted: tuple[int, ...], made: Any, kind: str, subject: Subject) -> None:  # noqa: ANN401 - as above
    corpus = make()
    status(send(subject, made(corpus), kind), *wanted)
    status(subject.get(f"{corpus.path_of('a11')}/metadata", JSON), 404)


_BROKEN: tuple[tuple[str, str, tuple[int, ...], Any, str], ...] = (
    ("PS3.18 Table 10.5.3-1", "a body of a foreign media type is 415", (415,), lambda _: b"{}", "text/plain"),
    ("PS3.18 Table 10.5.3-1", "parts of a foreign media type are refused", (400, 409, 415),
     lambda corpus: body_of(corpus.bytes_of("a11"), kind="text/plain"), RELATED),
    ("RFC 2046 5.1.1", "a body that is cut inside a part is 400", (400,),
     lambda corpus: body_of(corpus.bytes_of("a11"))[:-300], RELATED),
    ("RFC 2046 5.1.1", "a body without a part is 400", (400,), lambda _: b"--edge--\r\n", RELATED),
    ("RFC 2046 5.1.1", "an empty body is 400", (400,), lambda _: b"", RELATED),
    ("RFC 2046 5.1.1", "a body without its boundary is 400", (400,),
     lambda corpus: body_of(corpus.bytes_of("a11"), boundary="other"), RELATED),
    ("RFC 2046 5.1.1", "a boundary that is not named is 400", (400,),
     lambda corpus: body_of(corpus.bytes_of("a11")), f'multipart/related; type="{DICOM}"'),
    ("PS3.18 Table 10.5.3-1", "what is no DICOM is refused", (400, 409), lambda _: body_of(b"no DICOM" * 99),
     RELATED),
)  # fmt: skip
CHECKS.extend(
    Check(clause, f"Store: {what}", partial(_is, wanted, made, kind))
    for clause, what, wanted, made, kind in _BROKEN
)


@CHECKS.of("PS3.18 Table 8.5-1", "Store that takes text only for its answer is 406")
def _not_acceptable(subject: Subject) -> None:
    corpus = make()
    status(send(subject, body_of(corpus.bytes_of("a11")), Accept="text/plain"), 406)


@CHECKS.of("PS3.18 10.5.3", "What is stored is found at once")
def _found(subject: Subject) -> None:
    corpus = make()
    status(send(subject, body_of(*(corpus.bytes_of(label) for label in corpus.objects))), 200, 202)
    of_it = Subject(subject.client, corpus)
    equal(sorted(of_it.labels("instances")), sorted(corpus.objects))
