"""Links signed with a key of the site: nothing is stored, what a link allows stands in the link itself.

A token is base64url(zone, key, method, expiry) and base64url(HMAC-SHA-256 of that), joined by a dot. A key
of the store is a hash, so that a token names no patient.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from scanward.errors import BadInput, Refused
from scanward.ports.clock import Clock
from scanward.ports.links import Grant
from scanward.ports.object_store import Zone

LONGEST = timedelta(days=7)
_REFUSAL = "The link is not valid: forged, expired, or made for another method."
_LONGEST_TOKEN = 1024


class SignedLinks:
    """Links of this service."""

    def __init__(self, signing_key: bytes, clock: Clock) -> None:
        """Sign with a key derived for links alone."""
        self._key = signing_key
        self._clock = clock

    def make(self, zone: Zone, key: str, lifetime: timedelta, method: str = "GET") -> str:
        """Return a URL-safe token. Raises BadInput beyond 7 days, at zero, and for quarantine."""
        if not timedelta(0) < lifetime <= LONGEST:
            raise BadInput("A link lives longer than nothing and at most 7 days.")
        if zone is Zone.QUARANTINE:
            raise BadInput("Nothing in quarantine is handed out.")
        if not key.isalnum() or not method.isalpha():
            raise BadInput("A link is made for a key of the store and an HTTP method.")
        expires = int((self._clock.now() + lifetime).timestamp())
        content = f"{zone}.{key}.{method.upper()}.{expires}".encode()
        return f"{_encode(content)}.{_encode(self._sign(content))}"

    def check(self, token: str, method: str) -> Grant:
        """Return the grant. Raises Refused if forged, expired or for another method."""
        content = self._verified(token)
        zone, key, allowed, expires = content.decode().split(".")
        until = datetime.fromtimestamp(int(expires), UTC)
        if allowed != method.upper() or self._clock.now() >= until:
            raise Refused(_REFUSAL)
        return Grant(Zone(zone), key, allowed, until)

    def address(self, _grant: Grant) -> str:
        """Return "": the service hands out the bytes itself."""
        return ""

    def _verified(self, token: str) -> bytes:
        """Return the signed content; nothing of it is read before its signature holds."""
        first, _, second = token.partition(".")
        try:
            if len(token) > _LONGEST_TOKEN:
                raise Refused(_REFUSAL)
            content, signature = _decode(first), _decode(second)
        except (binascii.Error, ValueError):
            raise Refused(_REFUSAL) from None
        if not hmac.compare_digest(signature, self._sign(content)):
            raise Refused(_REFUSAL)
        return content

    def _sign(self, content: bytes) -> bytes:
        return hmac.new(self._key, b"scanward link\0" + content, hashlib.sha256).digest()


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    encoded = text.encode("ascii")
    content = base64.b64decode(encoded + b"=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    if _encode(content) != text:  # The last letter has bits that mean nothing: only one spelling is a token.
        raise ValueError("another spelling of the same bytes")
    return content
