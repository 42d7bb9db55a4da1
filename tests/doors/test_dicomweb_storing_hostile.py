"""Bodies that are cut, packed, endless or lies, sent to STOW-RS: refused or bounded, and nothing lost."""

from __future__ import annotations

import contextlib
import gzip
import os
import socket
import struct
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pydicom
import pytest
from pydicom.uid import generate_uid

from scanward.entrypoints.http.service import Limits
from scanward.ports.object_store import Zone
from tests.doors.serving import CT, MR, Served, answer_of, serving, settings_for
from tests.doors.test_dicomweb_storing import (
    RELATED,
    STUDIES,
    changed,
    fetched,
    files_of,
    others,
    related,
    store,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(settings_for(tmp_path_factory.mktemp("hostile"))) as running:
        yield running


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Served]:
    with serving(settings_for(tmp_path)) as running:
        yield running


def post(archive: Served, body: bytes, kind: str = RELATED, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return archive.client.post(STUDIES, content=body, headers={"Content-Type": kind, **named})


def fresh() -> bytes:
    return changed(CT, SOPInstanceUID=generate_uid())


@pytest.mark.parametrize(
    ("written", "boundary"),
    [("edge", "edge"), ('"edge"', "edge"), ('"\'()+_,-./:=? x"', "'()+_,-./:=? x"), ("a=b:c", "a=b:c")],
)
def test_boundaries_of_every_form_are_taken(archive: Served, written: str, boundary: str) -> None:
    """RFC 2046 5.1.1, RFC 2045 5.1: quoted, unquoted, with special characters."""
    raw = fresh()
    kind = f"multipart/related; type=application/dicom; boundary={written}"
    assert (
        post(archive, b"preamble\r\n" + related(raw, boundary=boundary) + b"epilogue", kind).status_code
        == 200
    )
    assert fetched(archive, raw) == raw


def test_chunked_bodies_are_taken(archive: Served) -> None:
    raw = fresh()
    body = related(raw)
    pieces = (body[start : start + 777] for start in range(0, len(body), 777))
    answer = archive.client.post(STUDIES, content=pieces, headers={"Content-Type": RELATED})
    assert answer.status_code == 200
    assert fetched(archive, raw) == raw


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "identity, GZIP"])
def test_packed_bodies_are_taken(archive: Served, coding: str) -> None:
    """PS3.18 8.6.2, RFC 9110 8.4.1.3."""
    raw = fresh()
    assert post(archive, gzip.compress(related(raw)), Content_Encoding=coding).status_code == 200
    assert fetched(archive, raw) == raw


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip"])
def test_other_codings_are_not_supported(archive: Served, coding: str) -> None:
    assert post(archive, related(CT), Content_Encoding=coding).status_code == 415


@pytest.mark.parametrize("cut", [1, 9, 100])
def test_packed_bodies_that_are_cut_store_nothing(empty: Served, cut: int) -> None:
    assert post(empty, gzip.compress(related(CT))[:-cut], Content_Encoding="gzip").status_code == 400
    assert post(empty, b"no gzip", Content_Encoding="gzip").status_code == 400
    assert files_of(empty.settings.data, "raw") == []
    assert empty.staged() == []


def test_a_gzip_bomb_is_refused_at_its_bound(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path, max_object_bytes=1 << 30)) as archive:
        bomb = BytesIO()
        with gzip.GzipFile(fileobj=bomb, mode="wb", compresslevel=9) as packed:
            packed.write(b"--edge\r\nContent-Type: application/dicom\r\n\r\n")
            for _ in range(700):
                packed.write(bytes(1 << 20))
        answer = post(archive, bomb.getvalue(), Content_Encoding="gzip")
        assert answer.status_code == 413
        assert archive.staged() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--edge--\r\n",
        b"preamble only",
        related(CT)[:-4],
        related(CT)[:-8],
        related(CT)[:20_000],
        related(CT, MR)[:-4],
        related(CT).replace(b"\r\n", b"\n"),
        related(CT, boundary="other"),
    ],
)
def test_empty_cut_or_unclosed_bodies_are_refused_and_nothing_is_stored(empty: Served, body: bytes) -> None:
    """PS3.18 Table 10.5.3-1: 400; RFC 2046 5.1.1: the closing delimiter."""
    assert post(empty, body).status_code == 400
    assert post(empty, b"", "application/dicom").status_code == 400
    assert files_of(empty.settings.data, "raw") == files_of(empty.settings.data, "quarantine") == []
    assert empty.staged() == []


