"""uvicorn's HTTP/1.1 protocol with what it leaves open: bounds on connections and on peers that never ask.

A connection that sends nothing, or half a request's head, costs a socket for a while and never a worker.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_SECONDS: Final = 30.0
CONNECTIONS: Final = 2000


class PatientProtocol(H11Protocol):
    """One connection."""

    head_seconds: float = HEAD_SECONDS
    connections_bound: int = CONNECTIONS
    _watch: asyncio.TimerHandle | None = None
    _seen: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Begin, or refuse a connection beyond the bound."""
        super().connection_made(transport)
        if len(self.connections) > self.connections_bound:
            transport.write(_answer(503, "Service unavailable", "too many connections are open"))
            transport.close()
        else:
            self._watch = self.loop.call_later(self.head_seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP in the form of every error; the library's text stays here."""
        del msg
        self.transport.write(_answer(400, "Bad request", "the request is not well-formed HTTP/1.1"))
        self.transport.close()

    def _look(self) -> None:
        """Close a connection on which no request was under way now and none came since the last look."""
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.cycle is self._seen:
            self.transport.close()
            return
        self._seen = self.cycle if idle else None
        self._watch = self.loop.call_later(self.head_seconds, self._look)


def _answer(status: int, error: str, message: str) -> bytes:
    form: dict[str, Any] = {"statusCode": status, "error": error, "message": message, "details": {}}
    body = json.dumps(form).encode()
    head = (
        f"HTTP/1.1 {status} {error}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
