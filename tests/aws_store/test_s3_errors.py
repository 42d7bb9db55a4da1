"""What S3 refuses, in every verb: our own errors, and none of their texts holds a key."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scanward.adapters.aws import s3_body
from scanward.adapters.aws.s3_objects import Head, S3Objects
from scanward.adapters.aws.s3_opened import S3Opened
from scanward.dicom.pieces import Span
from scanward.errors import Misconfigured, NotFound, Refused, ScanwardError, Unavailable
from scanward.receive.s3_event import Reference
from tests.aws_store.servers import BUCKET, OTHER, s3_client

pytestmark = pytest.mark.integration

KEY = "DOE_JOHN_19700102/scan.dcm"
REF = Reference(BUCKET, KEY, etag="0" * 32)
LARGE = Reference(BUCKET, KEY, etag="0" * 32, size=100 << 20)


class Refusing:
    """A server that answers everything with one error of S3, whose text names the key."""

    def __init__(self) -> None:
        self.answer = (403, "AccessDenied")
        refusing = self

        class Handler(BaseHTTPRequestHandler):
            def _refuse(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, code = refusing.answer
                text = f"<Error><Code>{code}</Code><Message>{KEY}</Message><Key>{KEY}</Key></Error>".encode()
                body = b"" if self.command == "HEAD" else text
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_HEAD = do_GET = do_PUT = do_POST = do_DELETE = _refuse  # noqa: N815 - the library's names

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def refusing() -> Iterator[Refusing]:
    server = Refusing()
    yield server
    server.stop()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scan.dcm"
    path.write_bytes(b"x" * 100)
    return path


Verb = Callable[[S3Objects, Path], object]


def _large(objects: S3Objects) -> S3Opened:
    return S3Opened(objects, LARGE, Head(LARGE.size, LARGE.etag))


VERBS: dict[str, Verb] = {
    "head": lambda objects, _: objects.head(REF),
    "read": lambda objects, _: objects.read(REF, 0, 100),
    "open": lambda objects, _: objects.open(REF),
    "view": lambda objects, _: _large(objects).view[0:8],
    "put": lambda objects, _: objects.put(b"x", OTHER, KEY),
    "put_pieces": lambda objects, _: objects.put_pieces(
        [b"x", Span(0, LARGE.size)], _large(objects), OTHER, KEY, metadata={}
    ),
    "copy": lambda objects, _: objects.copy(REF, OTHER, KEY),
    "upload": lambda objects, file: objects.upload(file, Reference(OTHER, KEY)),
    "download": lambda objects, file: objects.download(REF, file.with_name("other")),
    "list": lambda objects, _: list(objects.list(BUCKET, KEY)),
    "delete": lambda objects, _: objects.delete(REF),
    "delete_versions": lambda objects, _: objects.delete_versions(BUCKET, KEY),
    "abort_stale": lambda objects, _: objects.abort_stale(BUCKET, KEY),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDenied", Refused),
        (404, "NoSuchBucket", NotFound),
        (503, "SlowDown", Unavailable),
        (400, "MalformedPolicy", Misconfigured),
    ],
)
def test_every_verb_raises_our_error_without_the_key(
    refusing: Refusing, file: Path, verb: str, status: int, code: str, kind: type[ScanwardError]
) -> None:
    refusing.answer = status, code
    objects = S3Objects(s3_client(refusing.url))
    objects.s3.meta.events.register("needs-retry.s3", lambda **_: None)
    with pytest.raises(kind) as caught:
        VERBS[verb](objects, file)
    text = f"{caught.value.as_json()}{caught.value.__cause__}{caught.value.__suppress_context__}"
    assert "DOE" not in text
    assert BUCKET not in text
    assert not file.with_name("other").exists()


def test_an_archived_object_is_told_with_what_to_do(refusing: Refusing) -> None:
    refusing.answer = 403, "InvalidObjectState"
    with pytest.raises(Misconfigured, match="restore-object"):
        S3Objects(s3_client(refusing.url)).read(REF, 0, 10)


def test_a_server_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_body, "_PAUSE", 0.001)
    objects = S3Objects(s3_client("http://127.0.0.1:9"))
    with pytest.raises(Unavailable) as caught:
        objects.read(REF, 0, 10)
    assert "DOE" not in str(caught.value)
    with pytest.raises(Unavailable):
        objects.put(b"x", OTHER, KEY)
