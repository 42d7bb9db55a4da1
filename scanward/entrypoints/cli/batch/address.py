"""Where a run reads and writes: a path, or a place in S3."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scanward.errors import BadInput

SCHEME = "s3://"


@dataclass(frozen=True, slots=True)
class S3Address:
    """A bucket, and a key or a prefix in it; "" is the whole bucket."""

    bucket: str
    key: str

    def __str__(self) -> str:
        """Return the form that is typed."""
        return f"{SCHEME}{self.bucket}/{self.key}"

    @property
    def prefix(self) -> str:
        """Return the key as a folder: with a slash at its end, or ""."""
        return f"{self.key.rstrip('/')}/" if self.key.strip("/") else ""

    @property
    def folder(self) -> str:
        """Return the folder that the key is in."""
        return self.key[: self.key.rfind("/") + 1]

    @property
    def name(self) -> str:
        """Return the key's last part; "" for what is a folder by its slash, and for a whole bucket."""
        return self.key[self.key.rfind("/") + 1 :]


def place(text: str) -> Path | S3Address:
    """Return what is typed as IN or OUT. Raises BadInput for an address without a bucket."""
    return address(text) if text.startswith(SCHEME) else Path(text)


def address(text: str) -> S3Address:
    """Return `s3://bucket/key`. Raises BadInput."""
    bucket, _, key = text.removeprefix(SCHEME).partition("/")
    if not text.startswith(SCHEME) or not bucket:
        raise BadInput("A place in S3 is of the form s3://bucket/prefix.")
    return S3Address(bucket, key)