def test_of_a_cut_body_what_was_durable_by_then_is_told_and_the_break_too(tmp_path: Path) -> None:
    """PS3.18 Table 10.5.3-1: 202, "some of the instances"; never a silent success."""
    objects = [fresh() for _ in range(40)]
    with serving(settings_for(tmp_path), limits=Limits(batch_files=1)) as archive:
        answer = post(archive, related(*objects)[:-500])
        assert answer.status_code == 202
        assert others(answer) == [0xC001]
        told = [one["00081190"]["Value"][0] for one in answer.json()["00081199"]["Value"]]
        assert 0 < len(told) < 40
        for address, raw in zip(told, objects, strict=False):
            assert (
                archive.client.get(
                    address, headers={"Accept": "application/dicom; transfer-syntax=*"}
                ).content
                == raw
            )
        assert len(files_of(tmp_path / "data", "raw")) == len(told)
        assert archive.staged() == []


def test_a_sender_that_leaves_mid_way_leaves_nothing(empty: Served) -> None:
    body = related(CT)
    head = f"POST {STUDIES} HTTP/1.1\r\nContent-Type: {RELATED}\r\nContent-Length: {len(body)}"
    peer = empty.raw(head, b"\r\n" + body[:10_000])
    time.sleep(0.3)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    assert empty.staged() == []
    assert files_of(empty.settings.data, "raw") == []
    assert store(empty, CT).status_code == 200


@pytest.mark.parametrize("lie", [100, 20_000])
def test_a_content_length_that_says_too_little_cuts_the_body(empty: Served, lie: int) -> None:
    body = related(CT)
    head = f"POST {STUDIES} HTTP/1.1\r\nContent-Type: {RELATED}\r\nContent-Length: {lie}\r\nConnection: close"
    assert b" 400 " in answer_of(empty.raw(head, b"\r\n" + body)).split(b"\r\n")[0]
    assert files_of(empty.settings.data, "raw") == []


@pytest.mark.parametrize(
    "lengths", ["Content-Length: 10\r\nContent-Length: 20", "Content-Length: -1", "Content-Length: 1e3"]
)
def test_lengths_that_contradict_are_refused(archive: Served, lengths: str) -> None:
    """RFC 9112 6.3."""
    head = f"POST {STUDIES} HTTP/1.1\r\nContent-Type: {RELATED}\r\n{lengths}"
    assert b" 400 " in answer_of(archive.raw(head, b"\r\n" + b"x" * 10)).split(b"\r\n")[0]


@pytest.mark.parametrize(
    "header",
    [
        b"X: " + b"y" * 100_000,
        b"\r\n".join(b"X%d: y" % number for number in range(100)),
        b"Content-Type: application/dicom\r\nX: a\x00b",
        b"no colon at all",
        b"Content-Type: application/dicom\r\nContent-Type: text/html",
        b"Content-Type: application/dicom\nX-Injected: yes",
    ],
)
def test_hostile_part_headers_are_refused(empty: Served, header: bytes) -> None:
    answer = post(empty, b"--edge\r\n" + header + b"\r\n\r\n" + CT + b"\r\n--edge--")
    assert answer.status_code == 400
    assert "x-injected" not in answer.headers
    assert files_of(empty.settings.data, "raw") == []


def test_names_and_places_that_parts_give_lead_nowhere(archive: Served) -> None:
    raw = fresh()
    header = (
        b"Content-Type: application/dicom\r\nContent-Location: ../../../etc/passwd\r\n"
        b'Content-Disposition: attachment; filename="../../x\\r\\nSet-Cookie: a"'
    )
    answer = post(archive, b"--edge\r\n" + header + b"\r\n\r\n" + raw + b"\r\n--edge--")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert "passwd" not in answer.text
    assert fetched(archive, raw) == raw


