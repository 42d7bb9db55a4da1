"""The site's secret: 32 bytes, from which every key is derived; on one machine in a file of mode 0600."""

from __future__ import annotations

import base64
import binascii
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from scanward.errors import BadInput, Misconfigured

LENGTH = 32

_HEADER = "scanward-key-1"
_OTHERS = 0o077


class SiteSecrets:
    """The keys of a secret that `read` returns; read once, when a key is first asked for."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        """Read nothing yet."""
        self._read = read

    def site_secret(self) -> bytes:
        """Return the 32 secret bytes. Raises what reading them raises, Misconfigured as a rule."""
        return self._secret

    def derive(self, purpose: str) -> bytes:
        """Return the 32-byte key for a purpose."""
        return derive(self._secret, purpose)

    def fingerprint(self) -> str:
        """Return the public fingerprint: 16 hex digits."""
        return fingerprint(self._secret)

    @cached_property
    def _secret(self) -> bytes:
        return self._read()


def load_or_create(path: Path) -> bytes:
    """Return the secret of `path`, made at first use; of many processes that come first, one makes it.

    The file appears whole or not at all: it is written beside, synced, and linked to its name. Raises
    Misconfigured.
    """
    with suppress(FileNotFoundError):
        return load(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _publish(path, encode(os.urandom(LENGTH)))
    except FileExistsError:
        pass
    except OSError as error:
        raise Misconfigured(f"the site's secret cannot be made in its folder: {error.strerror}") from None
    return _load_made(path)


def load(path: Path) -> bytes:
    """Return the secret of an existing file.

    Raises FileNotFoundError, or Misconfigured for one not fit for use.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Misconfigured(f"the site's secret cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_mode & _OTHERS:
            raise Misconfigured("the site's secret can be read by others; give its file the mode 0600")
        text = file.read(256)
    try:
        return decode(text.decode("ascii", "replace"))
    except BadInput:
        raise Misconfigured(
            "the file of the site's secret does not hold a secret; restore it from its backup"
        ) from None


def import_secret(path: Path, text: str) -> bytes:
    """Write an exported secret to `path`.

    Raises BadInput if it is none, Misconfigured if another is there.
    """
    secret = decode(text)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _publish(path, encode(secret))
    except FileExistsError:
        if _load_made(path) != secret:
            raise Misconfigured(
                "another secret is in place; move its file away before importing this one"
            ) from None
    except OSError as error:
        raise Misconfigured(f"the site's secret cannot be written to its folder: {error.strerror}") from None
    return secret


def _load_made(path: Path) -> bytes:
    """Return the secret whose name is taken."""
    try:
        return load(path)
    except FileNotFoundError:
        raise Misconfigured("the path of the site's secret is a link that leads nowhere; mend it") from None


def encode(secret: bytes) -> str:
    """Return the secret as the one line that `scanward key export` prints; it carries its own fingerprint."""
    return f"{_HEADER}:{fingerprint(secret)}:{base64.urlsafe_b64encode(secret).decode()}\n"


def decode(text: str) -> bytes:
    """Return the secret of an exported line. Raises BadInput if it is damaged."""
    header, _, rest = text.strip().partition(":")
    stated, _, encoded = rest.partition(":")
    try:
        secret = base64.b64decode(encoded.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        secret = b""
    if header != _HEADER or len(secret) != LENGTH or fingerprint(secret) != stated:
        raise BadInput("this is not an exported secret of Scanward, or it is damaged")
    return secret


def decode_digits(text: str) -> bytes:
    """Return the secret of 64 hex digits, or of an exported line. Raises BadInput for anything else."""
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        return decode(text)
    if len(secret) != LENGTH:
        raise BadInput(f"a site's secret has {LENGTH} bytes, that is {2 * LENGTH} hex digits")
    return secret


def derive(secret: bytes, purpose: str) -> bytes:
    """Return the 32-byte key for a purpose; HKDF-SHA-256 over the secret."""
    return HKDF(SHA256(), LENGTH, salt=None, info=b"scanward/" + purpose.encode()).derive(secret)


def fingerprint(secret: bytes) -> str:
    """Return the public fingerprint of the secret: 16 hex digits, from which nothing can be derived."""
    return derive(secret, "fingerprint")[:8].hex()


def _publish(path: Path, text: str) -> None:
    """Give a synced temporary file its name, unless the name is taken (FileExistsError)."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".key-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.link(temporary, path)
    finally:
        Path(temporary).unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
