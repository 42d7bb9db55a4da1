"""Peers that are slow, silent, lying or gone cost a socket and leave nothing behind."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from scanward.entrypoints.http.protocol import PatientProtocol
from scanward.entrypoints.http.service import Limits
from tests.doors.serving import CT, MR, TOKEN, Served, answer_of, form, serving, settings_for

pytestmark = pytest.mark.integration
MULTIPART = "Content-Type: multipart/form-data; boundary=edge"


def posting(length: int, kind: str = MULTIPART) -> str:
    return f"POST /uploads HTTP/1.1\r\n{kind}\r\nContent-Length: {length}"


def test_a_body_cut_by_its_sender_leaves_nothing(fresh: Served) -> None:
    body = form(("a", CT))
    peer = fresh.raw(posting(len(body)), b"\r\n" + body[: len(body) // 2])
    time.sleep(0.3)
    peer.close()
    assert fresh.staged() == []
    assert fresh.client.get("/executions").json()["executions"] == []


def test_an_unclosed_form_is_refused_and_nothing_of_it_is_kept(fresh: Served) -> None:
    body = form(("a", CT), ("b", MR))[:-8]
    answer = answer_of(fresh.raw(posting(len(body)), b"\r\n" + body))
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"multipart-broken" in answer
    assert fresh.staged() == []
    assert fresh.client.get("/executions").json()["executions"] == []


def test_files_of_a_batch_before_a_broken_part_are_kept_and_told(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path), limits=Limits(batch_files=1)) as served:
        body = form(("a", CT), ("big", bytes(3 << 20)))[:-8]
        answer = answer_of(served.raw(posting(len(body)), b"\r\n" + body))
        assert answer.startswith(b"HTTP/1.1 400")
        assert b'"accepted"' in answer
        assert len(served.client.get("/executions").json()["executions"]) == 1
        assert served.staged() == []


def test_a_content_length_beyond_the_body_ends_at_the_idle_bound(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path), limits=Limits(idle_seconds=0.5)) as served:
        body = form(("a", CT))
        began = time.monotonic()
        answer = answer_of(served.raw(posting(len(body) + 1000), b"\r\n" + body))
        assert answer.startswith(b"HTTP/1.1 408")
        assert time.monotonic() - began < 5
        assert served.staged() == []


def test_a_content_length_short_of_the_body_is_an_unclosed_form(fresh: Served) -> None:
    body = form(("a", CT))
    answer = answer_of(fresh.raw(posting(len(body) - 500), b"\r\n" + body))
    assert answer.startswith(b"HTTP/1.1 400")
    assert fresh.staged() == []


def test_a_body_that_drips_is_refused(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path), limits=Limits(grace_seconds=0.5, least_rate=10_000)) as served:
        peer = served.raw(posting(1_000_000), b"\r\n" + form(("a", b""))[:60])
        for _ in range(12):
            time.sleep(0.1)
            try:
                peer.sendall(b"x")
            except OSError:
                break
        assert answer_of(peer).startswith(b"HTTP/1.1 408")
        assert served.staged() == []


def test_chunked_bodies_are_taken_and_broken_chunks_are_not(fresh: Served) -> None:
    body = form(("a", CT))
    sound = b"\r\n" + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    head = f"POST /uploads HTTP/1.1\r\n{MULTIPART}\r\nTransfer-Encoding: chunked"
    assert answer_of(fresh.raw(head, sound)).startswith(b"HTTP/1.1 202")
    assert answer_of(fresh.raw(head, b"\r\nnothex\r\n")).startswith(b"HTTP/1.1 400")
    assert fresh.staged() == []


class Impatient(PatientProtocol):
    """The same protocol with bounds that a test can wait for."""

    head_seconds = 0.3
    connections_bound = 8


def test_a_peer_that_never_asks_is_closed_and_one_that_is_answered_is_not(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path), protocol=Impatient) as served:
        silent = socket.create_connection(served.address, timeout=5)
        half = served.raw("GET /studies HTTP/1.1")
        body = form(("a", CT))
        slow = served.raw(posting(len(body)), b"\r\n" + body[:1000])
        began = time.monotonic()
        assert silent.recv(1) == b""
        assert half.recv(1) == b""
        assert time.monotonic() - began < 5
        slow.sendall(body[1000:])
        assert answer_of(slow).startswith(b"HTTP/1.1 202")
        silent.close()
        half.close()


def test_connections_beyond_the_bound_are_told_so(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path), protocol=Impatient) as served:
        held = [socket.create_connection(served.address, timeout=5) for _ in range(12)]
        answers = [answer_of(peer) for peer in held]
        refused = [answer for answer in answers if answer]
        assert 1 <= len(refused) < len(held)
        assert all(
            answer.startswith(b"HTTP/1.1 503") and b'"statusCode": 503' in answer for answer in refused
        )


def test_two_hundred_idle_peers_hold_up_no_upload(fresh: Served) -> None:
    half = [fresh.raw(posting(100_000), b"\r\n" + form(("a", CT))[:5000]) for _ in range(100)]
    silent = [fresh.raw("GET /studies HTTP/1.1") for _ in range(100)]
    began = time.monotonic()
    assert fresh.upload(("a", CT)).status_code == 202
    assert time.monotonic() - began < 3
    for peer in half + silent:
        peer.close()
    assert fresh.staged() == []


def test_many_uploads_at_once_are_each_answered_once(fresh: Served) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(fresh.upload(("a", CT), ("b", MR)).status_code))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(answers) in {200, 202}
    assert len(answers) == len(threads)
    assert len(fresh.client.get("/executions").json()["executions"]) == 2


def test_uploads_beyond_the_bound_are_asked_to_come_again(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path), limits=Limits(uploads=1)) as served:
        holding = served.raw(posting(100_000), b"\r\n" + form(("a", CT))[:5000])
        time.sleep(0.3)
        answer = served.upload(("a", CT))
        holding.close()
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        for _ in range(50):
            if served.upload(("a", CT)).status_code == 202:
                break
            time.sleep(0.1)
        assert served.upload(("a", CT)).status_code == 200


@pytest.mark.parametrize("path", ["/links", "/executions", "/studies"])
def test_a_large_body_where_none_belongs_is_refused(served: Served, path: str) -> None:
    answer = served.client.post(path, content=b"x" * 100_000)
    assert answer.status_code in {405, 413}
    assert served.client.post("/links", content=b"x" * 100_000).status_code == 413


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/x\r\n\r\n",
        b"GET /" + b"a" * 100_000,
        b"\r\n\r\nX\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_in_the_form_of_every_error(served: Served, garbage: bytes) -> None:
    with socket.create_connection(served.address, timeout=5) as bare:
        bare.sendall(garbage)
        answer = answer_of(bare)
    assert not answer or (answer.startswith(b"HTTP/1.1 400") and b'"statusCode": 400' in answer)
    assert served.client.get("/health").status_code == 200


def test_a_head_beyond_its_bound_is_refused(served: Served) -> None:
    peer = served.raw("GET /health HTTP/1.1\r\nX: " + "y" * 200_000, b"\r\n")
    answer = answer_of(peer)
    assert not answer or answer.startswith(b"HTTP/1.1 400")
    assert served.client.get("/health").status_code == 200


def test_a_token_in_a_raw_request_is_what_lets_it_in(served: Served) -> None:
    assert TOKEN
    assert answer_of(served.raw("GET /studies HTTP/1.1", b"\r\n")).startswith(b"HTTP/1.1 200")
