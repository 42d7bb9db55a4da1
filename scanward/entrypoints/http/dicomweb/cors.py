"""Pages of other origins that are named in the settings may ask DICOMweb (Fetch standard, CORS protocol)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ROOT: Final = "/dicomweb/"
_OF_ORIGIN: Final = {b"origin", b"sec-fetch-site"}
_TOLD: Final = "Content-Location, ETag, Warning, X-Request-ID, X-Total-Count"
_MAY: Final = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, DELETE",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, If-None-Match, Range",
    "Access-Control-Max-Age": "600",
}


class CorsLayer:
    """ASGI middleware, the outermost: others' origins than those named are refused behind it, as ever.

    Cookies are not taken from elsewhere: such a page brings a bearer token.
    """

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        """Stand in front of `app`. origins: each in full, as `https://viewer.example`."""
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or pass a request on and name its origin in whatever is answered."""
        if scope["type"] != "http" or not scope["path"].startswith(_ROOT) or not self._origins:
            await self._app(scope, receive, send)
            return
        named = Headers(scope=scope).getlist("origin")
        origin = named[0] if len(named) == 1 and named[0] in self._origins else ""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if origin:
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Expose-Headers"] = _TOLD
                    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            await send(message)

        if not origin:
            await self._app(scope, receive, told)
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope):
            await Response(status_code=204, headers=_MAY)(scope, receive, told)
        else:
            await self._app(_as_own(scope), receive, told)


def _as_own(scope: Scope) -> Scope:
    """Return the request without what tells where it comes from, which is settled, and without cookies."""
    kept = [(name, value) for name, value in scope["headers"] if name not in _OF_ORIGIN | {b"cookie"}]
    return {**scope, "headers": kept}
