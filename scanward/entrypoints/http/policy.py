"""Who may ask what: one ASGI layer in front of the router, and the table of every route's policy.

The layer checks Host and Origin, asks for the start-up token, bounds the body, adds the request ID and
the security headers, writes the request's log line and answers what nobody caught. Loopback is not a
wall: any page in the browser and any program on the machine can reach it, so nothing is trusted for it.
"""

from __future__ import annotations

import asyncio
import math
import re
import secrets
import time
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scanward import logs
from scanward.entrypoints.http import entry, refusals
from scanward.entrypoints.http.refusals import SlowBody
from scanward.errors import Misconfigured, ScanwardError, TooLarge

log = logs.logger(__name__)


class Policy(StrEnum):
    """What a route asks of its caller. Host and Origin are asked at each."""

    OPEN = "open"  # nothing more: it tells nothing of any object
    SIGNED = "signed"  # the path itself is a signed, expiring grant
    TOKEN = "token"  # noqa: S105 -- the name of the policy, not a secret


_STUDY: Final = "/dicomweb/{zone}/studies/{study_uid}"
_SERIES: Final = f"{_STUDY}/series/{{series_uid}}"
_INSTANCE: Final = f"{_SERIES}/instances/{{instance_uid}}"
_DICOMWEB: Final = (
    "/dicomweb",
    "/dicomweb/{zone}",
    "/dicomweb/{zone}/studies",
    "/dicomweb/{zone}/series",
    "/dicomweb/{zone}/instances",
    f"{_STUDY}/series",
    f"{_STUDY}/instances",
    f"{_STUDY}/metadata",
    f"{_SERIES}/instances",
    f"{_SERIES}/metadata",
    f"{_INSTANCE}/metadata",
    f"{_INSTANCE}/frames/{{numbers}}",
    "/dicomweb/{zone}/wado",
    f"{_INSTANCE}/pixeldata",
    f"{_INSTANCE}/frames/{{numbers}}/rendered",
    f"{_INSTANCE}/frames/{{numbers}}/thumbnail",
    f"{_INSTANCE}/bulkdata/{{path:path}}",
    *(f"{above}/{form}" for above in (_STUDY, _SERIES, _INSTANCE) for form in ("rendered", "thumbnail")),
    _STUDY,
    _SERIES,
    _INSTANCE,
)

# Every route, and nothing but routes: `check` holds this table against the router at start.
POLICIES: Final = {
    "/": Policy.TOKEN,
    "/docs": Policy.TOKEN,
    "/openapi.json": Policy.TOKEN,
    "/static/{name}": Policy.TOKEN,
    "/uploads": Policy.TOKEN,
    "/executions": Policy.TOKEN,
    "/executions/{execution_id}": Policy.TOKEN,
    "/executions/{execution_id}/redrive": Policy.TOKEN,
    "/studies": Policy.TOKEN,
    "/studies/{study_uid}": Policy.TOKEN,
    **dict.fromkeys(_DICOMWEB, Policy.TOKEN),
    "/dicomweb/{zone}/changes": Policy.TOKEN,
    "/links": Policy.TOKEN,
    "/links/{token}": Policy.SIGNED,
    "/metrics": Policy.TOKEN,
    "/health": Policy.OPEN,
    "/ready": Policy.OPEN,
}
# Deleting asks by its own line, whatever reading the same address asks; `check` holds these too.
DELETIONS: Final = {
    _STUDY: Policy.TOKEN,
    _SERIES: Policy.TOKEN,
    _INSTANCE: Policy.TOKEN,
}
_BODY_BYTES: Final = 64 << 10
# What is sent here goes to the disk as it comes; its door bounds it.
_STREAMED: Final = {("POST", template) for template in ("/uploads", "/dicomweb/{zone}/studies", _STUDY)}
_METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_SERVER_ERROR: Final = 500
_KIND: Final = re.compile(r":\w+}")
_UNKNOWN: Final = "(unknown)"
_PATTERNS: Final = [(compile_path(template)[0], template) for template in POLICIES]
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": with it a browser sends `Origin: null` with our own form.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


def check(paths: Iterable[str], deletable: Iterable[str] = tuple(DELETIONS)) -> None:
    """Refuse to start unless every route has a policy and every policy a route. Raises Misconfigured.

    deletable: those of the paths that can be deleted.
    """
    for table, routes in ((POLICIES, paths), (DELETIONS, deletable)):
        # The API's document names a parameter without its kind, which a route may add (`{path:path}`).
        known, there = ({_KIND.sub("}", path) for path in some} for some in (table, routes))
        without, beyond = there - known, known - there
        if without or beyond:
            raise Misconfigured(
                f"routes without a policy: {sorted(without)}; policies without a route: {sorted(beyond)}"
            )


