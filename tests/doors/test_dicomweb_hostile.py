"""Hostile HTTP at the DICOMweb routes: refused or bounded, and others are served meanwhile."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.doors.serving import CT, TOKEN, Served, answer_of, serving, settings_for

pytestmark = pytest.mark.integration
RELATED = 'Content-Type: multipart/related; type="application/dicom"; boundary=edge'
BODY = b"--edge\r\nContent-Type: application/dicom\r\n\r\n" + CT + b"\r\n--edge--\r\n"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(settings_for(tmp_path_factory.mktemp("hostile"))) as running:
        kind = {"Content-Type": "application/dicom"}
        assert running.client.post("/dicomweb/raw/studies", content=CT, headers=kind).status_code == 200
        yield running


def is_up(archive: Served) -> bool:
    began = time.monotonic()
    answer = archive.client.get("/dicomweb/raw/studies")
    return answer.status_code == 200 and time.monotonic() - began < 5


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@pytest.mark.parametrize(
    "path",
    [
        "/dicomweb/raw/../../etc/passwd",
        "/dicomweb/raw/studies/../../../../etc/passwd",
        "/dicomweb/raw/studies/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/dicomweb/raw/studies/..%5c..%5cetc/metadata",
        "/dicomweb/..%2fraw/studies",
        "/dicomweb/raw/studies/1.2/series/1.3/instances/1.4/frames/..%2f..%2fkey",
        "/dicomweb/raw/studies/1.2/series/1.3/instances/1.4/bulkdata/../../../../key",
        "/dicomweb/raw/studies/1.2/series/1.3/instances/1.4/bulkdata/%2e%2e/%2e%2e/store",
        "/dicomweb/raw/studies/1.2%00/metadata",
        "/dicomweb/raw/studies/1.2%0d%0aX-Evil:%201/metadata",
        "/dicomweb/quarantine/studies",
        "//dicomweb/raw/studies",
    ],
)
def test_no_path_leads_out_of_the_archive(archive: Served, path: str) -> None:
    answer = answer_of(archive.raw(f"GET {path} HTTP/1.1", b"\r\n"))
    assert 400 <= status_of(answer) < 500
    assert b"root:" not in answer
    assert b"x-evil:" not in answer.lower()


@pytest.mark.parametrize(
    "accept",
    [
        'application/dicom+json; charset="\\r\\nX-Evil: 1"',
        'multipart/related; type="application/dicom"; boundary="x\ty"; transfer-syntax="\tX-Evil: 1"',
        "application/dicom; transfer-syntax=1.2.3;X-Evil=1",
        "multipart/related; " + ";" * 5000,
        ",".join(["application/dicom"] * 2000),
        "a/b;q=" + "9" * 4000,
        "application/dicom+json;q=nan",
        "application/dicom+json;q=1e999",
        '"' * 3001,
        "\u00e9/\u00e9",
    ],
)
def test_no_accept_injects_or_breaks(archive: Served, accept: str) -> None:
    study = archive.client.get("/dicomweb/raw/studies").json()[0]["0020000D"]["Value"][0]
    for path in ("/dicomweb/raw/studies", f"/dicomweb/raw/studies/{study}"):
        answer = archive.client.get(path, headers=[(b"Accept", accept.encode())])
        assert answer.status_code in {200, 400, 406}
        assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    "query",
    [
        "&".join(f"PatientName=a{number}*" for number in range(500)),
        ".".join(["RequestAttributesSequence"] * 900) + ".ScheduledProcedureStepID=1",
        "PatientName=" + "*a" * 2000,
        "PatientName=" + "?*" * 2000 + "z",
        "includefield=" + ",".join(["PatientID"] * 900),
        "StudyInstanceUID=" + ",".join(["1.2.3"] * 1500),
        "limit=99999999999999999999",
        "offset=999999999999",
        "PatientName=%ff%fe%00",
        "%00=1",
        "=&=&&;;==",
        "accept=%0d%0aX-Evil:%201",
        "StudyDate=" + "-" * 4000,
        "PatientID=%27%20OR%201=1--",
    ],
)
def test_no_query_breaks_or_holds_up_the_archive(archive: Served, query: str) -> None:
    began = time.monotonic()
    for level in ("studies", "instances"):
        answer = archive.client.get(f"/dicomweb/raw/{level}?{query}")
        assert answer.status_code in {200, 204, 400, 404, 406, 414}
        assert "x-evil" not in answer.headers
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "line", ["X: " + "y" * 200_000, "Accept: " + "a/b," * 40_000, "Cookie: " + "c" * 150_000]
)
def test_a_head_beyond_its_bound_is_refused(archive: Served, line: str) -> None:
    answer = answer_of(archive.raw(f"GET /dicomweb/raw/studies HTTP/1.1\r\n{line}", b"\r\n"))
    assert status_of(answer) in {0, 400, 414, 431}
    assert is_up(archive)


@pytest.mark.parametrize(
    "lengths",
    [
        "Content-Length: 10\r\nContent-Length: 20",
        "Content-Length: 10\r\nTransfer-Encoding: chunked",
        "Content-Length: -1",
        "Content-Length: +10",
        "Content-Length: 0x10",
        "Transfer-Encoding: xchunked",
    ],
)
def test_a_body_of_two_lengths_or_of_none_stores_nothing(archive: Served, lengths: str) -> None:
    before = archive.client.get("/dicomweb/raw/instances").headers["x-total-count"]
    peer = archive.raw(f"POST /dicomweb/raw/studies HTTP/1.1\r\n{RELATED}\r\n{lengths}", b"\r\n" + BODY[:300])
    peer.shutdown(socket.SHUT_WR)
    assert status_of(answer_of(peer)) in {0, 400, 411, 501}
    assert archive.client.get("/dicomweb/raw/instances").headers["x-total-count"] == before
    assert archive.staged() == []


def test_a_content_length_short_of_the_body_is_a_broken_body(archive: Served) -> None:
    head = f"POST /dicomweb/raw/studies HTTP/1.1\r\n{RELATED}\r\nContent-Length: {len(BODY) - 500}"
    assert status_of(answer_of(archive.raw(head, b"\r\n" + BODY))) == 400
    assert archive.staged() == []


def test_a_thousand_open_sockets_hold_up_nobody(archive: Served) -> None:
    held = [socket.create_connection(archive.address, timeout=5) for _ in range(1000)]
    try:
        assert is_up(archive)
    finally:
        for peer in held:
            peer.close()
    assert is_up(archive)


def test_a_hundred_readers_that_never_read_hold_up_nobody(archive: Served) -> None:
    one = archive.client.get("/dicomweb/raw/instances").json()[0]["00081190"]["Value"][0]
    head = f"GET {one.partition(str(archive.address[1]))[2]} HTTP/1.1\r\nAccept: application/dicom"
    held = [archive.raw(head, b"\r\n") for _ in range(100)]
    assert is_up(archive)
    for peer in held:
        peer.close()


def test_the_deid_zone_takes_nothing(archive: Served) -> None:
    for method in ("POST", "PUT", "PATCH"):
        answer = archive.client.request(
            method, "/dicomweb/deid/studies", content=BODY, headers={"Content-Type": RELATED[14:]}
        )
        assert answer.status_code == 405
    assert TOKEN
