"""The three questions at the entry: which Host was called, from which Origin, and with which token."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final
from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from scanward.entrypoints.http.refusals import Misdirected, Unauthorized
from scanward.errors import Refused

_COOKIE: Final = "scanward_session"
_HOST: Final = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?", re.ASCII | re.IGNORECASE)


def check_host(headers: Headers) -> None:
    """Refuse a Host that is not loopback's own name: a foreign name that resolves here is DNS rebinding."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        raise Misdirected("Host must be 127.0.0.1, localhost or [::1]: this service answers on loopback only")


def check_origin(headers: Headers) -> None:
    """Refuse what another page sends, whatever the method; a link that a person follows is let through."""
    own = f"http://{headers.get('host', '')}".lower()
    if any(origin.lower() != own for origin in headers.getlist("origin")):
        raise Refused("the request comes from another origin")
    foreign = headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
    if foreign and headers.get("sec-fetch-mode") != "navigate":
        raise Refused("the request comes from another site")


def cookie_of(request: Request) -> str:
    """Return the cookie's name: browsers share cookies among all ports of a host, so it holds the port."""
    return f"{_COOKIE}_{request.scope['server'][1]}"


class Entry:
    """Asks for the start-up token; an empty one means that none is asked (loopback only)."""

    def __init__(self, start_token: str) -> None:
        """Derive the cookie from the token, so that the cookie never tells it."""
        self._token = start_token.encode()
        self._session = hmac.new(self._token, b"scanward session", hashlib.sha256).hexdigest().encode()

    def ask(self, request: Request) -> Response | None:
        """Let a bearer or a session through; turn `?token=` into a session. Raises Unauthorized."""
        if not self._token or self._known(request):
            return None
        shown = request.query_params.get("token")
        if shown is None or request.method != "GET" or not _same(shown, self._token):
            raise Unauthorized(
                "open the URL that the server printed at its start, or send its token as a bearer"
            )
        return self._welcome(request)

    def _known(self, request: Request) -> bool:
        kind, _, bearer = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return _same(bearer.strip(), self._token)
        return (
            _same(request.cookies.get(cookie_of(request), ""), self._session)
            and "token" not in request.query_params
        )

    def _welcome(self, request: Request) -> Response:
        """Set the session's cookie and lead to the same place without the token in the address."""
        rest = urlencode([pair for pair in request.query_params.multi_items() if pair[0] != "token"])
        # Two slashes at the start would lead to another host.
        path = "/" + request.scope["path"].lstrip("/\\")
        answer = RedirectResponse(path + (f"?{rest}" if rest else ""), status_code=303)
        answer.set_cookie(
            cookie_of(request), self._session.decode(), httponly=True, samesite="strict", path="/"
        )
        return answer


def _same(given: str, expected: bytes) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected)