def policy_of(method: str, template: str) -> Policy:
    """Return what a method asks of its caller at a route; what is not in the tables asks for the token."""
    table = DELETIONS if method == "DELETE" and template in DELETIONS else POLICIES
    return table.get(template, Policy.TOKEN)


def template_of(path: str) -> str:
    """Return the route that a path belongs to, in the table's words; it is what logs and metrics name."""
    return next((template for pattern, template in _PATTERNS if pattern.match(path)), _UNKNOWN)


class PolicyLayer:
    """ASGI middleware. `answered(template, status, seconds)` is told of every answer, for the metrics."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        start_token: str,
        idle_seconds: float,
        answered: Callable[[str, int, float], None],
    ) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._gate = entry.Entry(start_token)
        self._idle_seconds = idle_seconds
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        # A websocket is not served: leaving without accepting it closes it.

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = secrets.token_hex(8)
        template = template_of(scope["path"])
        exchange = _Exchange(send, request_id)
        began = time.monotonic()
        with logs.bound(request_id=request_id):
            try:
                most = _most_bytes(scope["method"], template)
                bounded = _bounded(receive, exchange, most, self._idle_seconds)
                await self._answer(scope, bounded, exchange, template)
            except Exception:
                # A door: whatever was not foreseen is 500, and its text stays here.
                log.exception("request failed", operation="request", route=template)
                await exchange.fail(scope, receive)
            finally:
                self._note(scope["method"], template, exchange, time.monotonic() - began)

    def _note(self, method: str, template: str, exchange: _Exchange, seconds: float) -> None:
        """Count an answer and write the request's line; neither holds the path or the query."""
        self._answered(template, exchange.status, seconds)
        log.info(
            "request",
            operation="request",
            status="completed" if 0 < exchange.status < _SERVER_ERROR else "failed",
            method=method if method in _METHODS else "other",
            route=template,
            http_status=exchange.status,
            milliseconds=round(seconds * 1000, 1),
            bytes_received=exchange.received,
            bytes_sent=exchange.sent,
        )

    async def _answer(self, scope: Scope, receive: Receive, exchange: _Exchange, template: str) -> None:
        answer = self._refusal(scope, template)
        if answer is None:
            await self._app(scope, receive, exchange.send)
        else:
            await answer(scope, receive, exchange.send)

    def _refusal(self, scope: Scope, template: str) -> Response | None:
        """Return the answer to a request that does not come through; None lets it through."""
        headers = Headers(scope=scope)
        try:
            entry.check_host(headers)
            entry.check_origin(headers)
            _check_length(headers, _most_bytes(scope["method"], template))
            if policy_of(scope["method"], template) is Policy.TOKEN:
                return self._gate.ask(Request(scope))
        except ScanwardError as error:
            return refusals.answer(error, Request(scope))
        return None


class _Exchange:
    """Passes an answer on, with the headers that each has; remembers its status and size."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 0
        self.received = 0
        self.sent = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers["X-Request-ID"] = self._request_id
        else:
            self.sent += len(message.get("body", b""))
        await self._send(message)

    async def fail(self, scope: Scope, receive: Receive) -> None:
        """Answer 500; an answer that has begun cannot be taken back, so that its connection is cut."""
        if self.status:
            raise ConnectionAbortedError("the answer broke off")
        await refusals.answer(ScanwardError(refusals.UNFORESEEN), Request(scope))(scope, receive, self.send)


def _most_bytes(method: str, template: str) -> float:
    return math.inf if (method, template) in _STREAMED else _BODY_BYTES


def _check_length(headers: Headers, most: float) -> None:
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length) > most:
        raise TooLarge(f"a request here has at most {most} bytes")


def _bounded(receive: Receive, exchange: _Exchange, most: float, idle_seconds: float) -> Receive:
    """Bound what a body may weigh, and how long its sender may be silent."""
    under_way = True

    async def bounded() -> Message:
        nonlocal under_way
        try:
            # Once the body is whole, the next message is the caller's leaving, which may take hours.
            message = await asyncio.wait_for(receive(), idle_seconds if under_way else None)
        except TimeoutError:
            raise SlowBody(f"nothing came for {idle_seconds:g} s") from None
        exchange.received += len(message.get("body", b""))
        under_way = message.get("more_body", False)
        if exchange.received > most:
            raise TooLarge(f"a request here has at most {most} bytes")
        return message

    return bounded
