"""An S3 of objects that are described, not held: gigabytes cost nothing, and S3's rules for parts hold.

It speaks what the line asks for. Of an object it keeps a list of segments; a part that is copied is more of
them. Every part but the last must have 5 MiB to 5 GiB, a copy must be of the pinned ETag, conditions count.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from urllib.parse import parse_qs, unquote, urlsplit

LEAST, MOST, PARTS = 5 << 20, 5 << 30, 10_000
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_PART = re.compile(r"<PartNumber>(\d+)</PartNumber>")
_CHUNK = 1 << 20
Segment = bytes | int
"""Bytes, or how many zeros."""


class Content:
    """Segments as one body."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        """Take them in order; the same bytes may be there many times."""
        self.segments = [one for one in segments if one]
        self._starts = list(accumulate(map(_length, self.segments), initial=0))
        self.size = self._starts[-1]
        self.etag = hashlib.md5(repr((self.size, id(self))).encode(), usedforsecurity=False).hexdigest()
        self.metadata: dict[str, str] = {}

    def cut(self, start: int, stop: int) -> list[Segment]:
        """Return a range as segments."""
        found: list[Segment] = []
        index = bisect_right(self._starts, start) - 1
        while start < stop:
            segment, at = self.segments[index], start - self._starts[index]
            count = min(stop - start, _length(segment) - at)
            whole = count == _length(segment)
            found.append(
                segment if whole else count if isinstance(segment, int) else segment[at : at + count]
            )
            start, index = start + count, index + 1
        return found

    def read(self, start: int, stop: int) -> bytes:
        """Return a range as bytes."""
        return b"".join(bytes(one) if isinstance(one, int) else one for one in self.cut(start, stop))


def _length(segment: Segment) -> int:
    return segment if isinstance(segment, int) else len(segment)


@dataclass
class SparseS3:
    """What is kept and what was moved. `sent` and `received` are bytes of bodies, seen from the client."""

    objects: dict[str, Content] = field(default_factory=dict)
    uploads: dict[str, dict[int, list[Segment]]] = field(default_factory=dict)
    begun: dict[str, dict[str, str]] = field(default_factory=dict)
    sent: int = 0
    received: int = 0
    requests: int = 0
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> None:
        """Count anew."""
        self.sent = self.received = self.requests = 0


class Refusal(Exception):
    """An answer of S3 that is an error."""

    def __init__(self, status: int, code: str) -> None:
        """Say which."""
        super().__init__(code)
        self.status = status
        self.code = code


@contextlib.contextmanager
def sparse_s3() -> Iterator[SparseS3]:
    """Serve on a free port of loopback."""
    state = SparseS3()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def _handler(state: SparseS3) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        kept = state

    return Handler


class _Handler(BaseHTTPRequestHandler):
    kept: SparseS3
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_HEAD(self) -> None:
        """Answer a head."""
        self._answer(self._read)

    def do_GET(self) -> None:
        """Answer a read."""
        self._answer(self._read)

    def do_PUT(self) -> None:
        """Answer a write, or a part sent or copied."""
        self._answer(self._put)

    def do_POST(self) -> None:
        """Begin or complete an upload."""
        self._answer(self._post)

    def do_DELETE(self) -> None:
        """Abort an upload."""
        self._answer(self._abort)

    def _answer(self, act: Callable[[], None]) -> None:
        parts = urlsplit(self.path)
        self._name = unquote(parts.path)
        self._query = {
            name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        }
        with self.kept.lock:
            self.kept.requests += 1
        try:
            act()
        except Refusal as refusal:
            body = f"<Error><Code>{refusal.code}</Code></Error>".encode()
            self._begin(refusal.status, len(body), {})
            if self.command != "HEAD":
                self.wfile.write(body)

    def _begin(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _say(self, xml: str, headers: dict[str, str] | None = None) -> None:
        body = xml.encode()
        self._begin(200, len(body), headers or {})
        self.wfile.write(body)

    def _content(self, name: str) -> Content:
        content = self.kept.objects.get(name)
        if content is None:
            raise Refusal(404, "NoSuchKey")
        return content

    def _read(self) -> None:
        content = self._content(self._name)
        if self.headers.get("If-Match", content.etag).strip('"') != content.etag:
            raise Refusal(412, "PreconditionFailed")
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        start, stop = (int(match[1]), min(int(match[2]) + 1, content.size)) if match else (0, content.size)
        headers = {"ETag": f'"{content.etag}"', "Last-Modified": "Wed, 25 Nov 2026 08:00:00 GMT"}
        if match:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
        headers |= {f"x-amz-meta-{name}": value for name, value in content.metadata.items()}
        self._begin(206 if match else 200, stop - start, headers)
        if self.command == "HEAD":
            return
        for at in range(start, stop, _CHUNK):
            chunk = content.read(at, min(at + _CHUNK, stop))
            self.wfile.write(chunk)
            with self.kept.lock:
                self.kept.received += len(chunk)

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.kept.lock:
            self.kept.sent += len(body)
        return body

    def _put(self) -> None:
        body = self._body()
        if "uploadId" not in self._query:
            self._keep(Content([body]), self._metadata())
            self._begin(200, 0, {"ETag": f'"{self.kept.objects[self._name].etag}"'})
            return
        source = self.headers.get("x-amz-copy-source")
        segments: list[Segment] = [body] if source is None else self._copied(unquote(source))
        self._upload()[int(self._query["partNumber"])] = segments
        if source is None:
            self._begin(200, 0, {"ETag": '"part"'})
        else:
            self._say('<CopyPartResult><ETag>"part"</ETag></CopyPartResult>')

    def _copied(self, source: str) -> list[Segment]:
        content = self._content(f"/{source.lstrip('/').partition('?')[0]}")
        if self.headers.get("x-amz-copy-source-if-match", "").strip('"') != content.etag:
            raise Refusal(412, "PreconditionFailed")
        match = _RANGE.fullmatch(self.headers.get("x-amz-copy-source-range", ""))
        if match is None or int(match[2]) >= content.size:
            raise Refusal(416, "InvalidRange")
        return content.cut(int(match[1]), int(match[2]) + 1)

    def _upload(self) -> dict[int, list[Segment]]:
        upload = self.kept.uploads.get(self._query["uploadId"])
        if upload is None:
            raise Refusal(404, "NoSuchUpload")
        return upload

    def _post(self) -> None:
        body = self._body()
        if "uploads" in self._query:
            number = str(len(self.kept.uploads) + 1)
            self.kept.uploads[number] = {}
            self.kept.begun[number] = self._metadata()
            self._say(
                f"<InitiateMultipartUploadResult><UploadId>{number}</UploadId></InitiateMultipartUploadResult>"
            )
            return
        upload = self._upload()
        named = [int(one) for one in _PART.findall(body.decode())]
        sizes = [sum(map(_length, upload[number])) for number in named]
        if sorted(upload) != named or len(named) > PARTS or any(size > MOST for size in sizes):
            raise Refusal(400, "InvalidPart")
        if any(size < LEAST for size in sizes[:-1]):
            raise Refusal(400, "EntityTooSmall")
        content = Content([segment for number in named for segment in upload[number]])
        if int(self.headers["x-amz-mp-object-size"]) != content.size:
            raise Refusal(400, "InvalidRequest")
        self._keep(content, self.kept.begun[self._query["uploadId"]])
        del self.kept.uploads[self._query["uploadId"]]
        self._say(
            f'<CompleteMultipartUploadResult><ETag>"{content.etag}"</ETag></CompleteMultipartUploadResult>'
        )

    def _keep(self, content: Content, metadata: dict[str, str]) -> None:
        standing = self.kept.objects.get(self._name)
        if self.headers.get("If-None-Match") == "*" and standing is not None:
            raise Refusal(412, "PreconditionFailed")
        wanted = self.headers.get("If-Match", "").strip('"')
        if wanted and (standing is None or standing.etag != wanted):
            raise Refusal(412, "PreconditionFailed")
        content.metadata = metadata
        self.kept.objects[self._name] = content

    def _metadata(self) -> dict[str, str]:
        prefix = "x-amz-meta-"
        return {
            name.lower().removeprefix(prefix): value
            for name, value in self.headers.items()
            if name.lower().startswith(prefix)
        }

    def _abort(self) -> None:
        self._upload()
        del self.kept.uploads[self._query["uploadId"]]
        self._begin(204, 0, {})

    def log_message(self, *_: object) -> None:
        """Say nothing."""
