"""The key of backups: random in a file of its own, or a passphrase; never the site's secret."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from scanward.errors import BadInput, Misconfigured

RANDOM: Final = b"k"
PASSPHRASE: Final = b"p"
_HEADER: Final = "scanward-backup-key-1"
_SITE_HEADER: Final = "scanward-key-"
_LENGTH: Final = 32
_LEAST_PASSPHRASE: Final = 16
_LONGEST: Final = 4096
_OTHERS: Final = 0o077
# OWASP's 128 MB of work in half of the memory; fixed, so that no file can ask for more.
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 1 << 16, 8, 2


@dataclass(frozen=True, slots=True)
class BackupKey:
    """What a backup is sealed with. kind: RANDOM (32 bytes) or PASSPHRASE."""

    kind: bytes
    secret: bytes = field(repr=False)

    def derive(self, salt: bytes, purposes: tuple[str, ...]) -> list[bytes]:
        """Return a 32-byte key for each purpose, other ones for each salt."""
        main = self.secret
        if self.kind == PASSPHRASE:
            main = Scrypt(salt, _LENGTH, _SCRYPT_N, _SCRYPT_R, _SCRYPT_P).derive(main)
        return [HKDF(SHA256(), _LENGTH, salt, one.encode()).derive(main) for one in purposes]


def read_key(path: Path) -> BackupKey:
    """Return the key of a file: one that `make_key` made, or a passphrase of 16 characters or more.

    Raises BadInput where there is none, Misconfigured where others can read it or it is not fit for use.
    """
    try:
        with path.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read(_LONGEST).decode().strip()
    except (OSError, UnicodeDecodeError):
        raise BadInput(
            "The file of the backup's key cannot be read; `--new-key` makes one with a backup."
        ) from None
    if mode & _OTHERS:
        raise Misconfigured("The file of the backup's key can be read by others; give it the mode 0600.")
    if text.startswith(_SITE_HEADER):
        raise Misconfigured("That is the site's key. A backup has a key of its own, kept elsewhere.")
    if text.startswith(_HEADER):
        return BackupKey(RANDOM, _decoded(text.removeprefix(_HEADER).strip()))
    if len(text) < _LEAST_PASSPHRASE:
        raise Misconfigured(f"A backup's passphrase has {_LEAST_PASSPHRASE} characters or more.")
    return BackupKey(PASSPHRASE, text.encode())


def make_key(path: Path) -> BackupKey:
    """Write a random key to a new file of mode 0600. Raises BadInput if it is there or cannot be written."""
    made = os.urandom(_LENGTH)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(f"{_HEADER} {base64.b64encode(made).decode()}\n")
            opened.flush()
            os.fsync(descriptor)
    except FileExistsError:
        raise BadInput("The file of the new key is there; leave `--new-key` out to use it.") from None
    except OSError as error:
        raise BadInput(f"The new key cannot be written: {os.strerror(error.errno or 0)}.") from None
    return BackupKey(RANDOM, made)


def _decoded(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _LENGTH:
        raise Misconfigured("The backup's key is cut short or changed; take another copy of it.")
    return key
