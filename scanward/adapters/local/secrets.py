"""The site's secret in a file outside the data folder."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from scanward.deidentify import secret


class FileSecrets:
    """Secrets from one key file; read once, made at first use."""

    def __init__(self, path: Path) -> None:
        """Remember where the key file is; nothing is read or made yet."""
        self._path = path

    @property
    def exists(self) -> bool:
        """Return whether the key file is there."""
        return self._path.exists()

    def site_secret(self) -> bytes:
        """Return the 32 secret bytes. Raises Misconfigured if they cannot be read or made."""
        return self._secret

    def derive(self, purpose: str) -> bytes:
        """Return the 32-byte key for a purpose."""
        return secret.derive(self._secret, purpose)

    def fingerprint(self) -> str:
        """Return the public fingerprint: 16 hex digits."""
        return secret.fingerprint(self._secret)

    @cached_property
    def _secret(self) -> bytes:
        return secret.load_or_create(self._path)
