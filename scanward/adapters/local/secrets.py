"""The site's secret in a file outside the data folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from scanward.deidentify.secret import SiteSecrets, load_or_create


class FileSecrets(SiteSecrets):
    """Secrets from one key file; read once, made at first use."""

    def __init__(self, path: Path) -> None:
        """Remember where the key file is; nothing is read or made yet."""
        super().__init__(partial(load_or_create, path))
        self._path = path

    @property
    def exists(self) -> bool:
        """Return whether the key file is there."""
        return self._path.exists()
