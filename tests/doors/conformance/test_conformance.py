"""Our own archive holds every clause; an archive of nothing but `200 []` holds next to none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.doors.conformance.checks import JSON, Check, Subject
from tests.doors.conformance.run import CHECKS, client_of, result_of, results, subject_of
from tests.doors.serving import TOKEN, serving, settings_for

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    settings = settings_for(tmp_path_factory.mktemp("conformance"))
    with serving(settings) as running, client_of(f"{running.url}/dicomweb/raw", TOKEN) as client:
        yield subject_of(client)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: f"{check.clause} {check.sentence}")
def test_the_archive_does_what_the_clause_asks(subject: Subject, check: Check) -> None:
    assert not result_of(check, subject).fault


class _Dummy(BaseHTTPRequestHandler):
    """Answers `200 []` to whatever is asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.send_response(200)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"[]")

    do_POST = do_PUT = do_OPTIONS = do_HEAD = do_DELETE = do_GET  # noqa: N815 - named by http.server

    def log_message(self, *_: object) -> None:
        """Keep silent."""


def test_an_archive_of_nothing_but_empty_answers_passes_next_to_nothing() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Dummy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with client_of(f"http://127.0.0.1:{server.server_port}") as client:
            passed = [one.check.sentence for one in results(subject_of(client)) if not one.fault]
    finally:
        server.shutdown()
        server.server_close()
    assert len(passed) < len(CHECKS) / 20, passed


def test_every_check_names_its_clause_and_no_sentence_stands_twice() -> None:
    assert all(one.clause.startswith(("PS3.", "RFC ")) for one in CHECKS)
    sentences = [one.sentence for one in CHECKS]
    assert len(set(sentences)) == len(sentences), [one for one in sentences if sentences.count(one) > 1]
