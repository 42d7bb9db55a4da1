"""A server that speaks as much of S3 as a read needs, and cuts bodies in the middle."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
ETAG = '"0123456789abcdef0123456789abcdef"'


@dataclass
class Cutting:
    """What the server holds; it sends `cut` bytes of a body and hangs up, for the next `cuts` requests."""

    body: bytes
    cut: int = 1000
    cuts: int = 0
    etag: str = ETAG
    overlooks_ranges: bool = False
    sha256: str = ""
    ranges: list[str] = field(default_factory=list)
    url: str = ""


@contextlib.contextmanager
def cutting(body: bytes, cut: int = 1000, cuts: int = 0) -> Iterator[Cutting]:
    """Serve one object under every key, on a free port of loopback."""
    state = Cutting(body, cut, cuts)

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._begin(200, state.body)

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            state.ranges.append(asked)
            if self.headers.get("If-Match", state.etag) != state.etag:
                self._begin(412, b"")
                return
            match = None if state.overlooks_ranges else _RANGE.fullmatch(asked)
            start, end = (int(match[1]), int(match[2]) + 1) if match else (0, len(state.body))
            body = state.body[start:end]
            self._begin(206 if match else 200, body, f"bytes {start}-{end - 1}/{len(state.body)}")
            if state.cuts:
                state.cuts -= 1
                self.wfile.write(body[: state.cut])
                self.close_connection = True
            else:
                self.wfile.write(body)

        def _begin(self, status: int, body: bytes, where: str = "") -> None:
            self.send_response(status)
            if status == 206:
                self.send_header("Content-Range", where)
            self.send_header("ETag", state.etag)
            self.send_header("Last-Modified", "Wed, 25 Nov 2026 08:00:00 GMT")
            self.send_header("Content-Length", str(len(body)))
            if status == 200 and state.sha256:
                # Of a range S3 tells no checksum.
                self.send_header("x-amz-checksum-sha256", state.sha256)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
