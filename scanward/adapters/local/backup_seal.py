"""A stream sealed in chunks, so that what was changed, cut off, moved or added anywhere is found.

    magic | kind of key (1) | salt (32) | HMAC-SHA-256 of all that (32) | chunks

Each chunk is 1 MiB of content, the last one less, and its tag (AES-256-GCM). Its nonce is its number and
whether it is the last, as in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015); the salt
gives every file keys of its own, so that no nonce comes twice under a key.
"""

from __future__ import annotations

import hmac
import os
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from scanward.adapters.local.backup_key import RANDOM, BackupKey
from scanward.adapters.local.disk import disk_errors
from scanward.errors import BadInput

MAGIC: Final = b"scanward-backup-1\n"
CHUNK: Final = 1 << 20
TAG: Final = 16
_SALT: Final = 32
_MAC: Final = 32
HEAD: Final = len(MAGIC) + 1 + _SALT + _MAC
_PURPOSES: Final = ("scanward backup head", "scanward backup content")


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class SealedWriter:
    """Seals what is written to it; only what was closed can be read again."""

    def __init__(self, file: BinaryIO, key: BackupKey) -> None:
        """Write the head. Raises OutOfSpace or Unavailable, as all that writes."""
        self._file = file
        self._buffer = bytearray()
        self._number = 0
        salt = os.urandom(_SALT)
        head_key, content_key = key.derive(salt, _PURPOSES)
        self._cipher = AESGCM(content_key)
        head = MAGIC + key.kind + salt
        with disk_errors("the backup was written"):
            file.write(head + hmac.digest(head_key, head, "sha256"))

    def write(self, content: bytes) -> None:
        """Append content."""
        self._buffer += content
        while len(self._buffer) > CHUNK:
            self._seal(bytes(self._buffer[:CHUNK]), last=False)
            del self._buffer[:CHUNK]

    def close(self) -> None:
        """Seal the last chunk; the file is the caller's to sync and close."""
        self._seal(bytes(self._buffer), last=True)

    def _seal(self, content: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, last=last), content, None)
        self._number += 1
        with disk_errors("the backup was written"):
            self._file.write(sealed)


class SealedReader:
    """Opens what `SealedWriter` sealed; every byte that it returns is the one that was written."""

    def __init__(self, file: BinaryIO, key: BackupKey) -> None:
        """Read the head. Raises BadInput for what is no backup, or not one of this key."""
        self._file = file
        self._number = 0
        self._content = memoryview(b"")
        self._over = False
        with disk_errors("the backup was read"):
            head = file.read(HEAD)
        if not head.startswith(MAGIC) or len(head) < HEAD:
            raise BadInput("This is no backup that this release of Scanward can read.")
        signed, told = head[:-_MAC], head[-_MAC:]
        head_key, content_key = key.derive(signed[-_SALT:], _PURPOSES)
        if not hmac.compare_digest(hmac.digest(head_key, signed, "sha256"), told):
            kind = "a key of its own" if signed[len(MAGIC) : len(MAGIC) + 1] == RANDOM else "a passphrase"
            raise BadInput(f"The key does not open this backup (made with {kind}), or its head was changed.")
        self._cipher = AESGCM(content_key)
        self._ahead = self._block()

    def read(self, length: int) -> bytes:
        """Return exactly `length` bytes. Raises BadInput where the backup is damaged or ends before."""
        if length <= len(self._content):
            taken, self._content = self._content[:length], self._content[length:]
            return bytes(taken)
        parts = []
        while length:
            if not self._content:
                self._open_next()
            taken, self._content = self._content[:length], self._content[length:]
            parts.append(taken)
            length -= len(taken)
        return b"".join(parts)

    def finish(self) -> None:
        """Raise BadInput unless all was read."""
        if self._content or not self._over:
            raise BadInput("The backup goes on behind its end; it is not as it was written.")

    def _open_next(self) -> None:
        """Open the next chunk: the last one is less than a whole one, or nothing comes behind it."""
        if self._over:
            raise BadInput("The backup ends too early; it is not as it was written.")
        block, self._ahead = self._ahead, self._block()
        last = not self._ahead
        try:
            self._content = memoryview(self._cipher.decrypt(_nonce(self._number, last=last), block, None))
        except (InvalidTag, ValueError):
            raise BadInput(
                f"The backup is damaged or cut short in its chunk {self._number}; take another copy of it."
            ) from None
        self._number += 1
        self._over = last

    def _block(self) -> bytes:
        with disk_errors("the backup was read"):
            return self._file.read(CHUNK + TAG)