def test_nested_multipart_is_no_object(archive: Served) -> None:
    body = related(related(CT, boundary="inside"), kind="multipart/related; boundary=inside")
    answer = post(archive, body)
    assert (answer.status_code, others(answer)) == (415, [0xC002])


def test_packed_parts_are_not_taken_for_objects(archive: Served) -> None:
    answer = post(archive, related(gzip.compress(CT), kind="application/dicom\r\nContent-Encoding: gzip"))
    assert (answer.status_code, others(answer)) == (415, [0xC002])


def test_an_object_beyond_the_bound_fails_and_the_next_is_stored(tmp_path: Path) -> None:
    """PS3.18 8.5: 413; Table I.2-2: A7xx."""
    large = changed(CT, PatientComments="x" * 10_000)
    bound = len(large) - 5000
    with serving(settings_for(tmp_path, max_object_bytes=bound)) as archive:
        assert post(archive, related(large)).status_code == 413
        assert post(archive, large, "application/dicom").status_code == 413
        answer = post(archive, related(large, MR))
        assert (answer.status_code, others(answer)) == (202, [0xA700])
        assert fetched(archive, MR) == MR
        assert archive.staged() == []


def test_a_disk_nearly_full_stores_nothing_and_says_507(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path)
    with serving(settings_for(tmp_path, free_space_bytes=free.f_bavail * free.f_frsize * 2)) as archive:
        answer = post(archive, related(CT))
        assert answer.status_code == 507
        assert answer.headers["retry-after"]
        assert archive.ports.catalog.studies(Zone.RAW) == []
        assert archive.staged() == []


def test_silent_and_slow_senders_are_ended_and_others_served(tmp_path: Path) -> None:
    limits = Limits(idle_seconds=0.5, grace_seconds=1.0, least_rate=1 << 20)
    with serving(settings_for(tmp_path), limits=limits) as archive:
        head = f"POST {STUDIES} HTTP/1.1\r\nContent-Type: {RELATED}\r\nContent-Length: 100000"
        silent = archive.raw(head, b"\r\n" + related(CT)[:5000])
        slow = archive.raw(head, b"\r\n")
        assert store(archive, MR).status_code == 200
        assert b" 408 " in answer_of(silent).split(b"\r\n")[0]
        with contextlib.suppress(OSError):
            for number in range(30):
                slow.sendall(related(CT)[number : number + 1])
                time.sleep(0.1)
        assert b" 408 " in answer_of(slow).split(b"\r\n")[0]
        assert archive.staged() == []


def test_too_many_transactions_at_once_are_told_to_come_again(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path), limits=Limits(uploads=1)) as archive:
        head = f"POST {STUDIES} HTTP/1.1\r\nContent-Type: {RELATED}\r\nContent-Length: 100000"
        first = archive.raw(head, b"\r\n" + related(CT)[:5000])
        time.sleep(0.3)
        assert store(archive, MR).status_code == 503
        first.close()
        assert archive.staged() == []
        assert store(archive, MR).status_code == 200


def test_only_storing_is_not_bound_to_small_bodies(archive: Served) -> None:
    large = b"x" * (65 << 10)
    assert archive.client.request("GET", STUDIES, content=large).status_code == 413
    assert archive.client.request("PUT", STUDIES, content=large).status_code == 413
    assert archive.client.post(f"{STUDIES}/1.2.3/series", content=large).status_code == 413


def test_no_value_of_a_patient_is_told_in_an_error(archive: Served) -> None:
    dataset = pydicom.dcmread(BytesIO(CT))
    dataset.PatientName = "Secret^Name"
    buffer = BytesIO()
    dataset.save_as(buffer)
    answer = post(archive, related(buffer.getvalue()[:-10]))
    assert answer.status_code == 400
    assert "Secret" not in answer.text
