"""The site's secret, from which every key is derived."""

from __future__ import annotations

from typing import Protocol


class Secrets(Protocol):
    """Where the site's secret is kept: outside the data folder, readable by one role."""

    @property
    def exists(self) -> bool:
        """Return whether the secret was made already."""
        ...

    def site_secret(self) -> bytes:
        """Return the 32 secret bytes, made at first use. Raises Misconfigured if that cannot be."""
        ...

    def derive(self, purpose: str) -> bytes:
        """Return the 32-byte key for "links", "sessions" or "crosswalk" (HKDF-SHA-256 over the secret)."""
        ...

    def fingerprint(self) -> str:
        """Return the public fingerprint of the secret: 16 hex digits."""
        ...
